/**
 * Shares a second per second of server CPU, over real sockets, against the whole pool with its ledger
 * (synchronous normal and full, interleaved), and the latency of a reply. Every share has to be accepted
 * and to stand in the ledger afterwards: what was told true is compared with the ledger's records and
 * with its minutes. A scrypt pool checks and refuses. The machine-independent yardstick is what the same
 * share's hashes alone cost through node:crypto, measured in this process.
 * Run: node bench/shares.ts [--check] [--json].
 */
import { hash, randomBytes } from 'node:crypto';
import { Report, median, pause } from './support/report.ts';
import { ADDRESS, startRig } from './support/rig.ts';
import type { Rig, RigWishes } from './support/rig.ts';
import type { Remote } from './support/remote.ts';
import type { SwarmCalls } from './support/swarm-process.ts';

interface Pattern {
  readonly name: string;
  readonly connections: number;
  readonly window: number;
}

/** Medians over the rounds. */
interface Result {
  readonly perCpuSecond: number;
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Pool {
  readonly name: string;
  readonly rig: Rig;
  readonly swarm: Remote<SwarmCalls>;
  readonly expects: 'accepted' | 'lowDifficulty';
  readonly rounds: Map<Pattern, Result[]>;
  told: number;
}

const BATCHED: Pattern = { name: '100 connections × 8', connections: 100, window: 8 };
const SINGLE: Pattern = { name: '1,000 connections × 1', connections: 1000, window: 1 };
const ALONE: Pattern = { name: '1 connection × 1', connections: 1, window: 1 };
const PATTERNS = [BATCHED, SINGLE, ALONE];
const LEVELS = 12;

const report = new Report('shares');
const rounds = report.short ? 1 : 3;
const warmUpMs = report.short ? 700 : 1500;
const durationMs = report.short ? 1500 : 5000;

async function openPool(name: string, wishes: RigWishes, expects: Pool['expects']): Promise<Pool> {
  const rig = await startRig(wishes);
  return { name, rig, swarm: rig.swarm(), expects, rounds: new Map(), told: 0 };
}

async function round(pool: Pool, pattern: Pattern): Promise<void> {
  const { rig, swarm, expects } = pool;
  const { pid } = rig.pool;
  const { connections: count, window } = pattern;
  // A job counts two million shares a thread; a real daemon's next template comes long before.
  await rig.daemon.call('mine', undefined);
  await swarm.call('connect', { port: rig.stratumPort, count, address: ADDRESS, pid });
  await swarm.call('flood', { window, expects });
  await pause(warmUpMs);
  const measured = await swarm.call('measure', { durationMs, pid });
  const { sent, toldTrue } = await swarm.call('drain', undefined);
  await swarm.call('closeAll', undefined);
  if (expects === 'accepted' && sent !== toldTrue) {
    throw new Error(`${sent} shares sent, ${toldTrue} told true`);
  }
  pool.told += toldTrue;
  const { answered, serverCpuSeconds, p50Ms, p99Ms } = measured;
  const results = pool.rounds.get(pattern) ?? [];
  pool.rounds.set(pattern, results);
  results.push({
    perCpuSecond: answered / serverCpuSeconds,
    cpuUs: (serverCpuSeconds * 1e6) / answered,
    p50Ms,
    p99Ms,
  });
}

function medians(pool: Pool, pattern: Pattern): Result {
  const results = pool.rounds.get(pattern)!;
  const of = (pick: (result: Result) => number): number => median(results.map(pick));
  return {
    perCpuSecond: of((result) => result.perCpuSecond),
    cpuUs: of((result) => result.cpuUs),
    p50Ms: of((result) => result.p50Ms),
    p99Ms: of((result) => result.p99Ms),
  };
}

/** CPU µs of the hashes of one share alone, each through node:crypto. */
function hashesAloneUs(): number {
  const coinbase = randomBytes(250);
  const pair = randomBytes(64);
  const header = randomBytes(80);
  const twice = (bytes: Uint8Array): Buffer =>
    hash('sha256', hash('sha256', bytes, 'buffer'), 'buffer');
  const shares = (count: number): void => {
    for (let share = 0; share < count; share++) {
      pair.set(twice(coinbase));
      for (let level = 0; level < LEVELS; level++) pair.set(twice(pair));
      header.set(pair.subarray(0, 32), 36);
      twice(header);
    }
  };
  shares(1000);
  const before = process.cpuUsage();
  shares(10_000);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 10_000;
}

async function sha256d(): Promise<void> {
  const normal = await openPool('normal', { synchronous: 'normal' }, 'accepted');
  const full = await openPool('full', { synchronous: 'full' }, 'accepted');
  const yardsticks: number[] = [];
  for (let i = 0; i < rounds; i++) {
    for (const pattern of PATTERNS) {
      yardsticks.push(hashesAloneUs());
      await round(normal, pattern);
      await round(full, pattern);
    }
  }
  for (const pool of [normal, full]) {
    tell(pool);
    const { records, slices } = await pool.rig.stop();
    report.check(
      `${pool.name}: told true = records = minutes of the ledger`,
      records === pool.told && slices === pool.told,
      `${pool.told}, ${records}, ${slices}`,
    );
  }
  const [batched, single] = [medians(normal, BATCHED), medians(normal, SINGLE)];
  const yardstick = median(yardsticks);
  report.figure('hashes of one share through node:crypto, alone', yardstick, 'µs');
  report.ratio('hashes alone, of a whole share 100 × 8', yardstick, batched.cpuUs, 3);
  report.ratio('100 × 8, of 1,000 × 1, per CPU', batched.perCpuSecond, single.perCpuSecond, 1.5);
  const fully = medians(full, BATCHED).perCpuSecond;
  report.ratio('full, of normal, 100 × 8 per CPU', fully, batched.perCpuSecond, 0.7);
}

function tell(pool: Pool): void {
  const isNormal = pool.name === 'normal';
  const target = (key: string): string | undefined => (isNormal ? key : undefined);
  const keys = new Map([
    [BATCHED, 'shares-batched'],
    [SINGLE, 'shares-single'],
  ]);
  for (const pattern of PATTERNS) {
    const { perCpuSecond, cpuUs, p50Ms, p99Ms } = medians(pool, pattern);
    const name = `${pool.name}, ${pattern.name}`;
    if (pattern === ALONE) {
      report.figure(`${name}: reply p50`, p50Ms, 'ms', target('reply-p50'));
      report.figure(`${name}: reply p99`, p99Ms, 'ms', target('reply-p99'));
    } else {
      report.figure(
        `${name}: shares per CPU-second`,
        perCpuSecond,
        '/s',
        target(keys.get(pattern)!),
      );
    }
    report.figure(
      `${name}: CPU per share`,
      cpuUs,
      'µs',
      pattern === BATCHED ? target('share-cpu') : undefined,
    );
  }
}

async function scrypt(): Promise<void> {
  const pool = await openPool('scrypt', { algo: 'scrypt', difficulty: 1e9 }, 'lowDifficulty');
  for (let i = 0; i < rounds; i++) await round(pool, BATCHED);
  const { perCpuSecond } = medians(pool, BATCHED);
  report.figure(`scrypt, refused, ${BATCHED.name}: per CPU-second`, perCpuSecond, '/s', 'scrypt');
  const { slices } = await pool.rig.stop();
  report.check(
    'scrypt: nothing refused is in the ledger as accepted',
    slices === 0,
    String(slices),
  );
}

await sha256d();
await scrypt();
process.exitCode = report.finish();
