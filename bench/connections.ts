/**
 * Connections up to their first job (subscribe, authorize, set_difficulty, notify): server CPU for each,
 * memory each leaves while idle, CPU of holding them. The stratum room alone: no daemon, no ledger.
 * Run: node bench/connections.ts [--check] [--json].
 */
import { Report, pause } from './support/report.ts';
import { StratumRoom } from './support/stratum-room.ts';

const report = new Report('connections');
const count = report.short ? 1000 : 10_000;
/** The first handshakes compile the code; they are not counted. */
const warmUp = report.short ? 200 : 2000;

for (const threads of [1, 2]) {
  const room = await StratumRoom.start(threads);
  await room.connect(warmUp);
  await pause(500);
  const before = room.use;
  await room.connect(count);
  const connected = room.use;
  await pause(report.short ? 500 : 5000);
  const held = room.use;
  const name = `${threads} thread${threads === 1 ? '' : 's'}`;
  const cpu = connected.cpuSeconds - before.cpuSeconds;
  report.figure(`${name}: handshakes per CPU-second`, count / cpu, '/s');
  const bytes = (held.residentBytes - before.residentBytes) / count;
  report.figure(`${name}: memory per connection`, bytes, 'B');
  report.figure(`${name}: CPU of holding them`, held.cpuSeconds - connected.cpuSeconds, 's');
  const times = await room.broadcast();
  report.check(
    `${name}: everybody is there`,
    times.length === warmUp + count,
    `${times.length} of ${warmUp + count} hear of a job`,
  );
  await room.stop();
}

process.exitCode = report.finish();
