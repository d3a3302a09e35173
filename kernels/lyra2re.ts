/**
 * Lyra2RE (Vertcoin, 2014; parameter 1) and Lyra2REv2 (Vertcoin, Monacoin; parameter 2) of the 80-byte
 * header: chains of 256-bit hash functions around Lyra2. Only the first, BLAKE-256 of 14 rounds, runs in
 * lanes.
 */
import { HASHES, headerAt } from './lib/layout';
import { blakeHeader, blakeHeaders } from './lib/blake256';
import { bmw256 } from './lib/bmw256';
import { cubehash256 } from './lib/cubehash';
import { groestl256 } from './lib/groestl256';
import { keccak256 } from './lib/keccak';
import { laneAt } from './lib/lanes';
import { lyra2 } from './lib/lyra2';
import { skein256 } from './lib/skein';

const ROUNDS = 14;
let revision: i32 = 0;

export function prepare(headerBytes: i32, parameter: i32, scratch: usize): i32 {
  if (headerBytes != 80 || (parameter != 1 && parameter != 2)) return -1;
  revision = parameter;
  return 0;
}

export function hash(from: i32, to: i32): void {
  let i = from;
  for (; i + 2 <= to; i += 4) {
    const count = min(4, to - i);
    const out = HASHES + (<usize>i << 5);
    blakeHeaders(
      out, laneAt(out + 32, 1, count), laneAt(out + 64, 2, count), laneAt(out + 96, 3, count),
      headerAt(i), headerAt(i + 1), headerAt(i + 2), headerAt(i + 3), ROUNDS,
    );
  }
  if (i < to) blakeHeader(HASHES + (<usize>i << 5), headerAt(i), ROUNDS);
  for (let k = from; k < to; k++) {
    const at = HASHES + (<usize>k << 5);
    if (revision == 1) first(at);
    else second(at);
  }
}

function first(at: usize): void {
  keccak256(at, at, 32);
  lyra2(at, at, 8);
  skein256(at, at, 32);
  groestl256(at, at, 32);
}

function second(at: usize): void {
  keccak256(at, at, 32);
  cubehash256(at, at, 32);
  lyra2(at, at, 4);
  skein256(at, at, 32);
  cubehash256(at, at, 32);
  bmw256(at, at, 32);
}
