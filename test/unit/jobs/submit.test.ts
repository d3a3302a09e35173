import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DaemonError } from '../../../src/daemon/error.ts';
import { Submitter } from '../../../src/jobs/submit.ts';
import type { SubmitterOptions } from '../../../src/jobs/submit.ts';
import type { BlockDaemon } from '../../../src/jobs/submission.ts';
import { silentLog } from '../../../src/log.ts';
import type { SolvedBlock } from '../../../src/ports.ts';
import { ManualTimers, MemoryBlockLog } from './support.ts';

const unreachable = new DaemonError('UNREACHABLE', 'no connection');
const noMethod = new DaemonError('RPC', 'Method not found', { rpcCode: -32601 });
const notFound = new DaemonError('RPC', 'Block not found', { rpcCode: -5 });
const refusedCall = new DaemonError('RPC', 'Block decode failed', { rpcCode: -22 });
const warmingUp = new DaemonError('RPC', 'Loading block index', { rpcCode: -28 });

type Reply = unknown;

/** A daemon that answers as scripted: an error is thrown, the last answer of a method repeats. */
class FakeDaemon implements BlockDaemon {
  readonly key: string;
  readonly sent: string[] = [];
  readonly #replies: Record<string, Reply[]>;

  constructor(key: string, replies: Record<string, Reply[]>) {
    this.key = key;
    this.#replies = replies;
  }

  #reply(method: string): Promise<unknown> {
    const replies = this.#replies[method] ?? [noMethod];
    const reply = replies.length > 1 ? replies.shift() : replies[0];
    return reply instanceof Error ? Promise.reject(reply) : Promise.resolve(reply);
  }

  call<T>(method: string, params: readonly unknown[]): Promise<T> {
    this.sent.push(`${method} ${JSON.stringify(params)}`);
    return this.#reply(method) as Promise<T>;
  }

  callParts(method: string, parts: readonly Uint8Array[]): Promise<unknown> {
    this.sent.push(`${method} [${Buffer.concat(parts).toString('latin1')}]`);
    return this.#reply(method);
  }

  batch(): Promise<never[]> {
    return Promise.resolve([]);
  }

  get submitted(): number {
    return this.sent.filter((one) => one.startsWith('submitblock')).length;
  }
}

const HASH = 'ab'.repeat(32);

function block(change: Partial<SolvedBlock> = {}, workId?: string): SolvedBlock {
  return {
    chain: 'main',
    currency: 'BTC',
    algorithm: 'sha256d',
    hashHexBE: HASH,
    height: 7,
    address: 'a',
    worker: 'w',
    server: 's',
    time: 1,
    totalSubsidy: 5n,
    fees: 0n,
    bitsHex: '207fffff',
    merged: false,
    networkDifficulty: 1,
    submit: {
      kind: 'block',
      hex: Buffer.from('c0ffee'),
      ...(workId === undefined ? {} : { workId }),
    },
    ...change,
  };
}

