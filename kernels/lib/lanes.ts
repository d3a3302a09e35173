/**
 * Moves between bytes and lanes. Four hashes at once stand word by word: word i of hashes 0 to 3 in the
 * 16 bytes at i * 16, as the big-endian reading of their bytes.
 */

// @ts-ignore: decorator
@inline
export function swapBytes(x: v128): v128 {
  return i8x16.shuffle(x, x, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

// @ts-ignore: decorator
@inline
function storeTransposed(
  a: v128, b: v128, c: v128, d: v128,
  pa: usize, pb: usize, pc: usize, pd: usize,
): void {
  const ab0 = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const ab1 = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cd0 = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const cd1 = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(pa, i64x2.shuffle(ab0, cd0, 0, 2));
  v128.store(pb, i64x2.shuffle(ab0, cd0, 1, 3));
  v128.store(pc, i64x2.shuffle(ab1, cd1, 0, 2));
  v128.store(pd, i64x2.shuffle(ab1, cd1, 1, 3));
}

/** 16 bytes of each of four messages → four words in lanes at `words`. */
export function gather(words: usize, a: usize, b: usize, c: usize, d: usize): void {
  storeTransposed(
    swapBytes(v128.load(a)), swapBytes(v128.load(b)), swapBytes(v128.load(c)), swapBytes(v128.load(d)),
    words, words + 16, words + 32, words + 48,
  );
}

/** Four words in lanes → 16 bytes of each of four messages. */
export function scatter(words: usize, a: usize, b: usize, c: usize, d: usize): void {
  storeTransposed(
    swapBytes(v128.load(words, 0)), swapBytes(v128.load(words, 16)),
    swapBytes(v128.load(words, 32)), swapBytes(v128.load(words, 48)),
    a, b, c, d,
  );
}

/** Four words in lanes → the same words in memory order, not swapped, for each of four messages. */
export function scatterWords(words: usize, a: usize, b: usize, c: usize, d: usize): void {
  storeTransposed(
    v128.load(words, 0), v128.load(words, 16), v128.load(words, 32), v128.load(words, 48),
    a, b, c, d,
  );
}

/** Where results of unused lanes go: 16 bytes at a time. */
const SINK: usize = memory.data(256, 16);

/** Address of lane `lane`'s result: the given one, or the sink where the lane is not in use. */
// @ts-ignore: decorator
@inline
export function laneAt(address: usize, lane: i32, count: i32): usize {
  return lane < count ? address : SINK;
}

/** Splats `count` plain words into lanes. */
export function splatWords(to: usize, from: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    v128.store(to + (<usize>i << 4), v128.load32_splat(from + (<usize>i << 2)));
  }
}

/** 64 bytes → 16 words, for the scalar functions. */
// @ts-ignore: decorator
@inline
export function wordsOfBlock(words: usize, bytes: usize): void {
  v128.store(words, swapBytes(v128.load(bytes, 0)), 0);
  v128.store(words, swapBytes(v128.load(bytes, 16)), 16);
  v128.store(words, swapBytes(v128.load(bytes, 32)), 32);
  v128.store(words, swapBytes(v128.load(bytes, 48)), 48);
}
