import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mainChainSchema } from '../../../src/config/schema/chains.ts';
import { RunIdentity } from '../../../src/jobs/identity.ts';
import { MainChain } from '../../../src/jobs/main-chain.ts';
import { silentLog } from '../../../src/log.ts';
import type { Job, Solve } from '../../../src/ports.ts';
import { decodeTx } from '../../support/oracle.ts';
import {
  FakeGroup,
  ManualTimers,
  MemoryBlockLog,
  REGTEST_ADDRESS,
  fixtureTemplate,
} from './support.ts';

interface Bench {
  readonly chain: MainChain;
  readonly group: FakeGroup;
  readonly timers: ManualTimers;
  readonly blockLog: MemoryBlockLog;
  readonly jobs: Job[];
  readonly retired: string[];
  readonly counts: Record<string, number>;
  readonly identity: RunIdentity;
}

function setUp(settings: Record<string, unknown> = {}): Bench {
  const group = new FakeGroup();
  const timers = new ManualTimers();
  const blockLog = new MemoryBlockLog();
  const counts: Record<string, number> = {};
  const identity = new RunIdentity(0);
  const chain = new MainChain({
    key: 'main',
    settings: mainChainSchema.parse({
      coinservs: [{ address: '127.0.0.1', port: 1 }],
      algo: 'sha256d',
      currency: 'BTC',
      pool_address: REGTEST_ADDRESS,
      ...settings,
    }),
    algorithm: 'sha256d',
    diff1: 0xffffn << 208n,
    extranonceSize: 8,
    group,
    blockLog,
    identity,
    clock: timers.clock,
    log: silentLog,
    timers,
    count: (name, n) => {
      counts[name] = (counts[name] ?? 0) + n;
    },
  });
  const jobs: Job[] = [];
  const retired: string[] = [];
  chain.onJob((job) => jobs.push(job));
  chain.onRetire((ids) => retired.push(...ids));
  return { chain, group, timers, blockLog, jobs, retired, counts, identity };
}

const TEMPLATE = fixtureTemplate('bcoin-regtest-segwit');
const hashOf = (byte: number): string => byte.toString(16).padStart(2, '0').repeat(32);
const onTip = (byte: number, change: Record<string, unknown> = {}): Record<string, unknown> => ({
  ...TEMPLATE,
  previousblockhash: hashOf(byte),
  ...change,
});
const fewer = { transactions: TEMPLATE.transactions.slice(0, 3) };

function solveOf(job: Job, header = Buffer.alloc(80, 7)): Solve {
  return {
    jobId: job.id,
    chains: ['main'],
    header,
    extranonce: Buffer.alloc(8, 1),
    powHashLE: new Uint8Array(32),
    address: 'addr',
    worker: 'w',
    server: 'stratum',
    difficulty: 1,
    time: 0,
  };
}

const kinds = (jobs: readonly Job[]): unknown => jobs.map((job) => [job.kind, job.clean, job.tip]);

test('a new previous hash is a flush with clean_jobs, also where the height stays or falls', () => {
  const { chain, group, jobs, counts } = setUp();
  assert.match(chain.waitingFor() ?? '', /a block template of main/);
  group.deliver(onTip(1));
  assert.equal(chain.waitingFor(), undefined);
  group.deliver(onTip(2));
  group.deliver(onTip(3, { height: TEMPLATE.height - 1 }));
  group.deliver(onTip(1));
  assert.deepEqual(kinds(jobs), [
    ['flush', true, 1],
    ['flush', true, 2],
    ['flush', true, 3],
    ['flush', true, 4],
  ]);
  assert.deepEqual(counts, { new_jobs: 4, work_restarts: 4 });
  assert.equal(chain.current(), jobs.at(-1));
});

test('a refresh with other transactions is a plain job; one with nothing new makes none', () => {
  const { group, jobs, counts } = setUp();
  group.deliver(onTip(1));
  group.deliver(onTip(1, { curtime: TEMPLATE.curtime + 15, longpollid: 'x' }));
  assert.equal(jobs.length, 1);
  group.deliver(onTip(1, fewer));
  assert.deepEqual(kinds(jobs), [
    ['flush', true, 1],
    ['plain', false, 1],
  ]);
  assert.deepEqual(counts, { new_jobs: 2, work_restarts: 1 });
  group.deliver(onTip(1, { ...fewer, curtime: TEMPLATE.curtime + 600 }));
  assert.equal(jobs.length, 3, 'ten minutes on, a job brings the time of the header forward');
});

