/**
 * Copies and clears of messages and blocks, without the bulk instructions (slow calls at these sizes).
 * Every hash function of this folder has the form `name(out, input, length)`: `length` bytes at `input`
 * → the digest at `out`, which may overlap the input.
 */

// @ts-ignore: decorator
@inline
export function copyBytes(to: usize, from: usize, bytes: i32): void {
  let i: usize = 0;
  for (const end = <usize>bytes & ~15; i < end; i += 16) v128.store(to + i, v128.load(from + i));
  for (; i < <usize>bytes; i++) store<u8>(to + i, load<u8>(from + i));
}

/** `bytes` is a multiple of 16. */
// @ts-ignore: decorator
@inline
export function clear(at: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) v128.store(at + i, i32x4.splat(0));
}

/** The last bytes of a message into an empty block, and behind them the byte that starts the padding. */
// @ts-ignore: decorator
@inline
export function lastBlock(block: usize, blockBytes: usize, from: usize, bytes: i32, padding: u8): void {
  clear(block, blockBytes);
  copyBytes(block, from, bytes);
  store<u8>(block + <usize>bytes, padding);
}

/** Reverses the bytes of each 64-bit word; 16 bytes at a time. */
// @ts-ignore: decorator
@inline
export function swapWords64(to: usize, from: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(from + i);
    v128.store(to + i, i8x16.shuffle(x, x, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8));
  }
}
