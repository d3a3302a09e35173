/** Which work of an aux chain is offered, for how long, and what its status says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auxChainSchema } from '../../../src/config/schema/chains.ts';
import type { DaemonGroup, RawTemplate } from '../../../src/daemon/group.ts';
import { AuxChain } from '../../../src/jobs/aux-chain.ts';
import type { AuxChange } from '../../../src/jobs/aux-merge.ts';
import { silentLog } from '../../../src/log.ts';
import { FakeGroup, ManualTimers, MemoryBlockLog } from './support.ts';

class FakeAuxGroup extends FakeGroup {
  readonly all: DaemonGroup['all'] = [];
  isServed = true;

  override preferred(): ReturnType<DaemonGroup['preferred']> {
    return this.isServed ? FAKE_DAEMON : undefined;
  }
}

const FAKE_DAEMON = {
  key: 'one:1',
  batch: () => Promise.resolve([]),
} as unknown as RawTemplate['daemon'];

interface Bench {
  readonly chain: AuxChain;
  readonly blockLog: MemoryBlockLog;
  readonly group: FakeAuxGroup;
  readonly timers: ManualTimers;
  readonly changes: AuxChange[];
  readonly offer: (change?: Record<string, unknown>) => void;
}

const WORK = {
  hash: 'a1'.repeat(32),
  chainid: 98,
  previousblockhash: 'b2'.repeat(32),
  coinbasevalue: 5_000_000_000,
  bits: '207fffff',
  height: 21,
};

function setUp(settings: Record<string, unknown> = {}): Bench {
  const group = new FakeAuxGroup();
  const timers = new ManualTimers();
  const blockLog = new MemoryBlockLog();
  const chain = new AuxChain({
    key: 'DOGE',
    settings: auxChainSchema.parse({
      coinservs: [{ port: 1 }],
      algo: 'scrypt',
      currency: 'DOGE',
      ...settings,
    }),
    algorithm: 'scrypt',
    diff1: 0xffffn << 224n,
    group,
    blockLog,
    clock: timers.clock,
    log: silentLog,
    timers,
  });
  const changes: AuxChange[] = [];
  chain.onWork((change) => changes.push(change));
  const offer = (change: Record<string, unknown> = {}): void =>
    group.deliver({ ...WORK, ...change }, timers.clock.now());
  return { chain, blockLog, group, timers, changes, offer };
}

test('work is news when it differs; a new block is told from other transactions', () => {
  const { chain, changes, offer } = setUp();
  assert.equal(chain.current(false), undefined);
  offer();
  offer();
  offer({ hash: 'a2'.repeat(32) });
  offer({ hash: 'a3'.repeat(32), previousblockhash: 'b3'.repeat(32), height: 22 });
  assert.deepEqual(changes, [{ newBlock: true }, { newBlock: false }, { newBlock: true }]);
  assert.equal(chain.current(false)?.hashHexBE, 'a3'.repeat(32));
});

test('without previousblockhash the height tells of a new block', () => {
  const { changes, offer } = setUp();
  const old = { previousblockhash: undefined };
  offer(old);
  offer({ ...old, hash: 'a2'.repeat(32) });
  offer({ ...old, hash: 'a3'.repeat(32), height: 22 });
  assert.deepEqual(changes, [{ newBlock: true }, { newBlock: false }, { newBlock: true }]);
});

test('unserved work stays until the next main tip; when it is served again that is news', () => {
  const { chain, group, changes, offer } = setUp();
  offer();
  group.isServed = false;
  assert.ok(chain.current(false) !== undefined);
  assert.equal(chain.current(true), undefined);
  group.isServed = true;
  offer();
  assert.deepEqual(changes, [{ newBlock: true }, { newBlock: false }]);
  assert.ok(chain.current(true) !== undefined);
});

test('work that no daemon has confirmed for stale_after is left out', () => {
  const { chain, timers, changes, offer } = setUp({ stale_after: 60 });
  offer();
  timers.advance(60_000);
  assert.ok(chain.current(false) !== undefined);
  assert.equal(chain.status()['stale'], false);
  timers.advance(1);
  assert.equal(chain.current(false), undefined);
  assert.equal(chain.status()['stale'], true);
  offer();
  assert.ok(chain.current(false) !== undefined);
  assert.equal(changes.length, 2);
});

test('a chain that is not polled is not stale while its daemon is live', () => {
  const { chain, group, timers, offer } = setUp({ poll: false, stale_after: 60 });
  offer();
  timers.advance(3_600_000);
  assert.ok(chain.current(true) !== undefined);
  group.isServed = false;
  assert.equal(chain.current(false), undefined);
});

test('old work that a daemon hands out again is refused, also when it alternates', () => {
  const { chain, group, changes, offer } = setUp();
  offer();
  offer({ hash: 'a2'.repeat(32) });
  for (let count = 0; count < 5; count += 1) {
    offer();
    offer({ hash: 'a2'.repeat(32) });
  }
  assert.equal(changes.length, 2);
  assert.equal(group.refused.length, 5);
  assert.match(group.refused[0]!, /handed out again after newer work/);
  assert.equal(chain.current(false)?.hashHexBE, 'a2'.repeat(32));
});

test('true is looked into at once: a block that is not in the best chain is an orphan', async () => {
  const { chain, blockLog, group, offer } = setUp();
  const other = 'ee'.repeat(32);
  const ok = (result: unknown) => ({ ok: true, result });
  const daemon = {
    key: 'one:1',
    callParts: () => Promise.resolve(true),
    call: () => Promise.resolve(other),
    batch: () => Promise.resolve([ok(21), ok(other)]),
  } as unknown as RawTemplate['daemon'];
  group.live = [daemon];
  group.preferred = () => daemon;
  offer();
  const work = chain.current(false)!;
  blockLog.unsettledBlocks = [{ hashHexBE: work.hashHexBE, height: 21, state: 'accepted' }];
  const solve = {
    jobId: '1',
    chains: ['DOGE'],
    header: Buffer.alloc(80),
    extranonce: Buffer.alloc(8),
    powHashLE: Buffer.alloc(32),
    address: 'addr',
    worker: 'w',
    server: 'stratum',
    difficulty: 1,
    time: 0,
  };
  chain.solved({ work, solve, proof: () => Buffer.from('c0ffee', 'hex') });
  chain.solved({ work, solve, proof: () => assert.fail('a replay is not worth a proof') });
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
  assert.deepEqual(blockLog.events, [
    `append ${work.hashHexBE}`,
    'one:1: true',
    `accepted ${work.hashHexBE}`,
    `orphaned ${work.hashHexBE}`,
  ]);
  const [block] = blockLog.blocks.values();
  assert.equal(block?.submit.kind, 'getauxblock');
  assert.equal(Buffer.from(block.submit.hex).toString('latin1'), 'c0ffee');
  assert.equal(block.submit.daemon, 'one:1');
  assert.equal(block.totalSubsidy, 5_000_000_000n);
  assert.equal(block.fees, null);
  assert.equal(block.merged, true);
  assert.equal(block.bitsHex, '207FFFFF');
});

test('a push asks the daemon now', () => {
  const { chain, group, timers } = setUp();
  chain.lookNow();
  assert.deepEqual(group.looks, ['push']);
  assert.equal(chain.status()['last_signal'], timers.clock.now() / 1000);
});

test('the status has the fields that monitors of the original read', () => {
  const { chain, timers, offer } = setUp();
  assert.equal(chain.status()['last_work'], null);
  assert.equal(chain.status()['stale'], true);
  offer();
  const status = chain.status();
  assert.deepEqual(status['current_net'], {
    difficulty: 0xffff / (0x7fffff * 256),
    height: 21,
    last_block: timers.clock.now() / 1000,
    prev_hash: WORK.previousblockhash,
    transactions: null,
    subsidy: 5_000_000_000,
  });
  const stats = status['block_stats'] as Record<string, unknown>;
  for (const name of ['accepts', 'rejects', 'solves', 'stale', 'last_solve_hash']) {
    assert.ok(name in stats, name);
  }
  assert.equal((status['last_work'] as Record<string, unknown>)['chain_id'], 98);
  assert.equal(status['live_coinservers'], 1);
  assert.doesNotThrow(() => JSON.stringify(status));
});
