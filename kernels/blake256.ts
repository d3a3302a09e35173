/** BLAKE-256 of the 80-byte header with 8 rounds (Blakecoin) or 14 (the SHA-3 proposal): the parameter. */
import { HASHES, headerAt } from './lib/layout';
import { blakeHeader, blakeHeaders } from './lib/blake256';
import { laneAt } from './lib/lanes';

let rounds: i32 = 0;

export function prepare(headerBytes: i32, parameter: i32, scratch: usize): i32 {
  if (headerBytes != 80 || (parameter != 8 && parameter != 14)) return -1;
  rounds = parameter;
  return 0;
}

export function hash(from: i32, to: i32): void {
  let i = from;
  for (; i + 2 <= to; i += 4) {
    const count = min(4, to - i);
    const out = HASHES + (<usize>i << 5);
    blakeHeaders(
      out, laneAt(out + 32, 1, count), laneAt(out + 64, 2, count), laneAt(out + 96, 3, count),
      headerAt(i), headerAt(i + 1), headerAt(i + 2), headerAt(i + 3), rounds,
    );
  }
  if (i < to) blakeHeader(HASHES + (<usize>i << 5), headerAt(i), rounds);
}