test('every job has a coinbase of its own, the wanted variants too', () => {
  const { chain, group, timers, jobs } = setUp();
  chain.requestVariant();
  assert.equal(jobs.length, 0, 'nothing to vary before the first template');
  group.deliver(onTip(1));
  chain.requestVariant();
  chain.requestVariant();
  assert.equal(jobs.length, 1, 'not within three seconds of the last job');
  timers.advance(2999);
  assert.equal(jobs.length, 1);
  timers.advance(1);
  assert.equal(jobs.length, 2);
  timers.advance(60_000);
  assert.equal(jobs.length, 2, 'one job for all who asked');
  chain.requestVariant();
  assert.equal(jobs.length, 3, 'at once when the last job is old enough');
  chain.requestVariant();
  group.deliver(onTip(2));
  timers.advance(60_000);
  assert.equal(jobs.length, 4, 'a job that came meanwhile is what was wanted');
  const bytes = jobs.map((job) => Buffer.concat([job.coinb1, job.coinb2]).toString('hex'));
  assert.equal(new Set(bytes).size, jobs.length);
  assert.equal(new Set(jobs.map((job) => job.id)).size, jobs.length);
});

test('empty first: an empty job flushes, the full one is pushed at once behind it', () => {
  const { group, jobs, counts } = setUp({ empty_first: true });
  group.deliver(onTip(1));
  assert.deepEqual(kinds(jobs), [
    ['flush', true, 1],
    ['push', false, 1],
  ]);
  assert.deepEqual(
    jobs.map((job) => job.branch.length / 32),
    [0, 3],
  );
  group.deliver(onTip(1, fewer));
  assert.equal(jobs[2]?.kind, 'plain');
  assert.deepEqual(counts, { new_jobs: 3, work_restarts: 1, work_pushes: 1 });
  const mweb = setUp({ empty_first: true });
  mweb.group.deliver(fixtureTemplate('litecoind-regtest-mweb-pegin'));
  assert.deepEqual(kinds(mweb.jobs), [['flush', true, 1]]);
});

test('jobs of one tip are bounded, forgotten ones are retired; a new tip leaves the last few', () => {
  const { chain, group, jobs, retired } = setUp({ max_jobs: 3 });
  for (let count = 0; count < 6; count += 1) {
    group.deliver(onTip(1, { coinbasevalue: TEMPLATE.coinbasevalue + count }));
  }
  assert.deepEqual(
    retired,
    jobs.slice(0, 3).map((job) => job.id),
  );
  group.deliver(onTip(2));
  assert.equal(chain.status()['job_count'], 4);
  group.deliver(onTip(3));
  assert.equal(chain.status()['job_count'], 2);
  assert.equal(retired.length, 6);
});

test('an unusable template is refused with the reason, and the last job stays', () => {
  const { chain, group, jobs } = setUp();
  group.deliver(onTip(1));
  group.deliver(onTip(2, { rules: ['!novel'] }));
  group.deliver(onTip(2, { coinbasevalue: null }));
  group.deliver(onTip(2, { masternode: [{ amount: 5 }] }));
  group.network = 'main';
  group.deliver(onTip(2));
  assert.equal(jobs.length, 1);
  assert.equal(chain.current(), jobs[0]);
  assert.match(group.refused[0] ?? '', /rules is "!novel"/);
  assert.match(group.refused[1] ?? '', /coinbasevalue is null/);
  assert.match(group.refused[2] ?? '', /names no payee/);
  assert.match(group.refused[3] ?? '', /pool_address .* network main/);
  assert.equal(group.refused.length, 4);
});

