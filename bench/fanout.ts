/**
 * A new job to 1,000 and to 9,000 idle connections, one listener thread and two, interleaved: when the
 * first, the middle and the last miner have it, counted from the job in the control thread's hands, and
 * what it leaves behind in memory. The stratum room alone: no daemon, no template. The miners are this one
 * process, whose reading is most of the time measured: the figures are upper bounds.
 * Run: node bench/fanout.ts [--check] [--json].
 */
import { Report, median, pause, quantile } from './support/report.ts';
import { StratumRoom } from './support/stratum-room.ts';

const report = new Report('fanout');
/** Two rooms of the larger stay within the 20,000 descriptors a process usually has. */
const counts = report.short ? [300] : [1000, 9000];
const rounds = report.short ? 2 : 5;

for (const count of counts) {
  const rooms = [
    { threads: 1, room: await StratumRoom.start(1), results: [] as number[][] },
    { threads: 2, room: await StratumRoom.start(2), results: [] as number[][] },
  ];
  const before: number[] = [];
  for (const { room } of rooms) {
    await room.connect(count);
    before.push(room.use.residentBytes);
  }
  for (let round = 0; round < rounds; round++) {
    for (const each of rooms) {
      each.results.push(await each.room.broadcast());
      await pause(report.short ? 50 : 500);
    }
  }
  for (const [index, { threads, room, results }] of rooms.entries()) {
    const name = `${count} connections, ${threads} thread${threads === 1 ? '' : 's'}`;
    for (const [what, part] of [
      ['first', 0],
      ['p50', 0.5],
      ['p99', 0.99],
      ['last', 1],
    ] as const) {
      report.figure(
        `${name}: ${what}`,
        median(results.map((times) => quantile(times, part))),
        'ms',
      );
    }
    const grown = (room.use.residentBytes - before[index]!) / 1e6;
    report.figure(`${name}: growth of memory`, grown, 'MB');
    report.check(
      `${name}: everybody hears of every job`,
      results.every((times) => times.length === count),
      results.map((times) => times.length).join(', '),
    );
    await room.stop();
  }
}

process.exitCode = report.finish();
