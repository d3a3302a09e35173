/**
 * The longest time that each kind of thread held up its own event loop, at full load: 100 miners with 8
 * shares outstanding each, a new tip with 3000 transactions every two seconds, the monitor asked for its
 * views. Both as the wall saw it, other processes of this machine included, and as CPU time of the thread
 * alone. Run: node bench/stalls.ts [--check] [--json].
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Report, pause, quantile } from './support/report.ts';
import { ADDRESS, startRig } from './support/rig.ts';
import type { StallLine } from './support/stall-probe.ts';

const TIP_MS = 2000;
const MINERS = 100;
const WINDOW = 8;
const VIEWS = ['/', '/stratum/', '/stratum/clients/', '/counters/', '/debug/'];
/** The listener's budget for one turn is 4 ms, a slice is 2 ms: far beyond both something is wrong. */
const MOST_CPU_MS = 100;

const report = new Report('stalls');
const tips = report.short ? 3 : 12;

const folder = mkdtempSync(join(tmpdir(), 'powerpool-stalls-'));
const probe = new URL('./support/stall-probe.ts', import.meta.url);
const rig = await startRig({
  env: { STALL_PROBE: folder, NODE_OPTIONS: `--import=${probe.href}` },
});
const { pid } = rig.pool;
const swarm = rig.swarm();
await swarm.call('connect', { port: rig.stratumPort, count: MINERS, address: ADDRESS, pid });

/** How many lines each thread has written. */
function lineCounts(): ReadonlyMap<string, number> {
  return new Map(readdirSync(folder).map((file) => [file, linesOf(file).length]));
}

function linesOf(file: string): StallLine[] {
  return readFileSync(join(folder, file), 'latin1')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as StallLine);
}

await swarm.call('flood', { window: WINDOW, expects: 'accepted' });
await pause(TIP_MS);
const before = lineCounts();
const measuring = swarm.call('measure', { durationMs: tips * TIP_MS, pid });
for (let tip = 0; tip < tips; tip++) {
  await swarm.call('expectBroadcast', undefined);
  await rig.daemon.call('mine', undefined);
  await swarm.call('arrivals', undefined);
  await Promise.all(VIEWS.map((view) => rig.pool.view(view)));
  await pause(TIP_MS);
}
const { answered, wallMs, threadCpuSeconds } = await measuring;
const after = [...before].map(([file, count]) => linesOf(file).slice(count));
await swarm.call('drain', undefined);
await rig.stop();
rmSync(folder, { recursive: true, force: true });

/** listener-0 and listener-1 are one kind. */
function kindOf(thread: string): string {
  return thread.replace(/-\d+$/, '');
}

const TARGETS: Readonly<Record<string, string>> = {
  listener: 'stall-listener',
  control: 'stall-control',
};
const lines = after.flat();
report.figure('load', (answered * 1000) / wallMs, 'shares/s');
for (const kind of new Set(lines.map(({ thread }) => kindOf(thread)))) {
  const own = lines.filter(({ thread }) => kindOf(thread) === kind);
  const walls = own.map(({ longestMs }) => longestMs);
  const cpus = own.map(({ longestCpuMs }) => longestCpuMs);
  report.figure(`${kind}: longest`, Math.max(...walls), 'ms', TARGETS[kind]);
  report.figure(`${kind}: longest of a second, median`, quantile(walls, 0.5), 'ms');
  report.figure(`${kind}: longest, CPU time of the thread alone`, Math.max(...cpus), 'ms');
  report.figure(`${kind}: the same, median of the seconds`, quantile(cpus, 0.5), 'ms');
  report.check(
    `${kind}: never computes for ${MOST_CPU_MS} ms in one go`,
    Math.max(...cpus) < MOST_CPU_MS,
    `${Math.max(...cpus).toFixed(1)} ms`,
  );
}
for (const [thread, seconds] of threadCpuSeconds) {
  if (seconds > (0.005 * wallMs) / 1000) {
    report.figure(`CPU of ${thread}`, (seconds * 1e6) / answered, 'µs per share');
  }
}
process.exitCode = report.finish();