test('a solution of any job still kept is logged with its amounts; a replay is not logged again', () => {
  const { chain, group, jobs, blockLog } = setUp();
  group.deliver(onTip(1));
  group.deliver(onTip(2));
  const [stale, newest] = jobs;
  assert.ok(stale !== undefined && newest !== undefined);
  chain.solved({ ...solveOf(stale), chains: ['aux'] });
  chain.solved({ ...solveOf(stale), jobId: 'ffff' });
  assert.equal(blockLog.blocks.size, 0, 'not of this chain, not of a known job');
  chain.solved(solveOf(stale));
  chain.solved(solveOf(stale));
  chain.solved(solveOf(newest, Buffer.alloc(80, 8)));
  assert.equal(blockLog.events.length, 2);
  const [block] = blockLog.blocks.values();
  const fees = TEMPLATE.transactions.reduce((sum, one) => sum + (one.fee ?? 0), 0);
  assert.equal(block?.totalSubsidy, BigInt(TEMPLATE.coinbasevalue));
  assert.equal(block?.fees, BigInt(fees));
  assert.equal(block?.height, TEMPLATE.height);
  assert.equal(block?.bitsHex, '207fffff');
  const stats = chain.status()['block_stats'] as Record<string, unknown>;
  assert.equal(stats['solves'], 2);
  assert.equal(stats['last_solve_worker'], 'addr.w');
});

test('a solution that crosses two new tips on its way is a block all the same', () => {
  const { chain, group, jobs, retired, blockLog } = setUp();
  for (const tip of [1, 2, 1]) group.deliver(onTip(tip));
  const [first] = jobs;
  assert.ok(first !== undefined && retired.includes(first.id));
  chain.solved(solveOf(first));
  assert.equal(blockLog.blocks.size, 1);
});

test('a job that cannot be made for a timer is an alarm, not the end of the process', () => {
  const { chain, group, jobs, timers, identity } = setUp();
  group.deliver(onTip(1));
  const work = jobs[0];
  assert.ok(work !== undefined);
  chain.requestVariant();
  identity.nextJob = () => {
    throw new Error('no identity left');
  };
  timers.advance(10_000);
  assert.equal(jobs.length, 1);
  assert.equal(chain.current(), work);
});

test('the status has the fields that monitors of the original read', () => {
  const { chain, group, timers } = setUp();
  const before = chain.status();
  assert.deepEqual(before['net_state'], {
    difficulty: null,
    height: null,
    last_block: 0,
    prev_hash: null,
    transactions: null,
    subsidy: null,
  });
  group.deliver(onTip(5), 1_800_000_000_500);
  chain.lookNow();
  const status = chain.status();
  assert.deepEqual(group.looks, ['push']);
  assert.equal(status['last_signal'], timers.clock.now() / 1000);
  assert.equal(status['live_coinservers'], 1);
  assert.equal(status['currency'], 'BTC');
  assert.deepEqual(status['current_net'], {
    // 207fffff against Bitcoin's difficulty 1, as getdifficulty says on regtest.
    difficulty: 4.6565423739069247e-10,
    height: TEMPLATE.height,
    last_block: 1_800_000_000.5,
    prev_hash: hashOf(5),
    transactions: TEMPLATE.transactions.length,
    subsidy: TEMPLATE.coinbasevalue,
  });
  assert.doesNotThrow(() => JSON.stringify(status));
});

test('an output named in the settings is paid, and replaces what is known of the same field', () => {
  const field = { field: 'coinbasedevreward', inside_value: true };
  const { group, jobs } = setUp({ coinbase_outputs: [field, { field: 'art.fund' }] });
  const { default_witness_commitment: _, ...bare } = TEMPLATE;
  group.deliver({
    ...bare,
    transactions: [],
    coinbasedevreward: { scriptpubkey: '51', value: 40 },
    art: { fund: [{ scriptpubkey: '52', value: 2 }] },
  });
  const [job] = jobs;
  assert.ok(job !== undefined);
  const coinbase = decodeTx(Buffer.concat([job.coinb1, Buffer.alloc(8), job.coinb2]));
  assert.deepEqual(
    coinbase.outputs.map((one) => one.value),
    [40n, 2n, BigInt(TEMPLATE.coinbasevalue) - 42n],
  );
});

test('a listener that throws does not keep the job from the others', () => {
  const { chain, group, jobs } = setUp();
  chain.onJob(() => {
    throw new Error('broken listener');
  });
  let last: Job | undefined;
  chain.onJob((job) => {
    last = job;
  });
  group.deliver(onTip(1));
  assert.equal(last, jobs[0]);
  assert.deepEqual(group.refused, []);
});