interface Bench {
  readonly submitter: Submitter;
  readonly blockLog: MemoryBlockLog;
  readonly timers: ManualTimers;
  readonly live: FakeDaemon[];
  readonly accepted: () => number;
  /** Lets promises run, then moves time in steps. */
  readonly run: (ms?: number) => Promise<void>;
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

function setUp(live: FakeDaemon[], more: Partial<SubmitterOptions> = {}): Bench {
  const blockLog = new MemoryBlockLog();
  const timers = new ManualTimers();
  let accepted = 0;
  const submitter = new Submitter({
    chain: 'main',
    daemons: () => live,
    blockLog,
    clock: timers.clock,
    timers,
    log: silentLog,
    onAccepted: () => {
      accepted += 1;
    },
    ...more,
  });
  const run = async (ms = 0): Promise<void> => {
    await settled();
    for (let past = 0; past < ms; past += 50) {
      timers.advance(50);
      await settled();
    }
  };
  return { submitter, blockLog, timers, live, accepted: () => accepted, run };
}

const inChain = { getblockhash: [HASH] };

test('a block is in the log before it is sent, and goes to every live daemon at once', async () => {
  const one = new FakeDaemon('one', { submitblock: [null], ...inChain });
  const two = new FakeDaemon('two', { submitblock: ['duplicate'], ...inChain });
  const { submitter, blockLog, accepted, run } = setUp([one, two]);
  assert.equal(submitter.submit(block()), true);
  assert.deepEqual(blockLog.events, [`append ${HASH}`]);
  assert.equal(one.sent[0], 'submitblock ["c0ffee"]');
  assert.equal(two.sent[0], 'submitblock ["c0ffee"]');
  await run();
  assert.deepEqual(blockLog.events.toSorted(), [
    `accepted ${HASH}`,
    `append ${HASH}`,
    'one: accepted',
    'two: duplicate',
  ]);
  assert.equal(accepted(), 1);
  assert.equal(one.sent[1], 'getblockhash [7]', 'looked up in the best chain');
  assert.equal(submitter.stats().accepts, 1);
  assert.equal(submitter.stats().pending, 0);
});

test('a replayed solve is neither logged nor submitted again', async () => {
  const one = new FakeDaemon('one', { submitblock: [null], ...inChain });
  const { submitter, blockLog, run } = setUp([one]);
  submitter.submit(block());
  assert.equal(submitter.submit(block()), false);
  await run();
  assert.equal(submitter.submit(block()), false);
  // One of an earlier run: the log knows it.
  const earlier = block({ hashHexBE: 'cd'.repeat(32) });
  blockLog.blocks.set(earlier.hashHexBE, earlier);
  assert.equal(submitter.submit(earlier), false);
  await run(1000);
  assert.equal(one.submitted, 1);
  assert.equal(submitter.stats().solves, 1);
});

test('a log that cannot be written raises an alarm, and the block is submitted all the same, once', async () => {
  const one = new FakeDaemon('one', { submitblock: [null], ...inChain });
  const { submitter, blockLog, run } = setUp([one]);
  blockLog.failure = new Error('disk full');
  assert.equal(submitter.submit(block()), true);
  assert.equal(submitter.submit(block()), false);
  await run();
  assert.equal(one.submitted, 1);
  assert.equal(submitter.stats().accepts, 1);
  assert.match(submitter.stats().block_log_error ?? '', /disk full/);
  blockLog.failure = undefined;
  submitter.submit(block({ hashHexBE: 'ef'.repeat(32) }));
  assert.equal(submitter.stats().block_log_error, null);
});

test('transport errors are tried again with growing pauses, other daemons do not wait for them', async () => {
  const bad = new FakeDaemon('bad', { submitblock: [unreachable] });
  const { submitter, blockLog, live, run } = setUp([bad]);
  submitter.submit(block());
  await run(4500);
  // At 0, 0.25, 0.75, 1.75 and 3.75 s, a tick later at most each.
  assert.ok(bad.submitted >= 4 && bad.submitted <= 5, `${bad.submitted} tries`);
  assert.equal(submitter.stats().pending, 1);
  assert.equal(blockLog.events.filter((one) => one.startsWith('bad: error')).length, 1);
  const good = new FakeDaemon('good', { submitblock: [null], ...inChain });
  live.push(good);
  await run(150);
  assert.equal(good.submitted, 1, 'a daemon that comes to life is served within a tick');
  assert.equal(submitter.stats().pending, 0);
  const tries = bad.submitted;
  await run(120_000);
  assert.equal(bad.submitted, tries, 'nothing more once it is settled');
});

test('while no daemon lives it is tried every 0.1 s, then slower, for as long as it takes', async () => {
  const { submitter, live, timers, run } = setUp([]);
  submitter.submit(block());
  await run(600_000);
  assert.equal(submitter.stats().pending, 1);
  const late = new FakeDaemon('late', { submitblock: [warmingUp, null], ...inChain });
  live.push(late);
  await run(2050);
  assert.equal(late.submitted, 1);
  await run(2050);
  assert.equal(late.submitted, 2, 'a daemon that is starting has not answered');
  assert.equal(submitter.stats().accepts, 1);
  assert.equal(timers.waiting, 0);
});

test('every daemon that answered refused it: rejected; one acceptance outweighs refusals', async () => {
  const one = new FakeDaemon('one', { submitblock: ['high-hash'] });
  const two = new FakeDaemon('two', { submitblock: [refusedCall] });
  const refusedByAll = setUp([one, two]);
  refusedByAll.submitter.submit(block());
  await refusedByAll.run(5000);
  assert.ok(refusedByAll.blockLog.events.includes(`rejected ${HASH}`));
  assert.ok(refusedByAll.blockLog.events.includes('one: high-hash'));
  assert.ok(
    refusedByAll.blockLog.events.some((event) => event.startsWith('two: error: Block decode')),
  );
  assert.equal(refusedByAll.submitter.stats().rejects, 1);
  assert.equal(one.submitted, 1);
  const three = new FakeDaemon('three', { submitblock: ['duplicate-invalid'] });
  const four = new FakeDaemon('four', { submitblock: [null], ...inChain });
  const mixed = setUp([three, four]);
  mixed.submitter.submit(block());
  await mixed.run();
  assert.ok(mixed.blockLog.events.includes(`accepted ${HASH}`));
  assert.ok(!mixed.blockLog.events.includes(`rejected ${HASH}`));
});

test('inconclusive is no rejection: the block is looked up, and tried on until it is found', async () => {
  const one = new FakeDaemon('one', {
    submitblock: ['inconclusive'],
    getblockheader: [notFound, unreachable, { confirmations: -1 }],
  });
  const { submitter, blockLog, run } = setUp([one]);
  submitter.submit(block());
  await run(100);
  assert.equal(submitter.stats().pending, 1);
  await run(2000);
  assert.equal(submitter.stats().accepts, 1);
  assert.deepEqual(blockLog.events, [`append ${HASH}`, 'one: inconclusive', `accepted ${HASH}`]);
});

test('only the whole word duplicate is an acceptance', async () => {
  const invalid = setUp([new FakeDaemon('one', { submitblock: ['duplicate-invalid'] })]);
  invalid.submitter.submit(block());
  await invalid.run();
  assert.equal(invalid.submitter.stats().rejects, 1);
  const stuck = { submitblock: ['duplicate-inconclusive'], getblockheader: [notFound] };
  const inconclusive = setUp([new FakeDaemon('one', stuck)]);
  inconclusive.submitter.submit(block());
  await inconclusive.run();
  assert.equal(inconclusive.submitter.stats().pending, 1);
});

test('a known block is accepted also by daemons that say so in their own way, if they have it', async () => {
  const has = new FakeDaemon('has', {
    submitblock: ['rejected: duplicate'],
    getblockheader: [noMethod],
    getblock: [{ confirmations: 3 }],
  });
  const { submitter, run } = setUp([has]);
  submitter.submit(block());
  await run();
  assert.equal(submitter.stats().accepts, 1);
  const hasNot = new FakeDaemon('hasNot', {
    submitblock: ['rejected: duplicate'],
    getblockheader: [new DaemonError('RPC', 'Block not found', { rpcCode: -1 })],
    getblock: [new DaemonError('RPC', 'Block not found', { rpcCode: -1 })],
  });
  const other = setUp([hasNot]);
  other.submitter.submit(block());
  await other.run(1000);
  assert.equal(other.submitter.stats().pending, 1);
});

test('a daemon that lacks the parent may know it later', async () => {
  const one = new FakeDaemon('one', { submitblock: ['prev-blk-not-found', null], ...inChain });
  const { submitter, run } = setUp([one]);
  submitter.submit(block());
  await run(1000);
  assert.equal(submitter.stats().accepts, 1);
  assert.equal(submitter.stats().rejects, 0);
});

test('a daemon without submitblock gets the block by getblocktemplate', async () => {
  for (const rpcCode of [-32601, -8]) {
    const missing = new DaemonError('RPC', 'no such method', { rpcCode });
    const old = new FakeDaemon('old', {
      submitblock: [missing],
      getblocktemplate: [null],
      getblockhash: [HASH],
    });
    const { submitter, run } = setUp([old]);
    submitter.submit(block({}, 'w"1'));
    await run();
    const [, parts] = old.sent;
    const params = JSON.parse(parts?.slice('getblocktemplate '.length) ?? '') as unknown;
    assert.deepEqual(params, [{ mode: 'submit', data: 'c0ffee', workid: 'w"1' }]);
    assert.equal(submitter.stats().accepts, 1);
  }
});

test("a template's workid goes back in submitblock's second parameter (BIP22)", () => {
  const one = new FakeDaemon('one', { submitblock: [null], ...inChain });
  const { submitter } = setUp([one]);
  submitter.submit(block({}, 'w"1'));
  const params = JSON.parse(one.sent[0]?.slice('submitblock '.length) ?? '') as unknown;
  assert.deepEqual(params, ['c0ffee', { workid: 'w"1' }]);
});

test('blocks of earlier runs that nobody answered for are submitted again, those of other chains not', async () => {
  const one = new FakeDaemon('one', { submitblock: [null], ...inChain });
  const { submitter, blockLog, run } = setUp([one]);
  blockLog.append(block());
  blockLog.append(block({ chain: 'other', hashHexBE: '00'.repeat(32) }));
  await submitter.resume();
  await run();
  assert.equal(one.submitted, 1);
  assert.ok(blockLog.events.includes(`accepted ${HASH}`));
  assert.equal(submitter.submit(block()), false);
});

test('the blocks carried in memory are bounded; the others are taken up from the log', async () => {
  const { submitter, blockLog, live, run } = setUp([]);
  const hashes = Array.from({ length: 100 }, (_, index) => index.toString(16).padStart(64, '0'));
  for (const hashHexBE of hashes) submitter.submit(block({ hashHexBE }));
  assert.equal(submitter.stats().pending, 64);
  assert.equal(submitter.stats().solves, 100);
  const one = new FakeDaemon('one', { submitblock: [null], ...inChain });
  live.push(one);
  // The log drops what is settled from its pending ones.
  blockLog.pending = () =>
    Promise.resolve(
      [...blockLog.blocks.values()].filter(
        ({ hashHexBE }) => !blockLog.events.includes(`accepted ${hashHexBE}`),
      ),
    );
  await run(5000);
  assert.equal(submitter.stats().accepts, 100);
  assert.equal(one.submitted, 100);
});

test('a new block does not wait for old ones that no daemon decides on', async () => {
  const hashes = Array.from({ length: 70 }, (_, index) => index.toString(16).padStart(64, '0'));
  const one = new FakeDaemon('one', { submitblock: ['prev-blk-not-found'] });
  const { submitter, blockLog, run } = setUp([one]);
  for (const hashHexBE of hashes) submitter.submit(block({ hashHexBE }));
  assert.equal(one.submitted, 70, 'each is sent as it is found');
  assert.equal(submitter.stats().pending, 64, 'and the memory stays bounded');
  await run();
  assert.equal(blockLog.blocks.size, 70, 'the log keeps those that made room');
});

test('what waits in the log is taken up as room is made, not when all is done', async () => {
  const { submitter, blockLog, live, run } = setUp([]);
  const hashes = Array.from({ length: 80 }, (_, index) => index.toString(16).padStart(64, '0'));
  const stuck = hashes.at(-1);
  for (const hashHexBE of hashes) submitter.submit(block({ hashHexBE }));
  blockLog.pending = () =>
    Promise.resolve(
      [...blockLog.blocks.values()].filter(
        ({ hashHexBE }) => !blockLog.events.includes(`accepted ${hashHexBE}`),
      ),
    );
  const one = new FakeDaemon('one', { submitblock: [null], ...inChain });
  const accept = one.callParts.bind(one);
  const noParent = new FakeDaemon('two', { submitblock: ['prev-blk-not-found'] });
  let offered = 0;
  one.callParts = (method, parts) => {
    offered += 1;
    // The newest one is the last of those carried.
    return offered === 64 ? noParent.callParts(method, parts) : accept(method, parts);
  };
  live.push(one);
  await run(200);
  assert.equal(submitter.stats().accepts, 79);
  assert.equal(submitter.stats().pending, 1);
  assert.ok(!blockLog.events.includes(`accepted ${stuck}`));
});

test('stopping waits for the answer under way and starts nothing new', async () => {
  const one = new FakeDaemon('one', { submitblock: [unreachable] });
  const { submitter, blockLog, timers, run } = setUp([one]);
  submitter.submit(block());
  await submitter.stop();
  assert.ok(blockLog.events.some((event) => event.startsWith('one: error')));
  await run(60_000);
  assert.equal(one.submitted, 1);
  assert.equal(timers.waiting, 0);
});

const auxBlock = (change: Partial<SolvedBlock> = {}): SolvedBlock =>
  block({
    merged: true,
    fees: null,
    submit: { kind: 'submitauxblock', hex: Buffer.from('abcd'), daemon: 'two' },
    ...change,
  });

test('an aux block goes to the daemon that knows its work, with its hash before the proof', async () => {
  const one = new FakeDaemon('one', { submitauxblock: [true], ...inChain });
  const two = new FakeDaemon('two', { submitauxblock: [true], ...inChain });
  const { submitter, blockLog, run } = setUp([one, two]);
  submitter.submit(auxBlock());
  await run();
  assert.deepEqual(one.sent, []);
  assert.equal(two.sent[0], `submitauxblock ["${HASH}","abcd"]`);
  assert.ok(blockLog.events.includes('two: true'));
  assert.ok(blockLog.events.includes(`accepted ${HASH}`));
});

test('what the daemon says of a proof: false and an unknown work are final, a lost answer is not', async () => {
  const unknown = new DaemonError('RPC', 'block hash unknown', { rpcCode: -8 });
  const settledBy = async (replies: Reply[], more: Record<string, Reply[]> = {}) => {
    const two = new FakeDaemon('two', { getauxblock: replies, getblock: [notFound], ...more });
    const { submitter, blockLog, run } = setUp([two]);
    const submit = { kind: 'getauxblock', hex: Buffer.from('ab'), daemon: 'two' } as const;
    submitter.submit(auxBlock({ submit }));
    await run(2000);
    return blockLog.events.slice(1);
  };
  assert.deepEqual(await settledBy([false]), ['two: false', `rejected ${HASH}`]);
  const lost = await settledBy([unknown], { getblockheader: [notFound] });
  assert.deepEqual(lost, ['two: error: block hash unknown', `rejected ${HASH}`]);
  const arrived = [unreachable, unknown];
  const found = await settledBy(arrived, { getblockheader: [{ hash: HASH }], ...inChain });
  assert.deepEqual(found.slice(1), ['two: error: block hash unknown', `accepted ${HASH}`]);
  assert.equal((await settledBy([warmingUp, true], inChain)).at(-1), `accepted ${HASH}`);
});

test('what a block pays is asked for before it is settled, where it was not known', async () => {
  const two = new FakeDaemon('two', { submitauxblock: [true], ...inChain });
  const { submitter, blockLog, run } = setUp([two], { askValue: () => Promise.resolve(77n) });
  submitter.submit(auxBlock({ totalSubsidy: null }));
  await run();
  const order = blockLog.events.filter((event) => /^(?:worth|accepted)/.test(event));
  assert.deepEqual(order, [`worth 77 ${HASH}`, `accepted ${HASH}`]);
});

test('a block of an earlier run whose daemon is not configured any more is given up', async () => {
  const one = new FakeDaemon('one', { submitauxblock: [true], ...inChain });
  const { submitter, blockLog, run } = setUp([one], { isConfigured: (key) => key === 'one' });
  blockLog.blocks.set(HASH, auxBlock());
  await submitter.resume();
  await run(1000);
  assert.deepEqual(one.sent, []);
  assert.match(blockLog.events[0]!, /^two: error: the settings do not name this daemon/);
  assert.equal(blockLog.events[1], `rejected ${HASH}`);
});
