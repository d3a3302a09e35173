/**
 * BLAKE-256 of an 80-byte header (two blocks), with 8 or with 14 rounds, for one header and for up to
 * four in lanes. The digest's bytes are written in the specification's order.
 */
import { gather, scatter, splatWords, swapBytes, wordsOfBlock } from './lanes';
import * as one from '../generated/blake256-scalar';
import * as four from '../generated/blake256-lanes';
import { INITIAL } from '../generated/blake256-tables';

const WORDS: usize = memory.data(16 * 4, 16);
const STATE: usize = memory.data(8 * 4, 16);
const LANE_WORDS: usize = memory.data(16 * 16, 16);
const LANE_STATE: usize = memory.data(8 * 16, 16);

/** Words 4 to 15 of the second block: the padding of 80 bytes (BLAKE §2.1.3). */
const PADDING: usize = memory.data<u32>([0x80000000, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 640], 16);

export function blakeHeader(out: usize, header: usize, rounds: i32): void {
  v128.store(STATE, v128.load(INITIAL, 0), 0);
  v128.store(STATE, v128.load(INITIAL, 16), 16);
  wordsOfBlock(WORDS, header);
  if (rounds == 8) one.compress8(STATE, WORDS, 512);
  else one.compress14(STATE, WORDS, 512);
  v128.store(WORDS, swapBytes(v128.load(header, 64)), 0);
  v128.store(WORDS, v128.load(PADDING, 0), 16);
  v128.store(WORDS, v128.load(PADDING, 16), 32);
  v128.store(WORDS, v128.load(PADDING, 32), 48);
  if (rounds == 8) one.compress8(STATE, WORDS, 640);
  else one.compress14(STATE, WORDS, 640);
  v128.store(out, swapBytes(v128.load(STATE, 0)), 0);
  v128.store(out, swapBytes(v128.load(STATE, 16)), 16);
}

/** Headers a to d → digests at outA to outD. */
export function blakeHeaders(
  outA: usize, outB: usize, outC: usize, outD: usize,
  a: usize, b: usize, c: usize, d: usize, rounds: i32,
): void {
  splatWords(LANE_STATE, INITIAL, 8);
  for (let k: usize = 0; k < 64; k += 16) gather(LANE_WORDS + (k << 2), a + k, b + k, c + k, d + k);
  if (rounds == 8) four.compress8(LANE_STATE, LANE_WORDS, 512);
  else four.compress14(LANE_STATE, LANE_WORDS, 512);
  gather(LANE_WORDS, a + 64, b + 64, c + 64, d + 64);
  splatWords(LANE_WORDS + 64, PADDING, 12);
  if (rounds == 8) four.compress8(LANE_STATE, LANE_WORDS, 640);
  else four.compress14(LANE_STATE, LANE_WORDS, 640);
  for (let k: usize = 0; k < 32; k += 16) {
    scatter(LANE_STATE + (k << 2), outA + k, outB + k, outC + k, outD + k);
  }
}
