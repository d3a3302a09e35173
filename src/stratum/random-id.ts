/** Session ids: 16 random hex digits, drawn from a pool because thousands may connect at once. */
import { randomFillSync } from 'node:crypto';

const ID_BYTES = 8;
const pool = Buffer.alloc(ID_BYTES * 512);
let used = pool.length;

export function randomId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += ID_BYTES;
  return pool.toString('hex', used - ID_BYTES, used);
}
