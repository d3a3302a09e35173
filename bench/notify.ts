/**
 * From a daemon's new template with 3000 transactions to the miners' sockets, end to end through the
 * whole pool: first and last of 1,000 and of 10,000 idle connections, counted from the moment at which
 * the template can be asked for. On the way: server CPU of a connect with subscribe, authorize and first
 * job, memory per idle connection, and what broadcasts leave behind. All miners are in one process of
 * this machine, so that the last of 10,000 also waits for the load generator's own reading.
 * Run: node bench/notify.ts [--check] [--json].
 */
import { residentBytes } from './support/machine.ts';
import { Report, median, pause } from './support/report.ts';
import { ADDRESS, startRig } from './support/rig.ts';
import type { Rig } from './support/rig.ts';
import type { Remote } from './support/remote.ts';
import type { SwarmCalls } from './support/swarm-process.ts';

const report = new Report('notify');
const FEW = report.short ? 200 : 1000;
const MANY = report.short ? 1000 : 10_000;
const rounds = report.short ? 3 : 10;
const pauseMs = report.short ? 200 : 1500;

/** What an idle process gives back, it gives back by then. */
const SETTLE_MS = report.short ? 500 : 5000;

interface Round {
  readonly first: number;
  readonly p50: number;
  readonly last: number;
}

async function connect(rig: Rig, swarm: Remote<SwarmCalls>, count: number): Promise<number> {
  const { pid } = rig.pool;
  const wishes = { port: rig.stratumPort, count, address: ADDRESS, pid };
  const { serverCpuSeconds } = await swarm.call('connect', wishes);
  return count / serverCpuSeconds;
}

async function broadcasts(rig: Rig, swarm: Remote<SwarmCalls>): Promise<Round[]> {
  const all: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    await pause(pauseMs);
    await swarm.call('expectBroadcast', undefined);
    const readyAt = await rig.daemon.call('mine', undefined);
    const { firstAt, p50At, lastAt } = await swarm.call('arrivals', undefined);
    all.push({ first: firstAt - readyAt, p50: p50At - readyAt, last: lastAt - readyAt });
  }
  return all;
}

function tell(count: number, all: readonly Round[]): void {
  const name = `template → ${count} connections`;
  const of = (pick: (round: Round) => number): number => median(all.map(pick));
  const first = count === FEW && !report.short ? 'notify-first' : undefined;
  report.figure(
    `${name}: first`,
    of((round) => round.first),
    'ms',
    first,
  );
  report.figure(
    `${name}: p50`,
    of((round) => round.p50),
    'ms',
  );
  report.figure(
    `${name}: last`,
    of((round) => round.last),
    'ms',
    report.short ? undefined : `notify-last-${count}`,
  );
  report.figure(`${name}: last, worst round`, Math.max(...all.map(({ last }) => last)), 'ms');
}

const rig = await startRig();
const { pid } = rig.pool;
report.figure('from the command to ready', rig.readyAfterMs, 'ms');
// A fresh process first: memory that earlier connections left behind would hide what these take.
const atStart = residentBytes(pid);
const many = rig.swarm();
const connects = await connect(rig, many, MANY);
await pause(SETTLE_MS);
const idle = residentBytes(pid);
const toMany = await broadcasts(rig, many);
await pause(SETTLE_MS);
const afterwards = residentBytes(pid);
await many.call('closeAll', undefined);
await pause(SETTLE_MS);
const few = rig.swarm();
await connect(rig, few, FEW);
const toFew = await broadcasts(rig, few);
await rig.stop();

tell(FEW, toFew);
tell(MANY, toMany);
const target = (key: string): string | undefined => (report.short ? undefined : key);
report.figure('connects per CPU-second', connects, '/s', target('connects'));
const perConnection = (idle - atStart) / MANY / 1000;
report.figure('memory per idle connection', perConnection, 'kB', target('connection-memory'));
report.figure(
  `growth of memory over ${rounds} broadcasts`,
  (afterwards - idle) / 1e6,
  'MB',
  target('broadcast-growth'),
);
report.check(
  'everybody hears of every new tip',
  toFew.length === rounds && toMany.length === rounds,
  `${toFew.length} and ${toMany.length} of ${rounds} rounds`,
);
const lastOf = (all: readonly Round[]): number => median(all.map(({ last }) => last));
report.ratio(
  'growth of connections, of growth of the time to the last',
  MANY / FEW,
  lastOf(toMany) / lastOf(toFew),
  1,
);
process.exitCode = report.finish();
