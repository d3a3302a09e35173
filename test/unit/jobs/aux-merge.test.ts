/** When news of aux chains make a job, of what kind, and what it commits to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mainChainSchema } from '../../../src/config/schema/chains.ts';
import type { AuxChange, AuxSolve, AuxSource } from '../../../src/jobs/aux-merge.ts';
import type { AuxWork } from '../../../src/jobs/aux-work.ts';
import { scriptSigProblem } from '../../../src/jobs/builder.ts';
import { RunIdentity } from '../../../src/jobs/identity.ts';
import { MainChain } from '../../../src/jobs/main-chain.ts';
import { TemplateError } from '../../../src/jobs/template-error.ts';
import { silentLog } from '../../../src/log.ts';
import type { Log } from '../../../src/log.ts';
import type { Job } from '../../../src/ports.ts';
import { decodeTx, scriptOps } from '../../support/oracle.ts';
import {
  FakeGroup,
  ManualTimers,
  MemoryBlockLog,
  REGTEST_ADDRESS,
  auxWork,
  fixtureTemplate,
} from './support.ts';

/** An aux chain whose work the test sets. */
class FakeAux implements AuxSource {
  readonly key: string;
  readonly currency: string;
  readonly flush: boolean;
  readonly alarms = new Map<string, string>();
  readonly solves: AuxSolve[] = [];
  work: AuxWork | undefined;
  /** What it offers at a new tip of the main chain. */
  isServed = true;
  #listener: ((change: AuxChange) => void) | undefined;

  constructor(key: string, chainId: number, flush = false) {
    this.key = key;
    this.currency = key;
    this.flush = flush;
    this.work = auxWork(chainId);
  }

  current(forNewTip: boolean): AuxWork | undefined {
    return this.isServed || !forNewTip ? this.work : undefined;
  }

  onWork(listener: (change: AuxChange) => void): () => void {
    this.#listener = listener;
    return () => {
      this.#listener = undefined;
    };
  }

  solved(found: AuxSolve): void {
    this.solves.push(found);
  }

  alarm(mainChain: string, reason: string | undefined): void {
    if (reason === undefined) this.alarms.delete(mainChain);
    else this.alarms.set(mainChain, reason);
  }

  /** Its daemon has other work. */
  news(newBlock = true, chainId = this.work?.chainId ?? 0): void {
    this.work = auxWork(chainId, (this.work?.height ?? 0) + 1);
    this.#listener?.({ newBlock });
  }
}

interface Bench {
  readonly chain: MainChain;
  readonly timers: ManualTimers;
  readonly jobs: Job[];
  readonly counts: Record<string, number>;
  readonly errors: string[];
  readonly tip: (byte: number, change?: Record<string, unknown>) => void;
}

const TEMPLATE = fixtureTemplate('bcoin-regtest-segwit');

function setUp(aux: readonly FakeAux[], settings: Record<string, unknown> = {}): Bench {
  const group = new FakeGroup();
  const timers = new ManualTimers();
  const counts: Record<string, number> = {};
  const errors: string[] = [];
  const log: Log = { ...silentLog, error: (message) => errors.push(message) };
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
    blockLog: new MemoryBlockLog(),
    identity: new RunIdentity(0),
    clock: timers.clock,
    log,
    timers,
    count: (name, n) => {
      counts[name] = (counts[name] ?? 0) + n;
    },
    aux,
  });
  const jobs: Job[] = [];
  chain.onJob((job) => jobs.push(job));
  const tip = (byte: number, change: Record<string, unknown> = {}): void => {
    const previousblockhash = byte.toString(16).padStart(2, '0').repeat(32);
    group.deliver({ ...TEMPLATE, previousblockhash, ...change });
  };
  return { chain, timers, jobs, counts, errors, tip };
}

const brief = (jobs: readonly Job[]): unknown => jobs.map((job) => [job.kind, job.clean, job.tip]);
const keysIn = (job: Job | undefined): unknown => job?.aux.map(({ chain }) => chain);

/** Merge-mining root of the job's coinbase, display order; undefined without a tag. */
function rootOf(job: Job | undefined): string | undefined {
  const coinbase = decodeTx(Buffer.concat([job!.coinb1, Buffer.alloc(8), job!.coinb2]));
  const tags = [...scriptOps(coinbase.inputs[0]!.script)].flatMap(({ data }) => {
    const hex = data?.toString('hex') ?? '';
    return hex.startsWith('fabe6d6d') ? [hex] : [];
  });
  assert.ok(tags.length <= 1);
  return tags[0]?.slice(8, 72);
}

