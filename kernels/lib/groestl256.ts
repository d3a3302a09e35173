/** Grøstl-256 (submission to SHA-3, final round, §3) of any whole number of bytes. */
import { permute } from '../generated/groestl256';
import { clear, lastBlock } from './message';

/** Chaining value and message block, two rows a vector: rows 0 and 1, 2 and 3, 4 and 5, 6 and 7. */
const STATE: usize = memory.data(64, 16);
const MESSAGE: usize = memory.data(64, 16);
/** What is permuted: rows of P and of Q side by side. */
const ROWS: usize = memory.data(128, 16);
const BLOCK: usize = memory.data(64, 16);

/** What the permutations leave to be added; it cancels where both are added. */
const LEFT_OVER: i32 = 0xa5;

/** 8 columns of 8 bytes → 8 rows of 8 bytes, or back. */
function transpose(to: usize, from: usize): void {
  const a = v128.load(from, 0);
  const b = v128.load(from, 16);
  const c = v128.load(from, 32);
  const d = v128.load(from, 48);
  const ab0 = i8x16.shuffle(a, b, 0, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27);
  const ab1 = i8x16.shuffle(a, b, 4, 12, 20, 28, 5, 13, 21, 29, 6, 14, 22, 30, 7, 15, 23, 31);
  const cd0 = i8x16.shuffle(c, d, 0, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27);
  const cd1 = i8x16.shuffle(c, d, 4, 12, 20, 28, 5, 13, 21, 29, 6, 14, 22, 30, 7, 15, 23, 31);
  v128.store(to, i32x4.shuffle(ab0, cd0, 0, 4, 1, 5), 0);
  v128.store(to, i32x4.shuffle(ab0, cd0, 2, 6, 3, 7), 16);
  v128.store(to, i32x4.shuffle(ab1, cd1, 0, 4, 1, 5), 32);
  v128.store(to, i32x4.shuffle(ab1, cd1, 2, 6, 3, 7), 48);
}

/** ROWS = P(p) beside Q(q). */
function permuteBoth(p: usize, q: usize): void {
  for (let i: usize = 0; i < 64; i += 16) {
    const a = v128.load(p + i);
    const b = v128.load(q + i);
    v128.store(ROWS + 2 * i, i64x2.shuffle(a, b, 0, 2));
    v128.store(ROWS + 2 * i, i64x2.shuffle(a, b, 1, 3), 16);
  }
  permute(ROWS);
}

/** Two rows of P, or of Q. */
// @ts-ignore: decorator
@inline
function rowsOfP(i: usize): v128 {
  return i64x2.shuffle(v128.load(ROWS + 2 * i), v128.load(ROWS + 2 * i, 16), 0, 2);
}

// @ts-ignore: decorator
@inline
function rowsOfQ(i: usize): v128 {
  return i64x2.shuffle(v128.load(ROWS + 2 * i), v128.load(ROWS + 2 * i, 16), 1, 3);
}

/** §3.2: chaining value ^ P(chaining value ^ message) ^ Q(message). */
function compress(block: usize): void {
  transpose(MESSAGE, block);
  for (let i: usize = 0; i < 64; i += 16) {
    v128.store(BLOCK + i, v128.xor(v128.load(STATE + i), v128.load(MESSAGE + i)));
  }
  permuteBoth(BLOCK, MESSAGE);
  for (let i: usize = 0; i < 64; i += 16) {
    const mixed = v128.xor(rowsOfP(i), rowsOfQ(i));
    v128.store(STATE + i, v128.xor(v128.load(STATE + i), mixed));
  }
}

/** §3.3: the second half of P(x) ^ x. */
function finish(out: usize): void {
  permuteBoth(STATE, STATE);
  const left = i8x16.splat(<i8>LEFT_OVER);
  for (let i: usize = 0; i < 64; i += 16) {
    v128.store(STATE + i, v128.xor(v128.load(STATE + i), v128.xor(rowsOfP(i), left)));
  }
  transpose(BLOCK, STATE);
  v128.store(out, v128.load(BLOCK, 32), 0);
  v128.store(out, v128.load(BLOCK, 48), 16);
}

export function groestl256(out: usize, input: usize, length: i32): void {
  clear(STATE, 64);
  // The length of the digest, 256, big-endian in the last column: row 6, column 7.
  store<u8>(STATE, 1, 6 * 8 + 7);
  let at = 0;
  for (; at + 64 <= length; at += 64) compress(input + <usize>at);
  const rest = length - at;
  lastBlock(BLOCK, 64, input + <usize>at, rest, 0x80);
  if (rest > 55) {
    compress(BLOCK);
    lastBlock(BLOCK, 64, input, 0, 0);
  }
  store<u64>(BLOCK, bswap<u64>((<u64>length + 8) / 64 + 1), 56);
  compress(BLOCK);
  finish(out);
}
