/**
 * Whether slow hashes hold up a new job: template → 100 idle miners on a scrypt pool, first with nothing
 * else to do, then while the listener threads hash a flood of scrypt shares (100 µs and more each, sliced
 * so that a job passes between). The flood is refused (low difficulty), so that hashing is all there is.
 * Run: node bench/scrypt-flood.ts [--check] [--json].
 */
import { Report, median, pause, quantile } from './support/report.ts';
import { ADDRESS, startRig } from './support/rig.ts';
import type { Rig } from './support/rig.ts';
import type { Remote } from './support/remote.ts';
import type { SwarmCalls } from './support/swarm-process.ts';

const report = new Report('scrypt-flood');
const WATCHERS = 100;
const FLOODERS = 16;
const WINDOW = 4;
const rounds = report.short ? 5 : 40;
const PAUSE_MS = 250;
/** No hash of a benchmark meets it. */
const UNREACHABLE = 1e12;

/** Ms from each new template until 99 of 100 watchers have its job. */
async function broadcasts(rig: Rig, watchers: Remote<SwarmCalls>): Promise<number[]> {
  const took: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await pause(PAUSE_MS);
    await watchers.call('expectBroadcast', undefined);
    const readyAt = await rig.daemon.call('mine', undefined);
    const { p99At } = await watchers.call('arrivals', undefined);
    took.push(p99At - readyAt);
  }
  return took;
}

function tell(name: string, took: readonly number[]): void {
  report.figure(
    `${name}: template → 99 % of ${WATCHERS} miners, median of rounds`,
    median(took),
    'ms',
  );
  report.figure(`${name}: p99 of rounds`, quantile(took, 0.99), 'ms');
}

const rig = await startRig({ algo: 'scrypt', difficulty: UNREACHABLE, jobRefreshSeconds: 3600 });
const { pid } = rig.pool;
const watchers = rig.swarm();
const flood = rig.swarm();
const port = rig.stratumPort;
await watchers.call('connect', { port, count: WATCHERS, address: ADDRESS, pid });
const idle = await broadcasts(rig, watchers);
await flood.call('connect', { port, count: FLOODERS, address: ADDRESS, pid });
await flood.call('flood', { window: WINDOW, expects: 'lowDifficulty' });
const measuring = flood.call('measure', { durationMs: rounds * PAUSE_MS, pid });
const flooded = await broadcasts(rig, watchers);
const { answered, wallMs, serverCpuSeconds } = await measuring;
await flood.call('drain', undefined);
await rig.stop();

tell('idle', idle);
tell('flood', flooded);
report.figure('what the flood adds at the median', median(flooded) - median(idle), 'ms');
report.figure('what the flood adds at p99', quantile(flooded, 0.99) - quantile(idle, 0.99), 'ms');
report.figure('flood: scrypt shares', (answered * 1000) / wallMs, '/s');
report.figure('flood: scrypt shares per CPU-second', answered / serverCpuSeconds, '/s');
report.check(
  'everybody hears of every new tip',
  idle.length === rounds && flooded.length === rounds,
  `${idle.length} and ${flooded.length} of ${rounds}`,
);
report.check('the flood was one', answered > rounds * 50, `${answered} shares refused`);
process.exitCode = report.finish();
