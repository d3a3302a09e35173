/**
 * A stratum server in a process of its own, for tests that take something away from it (descriptors).
 * Prints its port, then makes a job for every line it reads; ends with its standard input.
 */
import { createInterface } from 'node:readline';
import { startPool } from './stratum-pool.ts';

const pool = await startPool();
pool.source.give();
process.stdout.write(`${pool.port}\n`);
const input = createInterface({ input: process.stdin });
input.on('line', () => pool.source.give({ kind: 'push' }));
input.on('close', () => void pool.stop());
