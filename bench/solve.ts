/**
 * From a winning share to the first byte of its submitblock, with 3000 transactions in the block: idle,
 * and under a flood of shares from 100 miners. Counted from the moment the miner writes the share, so
 * that waiting in sockets is in it. The daemon is a server of its own process that notes when the request
 * begins; afterwards it checks every block: proof of work, merkle root, all transactions.
 * Run: node bench/solve.ts [--check] [--json].
 */
import type { Remote } from './support/remote.ts';
import { Report, pause, quantile } from './support/report.ts';
import { ADDRESS, startRig } from './support/rig.ts';
import type { Rig } from './support/rig.ts';
import { solutions } from './support/solution.ts';
import type { Solution } from './support/solution.ts';
import type { SwarmCalls } from './support/swarm-process.ts';
import { targetOf } from './support/template-daemon.ts';

/** One hash in a million meets it: a rare share of the flood is a block too, which does no harm. */
const BITS = '1e0fffff';
const MINERS = 100;
const WINDOW = 8;
const PAUSE_MS = 250;

const report = new Report('solve');
const count = report.short ? 5 : 40;

/** Sends the shares one by one; ms from each to the first byte of its block. */
async function series(
  rig: Rig,
  finder: Remote<SwarmCalls>,
  shares: readonly Solution[],
): Promise<number[]> {
  const sentAt = new Map<string, number>();
  for (const { line, headerHex } of shares) {
    sentAt.set(headerHex, await finder.call('sendLine', line));
    await pause(PAUSE_MS);
  }
  const came = await rig.daemon.call('takeSubmitted', undefined);
  const mine = came.filter(({ headerHex }) => sentAt.has(headerHex));
  return mine.map(({ headerHex, firstByteAt }) => firstByteAt - sentAt.get(headerHex)!);
}

function tell(name: string, took: readonly number[], target?: string): void {
  report.check(
    `${name}: each block submitted once, and right`,
    took.length === count,
    `${took.length} of ${count}`,
  );
  report.figure(
    `${name}: share sent → first byte of submitblock, p50`,
    quantile(took, 0.5),
    'ms',
    target,
  );
  report.figure(`${name}: p99`, quantile(took, 0.99), 'ms');
}

const rig = await startRig({ bitsHex: BITS, jobRefreshSeconds: 3600 });
const { pid } = rig.pool;
const finder = rig.swarm();
const flood = rig.swarm();
const port = rig.stratumPort;
await finder.call('connect', { port, count: 1, address: ADDRESS, pid });
const parts = await finder.call('shareParts', undefined);
const shares = solutions(parts, targetOf(BITS), count * 2);

const idle = await series(rig, finder, shares.slice(0, count));
await flood.call('connect', { port, count: MINERS, address: ADDRESS, pid });
await flood.call('flood', { window: WINDOW, expects: 'accepted' });
const measuring = flood.call('measure', { durationMs: count * PAUSE_MS, pid });
const flooded = await series(rig, finder, shares.slice(count));
const { answered, wallMs, p50Ms } = await measuring;
const { toldTrue } = await flood.call('drain', undefined);
const { records } = await rig.stop();

tell('idle', idle);
tell('flood', flooded, 'solve-flood');
report.figure('flood: shares', (answered * 1000) / wallMs, '/s');
report.figure('flood: reply to an ordinary share, p50', p50Ms, 'ms');
report.check(
  'flood: told true, with the winning shares, = records of the ledger',
  records === toldTrue + count * 2,
  `${toldTrue} + ${count * 2}, ${records}`,
);
// Two more threads and a process have to be woken for a block; it waits for no ledger.
report.ratio('a reply under flood, of a block', p50Ms, quantile(flooded, 0.5), 0.2);
process.exitCode = report.finish();
