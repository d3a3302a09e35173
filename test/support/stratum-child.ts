/**
 * A stratum server in a process of its own, for tests that take something away from it (descriptors)
 * and benchmarks that read its CPU time: `stratum-child.ts [threads]`. Prints its port, then makes a job
 * for every line it reads; ends with its standard input. Its limits let one machine be all the miners.
 */
import { createInterface } from 'node:readline';
import { startPool } from './stratum-pool.ts';

const MANY = 1_000_000;

const pool = await startPool({
  threads: Number(process.argv[2] ?? 1),
  settings: { limits: { connections: MANY, connections_per_address: MANY } },
});
let tip = 1;
pool.source.give({ tip, branchLevels: 12 });
process.stdout.write(`${pool.port}\n`);
const input = createInterface({ input: process.stdin });
input.on('line', () => pool.source.give({ tip: ++tip, branchLevels: 12 }));
input.on('close', () => void pool.stop());