test('a burst of news makes one job, which goes out at once and is not clean', () => {
  const aux = Array.from({ length: 10 }, (_, at) => new FakeAux(`A${at}`, at + 1));
  const { timers, jobs, tip, counts } = setUp(aux, { aux_coalesce: 1 });
  tip(1);
  for (const one of aux) {
    one.news();
    timers.advance(90);
  }
  assert.equal(jobs.length, 1);
  timers.advance(100);
  assert.deepEqual(brief(jobs), [
    ['flush', true, 1],
    ['push', false, 1],
  ]);
  assert.notEqual(rootOf(jobs[0]), rootOf(jobs[1]));
  assert.deepEqual(counts, { new_jobs: 2, work_restarts: 1, work_pushes: 1 });
  timers.advance(5000);
  assert.equal(jobs.length, 2);
});

test('a tip of the main chain never waits for the window, and takes the news along', () => {
  const one = new FakeAux('A', 1);
  const { timers, jobs, tip } = setUp([one], { aux_coalesce: 1 });
  tip(1);
  one.news();
  tip(2);
  assert.equal(jobs.length, 2);
  assert.equal(rootOf(jobs[1]), one.work?.hashHexBE);
  timers.advance(5000);
  assert.equal(jobs.length, 2, 'nothing is left to tell');
});

test('new transactions of the main chain bring news of an aux chain out at once', () => {
  const one = new FakeAux('A', 1);
  const { jobs, tip, timers } = setUp([one], { aux_coalesce: 1 });
  tip(1);
  one.news();
  tip(1, { transactions: TEMPLATE.transactions.slice(0, 3) });
  assert.equal(jobs[1]?.kind, 'push');
  timers.advance(5000);
  tip(1, { transactions: [] });
  assert.equal(jobs[2]?.kind, 'plain');
  assert.equal(jobs.length, 3);
});

test('clean_jobs only where the chain with the new block has flush; its tip stays', () => {
  const loud = new FakeAux('LOUD', 1, true);
  const quiet = new FakeAux('QUIET', 2);
  const { timers, jobs, tip } = setUp([loud, quiet]);
  tip(1);
  const next = (news: () => void): readonly [boolean, number] => {
    news();
    timers.advance(50);
    const job = jobs[jobs.length - 1]!;
    return [job.clean, job.tip];
  };
  assert.deepEqual(
    next(() => quiet.news()),
    [false, 1],
  );
  assert.deepEqual(
    next(() => loud.news()),
    [true, 1],
  );
  assert.deepEqual(
    next(() => loud.news(false)),
    [false, 1],
    'only other transactions',
  );
  const both = (): void => {
    loud.news();
    quiet.news();
  };
  assert.deepEqual(next(both), [true, 1]);
  assert.equal(jobs.length, 5);
});

test('a variant of a job commits to the newest work', () => {
  const one = new FakeAux('A', 1);
  const { chain, jobs, tip, timers } = setUp([one], { aux_coalesce: 1000 });
  tip(1);
  timers.advance(3000);
  one.news();
  chain.requestVariant();
  assert.equal(jobs.length, 2);
  assert.equal(jobs[1]?.kind, 'push');
  assert.equal(rootOf(jobs[1]), one.work?.hashHexBE);
});

test('a chain without work is not in the job, and no chain leaves no tag', () => {
  const [one, two] = [new FakeAux('A', 1), new FakeAux('B', 2)];
  const { jobs, tip } = setUp([one, two]);
  two.work = undefined;
  tip(1);
  assert.deepEqual(keysIn(jobs[0]), ['A']);
  one.isServed = false;
  tip(2);
  assert.deepEqual(keysIn(jobs[1]), []);
  assert.equal(rootOf(jobs[1]), undefined);
});

