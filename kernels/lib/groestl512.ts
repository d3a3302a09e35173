/** Grøstl-512 (submission to SHA-3, final round, §3) of any whole number of bytes. */
import { permuteP, permuteQ } from '../generated/groestl512';
import { clear, lastBlock } from './message';

/** States as rows of 16 bytes; byte n of the message stands in row n mod 8 and column n / 8. */
const STATE: usize = memory.data(128, 16);
const ROWS: usize = memory.data(128, 16);
const MIXED: usize = memory.data(128, 16);
const P: usize = memory.data(128, 16);
const Q: usize = memory.data(128, 16);
const BLOCK: usize = memory.data(128, 16);

/** What the permutations leave to be added. */
const LEFT_OVER: i32 = 0xa5;

/** Halves of bytes side by side: a0 b0 a1 b1 … */
// @ts-ignore: decorator
@inline
function zipLow(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-ignore: decorator
@inline
function zipHigh(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** Two columns each of `a` and `b` → every row's part side by side: 8 rows of 2 bytes, from 8 of 1. */
function toRows(rows: usize, block: usize): void {
  for (let i: usize = 0; i < 64; i += 16) {
    const a = v128.load(block + 2 * i);
    const b = v128.load(block + 2 * i, 16);
    const low = zipLow(a, b);
    const high = zipHigh(a, b);
    v128.store(MIXED + i, zipLow(low, high));
    v128.store(MIXED + i + 64, zipHigh(low, high));
  }
  for (let half: usize = 0; half < 128; half += 64) {
    const a = v128.load(MIXED + half);
    const b = v128.load(MIXED + half, 16);
    const c = v128.load(MIXED + half, 32);
    const d = v128.load(MIXED + half, 48);
    const ab0 = i32x4.shuffle(a, b, 0, 4, 1, 5);
    const ab1 = i32x4.shuffle(a, b, 2, 6, 3, 7);
    const cd0 = i32x4.shuffle(c, d, 0, 4, 1, 5);
    const cd1 = i32x4.shuffle(c, d, 2, 6, 3, 7);
    v128.store(rows + half, i64x2.shuffle(ab0, cd0, 0, 2));
    v128.store(rows + half, i64x2.shuffle(ab0, cd0, 1, 3), 16);
    v128.store(rows + half, i64x2.shuffle(ab1, cd1, 0, 2), 32);
    v128.store(rows + half, i64x2.shuffle(ab1, cd1, 1, 3), 48);
  }
}

/** §3.2: chaining value ^ P(chaining value ^ message) ^ Q(message). */
function compress(block: usize): void {
  toRows(ROWS, block);
  permuteQ(Q, ROWS);
  for (let i: usize = 0; i < 128; i += 16) {
    v128.store(ROWS + i, v128.xor(v128.load(ROWS + i), v128.load(STATE + i)));
  }
  permuteP(P, ROWS);
  for (let i: usize = 0; i < 128; i += 16) {
    const mixed = v128.xor(v128.load(P + i), v128.load(Q + i));
    v128.store(STATE + i, v128.xor(v128.load(STATE + i), mixed));
  }
}

/** §3.3: the second half of P(x) ^ x, column by column. */
function finish(out: usize): void {
  permuteP(P, STATE);
  const left = i8x16.splat(<i8>LEFT_OVER);
  for (let i: usize = 0; i < 128; i += 16) {
    v128.store(P + i, v128.xor(v128.xor(v128.load(P + i), v128.load(STATE + i)), left));
  }
  const ab = zipHigh(v128.load(P, 0), v128.load(P, 16));
  const cd = zipHigh(v128.load(P, 32), v128.load(P, 48));
  const ef = zipHigh(v128.load(P, 64), v128.load(P, 80));
  const gh = zipHigh(v128.load(P, 96), v128.load(P, 112));
  const abcd0 = i16x8.shuffle(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11);
  const abcd1 = i16x8.shuffle(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15);
  const efgh0 = i16x8.shuffle(ef, gh, 0, 8, 1, 9, 2, 10, 3, 11);
  const efgh1 = i16x8.shuffle(ef, gh, 4, 12, 5, 13, 6, 14, 7, 15);
  v128.store(out, i32x4.shuffle(abcd0, efgh0, 0, 4, 1, 5));
  v128.store(out, i32x4.shuffle(abcd0, efgh0, 2, 6, 3, 7), 16);
  v128.store(out, i32x4.shuffle(abcd1, efgh1, 0, 4, 1, 5), 32);
  v128.store(out, i32x4.shuffle(abcd1, efgh1, 2, 6, 3, 7), 48);
}

export function groestl512(out: usize, input: usize, length: i32): void {
  clear(STATE, 128);
  // The length of the digest, 512, big-endian in the last column.
  store<u8>(STATE, 2, 6 * 16 + 15);
  let at = 0;
  for (; at + 128 <= length; at += 128) compress(input + <usize>at);
  const rest = length - at;
  lastBlock(BLOCK, 128, input + <usize>at, rest, 0x80);
  if (rest > 119) {
    compress(BLOCK);
    clear(BLOCK, 128);
  }
  const blocks = (<u64>length + 8) / 128 + 1;
  store<u64>(BLOCK, bswap<u64>(blocks), 120);
  compress(BLOCK);
  finish(out);
}
