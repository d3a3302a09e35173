/** sha256d: two rounds of sha256 (FIPS 180-4) over the 80-byte header; the digest is the hash. */
import { HASHES, headerAt } from './lib/layout';
import { gather, laneAt, scatter, splatWords, swapBytes, wordsOfBlock } from './lib/lanes';
import * as one from './generated/sha256-scalar';
import * as four from './generated/sha256-lanes';
import { INITIAL } from './generated/sha256-tables';

const WORDS: usize = memory.data(16 * 4, 16);
const STATE: usize = memory.data(8 * 4, 16);
const LANE_WORDS: usize = memory.data(16 * 16, 16);
const LANE_STATE: usize = memory.data(8 * 16, 16);

/** Words 4 to 15 of the second block: the padding of 80 bytes. */
const PADDING: usize = memory.data<u32>([0x80000000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 640], 16);

export function prepare(headerBytes: i32, parameter: i32, scratch: usize): i32 {
  return headerBytes == 80 && parameter == 0 ? 0 : -1;
}

export function hash(from: i32, to: i32): void {
  let i = from;
  for (; i + 2 <= to; i += 4) hashFour(i, min(4, to - i));
  if (i < to) hashOne(i);
}

function hashOne(i: i32): void {
  const header = headerAt(i);
  v128.store(STATE, v128.load(INITIAL, 0), 0);
  v128.store(STATE, v128.load(INITIAL, 16), 16);
  wordsOfBlock(WORDS, header);
  one.compress(STATE, WORDS);
  v128.store(WORDS, swapBytes(v128.load(header, 64)), 0);
  v128.store(WORDS, v128.load(PADDING, 0), 16);
  v128.store(WORDS, v128.load(PADDING, 16), 32);
  v128.store(WORDS, v128.load(PADDING, 32), 48);
  one.compress(STATE, WORDS);
  one.compressDigest(WORDS, STATE);
  const out = HASHES + (<usize>i << 5);
  v128.store(out, swapBytes(v128.load(WORDS, 0)), 0);
  v128.store(out, swapBytes(v128.load(WORDS, 16)), 16);
}

function hashFour(i: i32, count: i32): void {
  const a = headerAt(i);
  const b = headerAt(i + 1);
  const c = headerAt(i + 2);
  const d = headerAt(i + 3);
  splatWords(LANE_STATE, INITIAL, 8);
  for (let k: usize = 0; k < 64; k += 16) gather(LANE_WORDS + (k << 2), a + k, b + k, c + k, d + k);
  four.compress(LANE_STATE, LANE_WORDS);
  gather(LANE_WORDS, a + 64, b + 64, c + 64, d + 64);
  splatWords(LANE_WORDS + 64, PADDING, 12);
  four.compress(LANE_STATE, LANE_WORDS);
  four.compressDigest(LANE_WORDS, LANE_STATE);
  const out = HASHES + (<usize>i << 5);
  for (let k: usize = 0; k < 32; k += 16) {
    scatter(
      LANE_WORDS + (k << 2), out + k, laneAt(out + 32 + k, 1, count), laneAt(out + 64 + k, 2, count),
      laneAt(out + 96 + k, 3, count),
    );
  }
}