test('one chain id for two: the later one is left out with one alarm, the holder keeps its slot', () => {
  const [one, two, three] = [new FakeAux('A', 7), new FakeAux('B', 7), new FakeAux('C', 3)];
  const { chain, timers, jobs, tip, errors } = setUp([one, two, three]);
  tip(1);
  assert.deepEqual(keysIn(jobs[0]), ['A', 'C']);
  assert.equal(errors.length, 1);
  assert.match(errors[0]!, /ALARM: aux chain B .* chain id 7 is that of A/);
  assert.match(two.alarms.get('main')!, /chain id 7/);
  two.news();
  timers.advance(50);
  assert.equal(jobs.length, 1, 'what is left out makes no jobs');
  two.news(true, 8);
  timers.advance(50);
  assert.deepEqual(keysIn(jobs[1]), ['A', 'B', 'C']);
  assert.equal(two.alarms.size, 0);
  one.news(true, 8);
  timers.advance(50);
  assert.deepEqual(keysIn(jobs[2]), ['B', 'C'], 'the one that changed is the later one');
  assert.match(one.alarms.get('main')!, /that of B/);
  assert.equal(errors.length, 2);
  const merged = chain.status()['merged'] as Record<string, { in_job: boolean; alarm: unknown }>;
  assert.equal(merged['A']?.in_job, false);
  assert.match(String(merged['A']?.alarm), /chain id 8/);
  assert.equal(merged['B']?.in_job, true);
});

test('a chain whose id the parent carries and cannot avoid is left out with an alarm', () => {
  const one = new FakeAux('A', 0x2000);
  const fixed = setUp([one], { version_rolling: false });
  fixed.tip(1, { version: 0x20000000 });
  assert.deepEqual(keysIn(fixed.jobs[0]), []);
  assert.match(fixed.errors[0]!, /version carries its chain id 8192/);
  const rolled = setUp([new FakeAux('A', 0x2000)]);
  rolled.tip(1, { version: 0x20000000 });
  const [job] = rolled.jobs;
  assert.deepEqual(keysIn(job), ['A']);
  assert.notEqual(job!.version >>> 16, 0x2000);
});

test('a solution goes to every chain that it solves, with the work that its job had', () => {
  const [one, two] = [new FakeAux('A', 1), new FakeAux('B', 2)];
  const { chain, jobs, tip, timers, errors } = setUp([one, two]);
  tip(1);
  const before = one.work;
  one.news();
  timers.advance(50);
  const solve = {
    jobId: jobs[0]!.id,
    chains: ['main', 'A', 'B'],
    header: Buffer.alloc(80, 7),
    extranonce: Buffer.alloc(8, 1),
    powHashLE: new Uint8Array(32),
    address: 'addr',
    worker: 'w',
    server: 'stratum',
    difficulty: 1,
    time: 0,
  };
  chain.solved(solve);
  assert.equal(one.solves[0]?.work, before);
  assert.equal(two.solves.length, 1);
  tip(2);
  chain.solved({ ...solve, chains: ['B'] });
  assert.deepEqual([one.solves.length, two.solves.length], [1, 2], 'also of a stale job');
  const stats = chain.status()['block_stats'] as { solves: number };
  assert.equal(stats.solves, 1);
  one.solved = () => assert.fail('broken');
  chain.solved({ ...solve, header: Buffer.alloc(80, 8), chains: ['A', 'B'] });
  assert.equal(two.solves.length, 3, "one chain's failure is its own");
  assert.match(errors.at(-1) ?? '', /ALARM: a solution of aux chain A failed/);
});

test('what does not fit the coinbase script is an error at start that names the parts', () => {
  const parts = { coinbaseTag: '/PowerPool/', extranonceSize: 8, merged: true };
  assert.equal(scriptSigProblem(parts), undefined);
  assert.equal(scriptSigProblem({ ...parts, extranonceSize: 16 }), undefined);
  // 5 height + 45 merge mining + 11 identity + 8 extranonces leave 31: a push of 30 bytes.
  assert.equal(scriptSigProblem({ ...parts, coinbaseTag: 'x'.repeat(30) }), undefined);
  const tooLong = { ...parts, coinbaseTag: 'x'.repeat(31) };
  assert.match(
    scriptSigProblem(tooLong)!,
    /101 bytes \(height 5, merge-mining tag 45, coinbase_tag 32, job identity 11, extranonces 8\).*shorten coinbase_tag by 1/,
  );
  assert.equal(scriptSigProblem({ ...tooLong, merged: false }), undefined);
  const settings = { coinbase_tag: 'x'.repeat(31) };
  assert.throws(() => setUp([new FakeAux('A', 1)], settings), TemplateError);
  assert.doesNotThrow(() => setUp([], settings));
});
