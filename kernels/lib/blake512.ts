/** BLAKE-512 (SHA-3 proposal BLAKE, version 1.4, §2.2) of any whole number of bytes. */
import { INITIAL, compress } from '../generated/blake512';
import { clear, copyBytes, lastBlock, swapWords64 } from './message';

const STATE: usize = memory.data(64, 16);
const BLOCK: usize = memory.data(128, 16);
const WORDS: usize = memory.data(128, 16);

export function blake512(out: usize, input: usize, length: i32): void {
  copyBytes(STATE, INITIAL, 64);
  let at = 0;
  for (; at + 128 <= length; at += 128) {
    swapWords64(WORDS, input + <usize>at, 128);
    compress(STATE, WORDS, (<u64>at + 128) << 3);
  }
  const rest = length - at;
  lastBlock(BLOCK, 128, input + <usize>at, rest, 0x80);
  let bits = rest == 0 ? 0 : <u64>length << 3;
  if (rest > 111) {
    swapWords64(WORDS, BLOCK, 128);
    compress(STATE, WORDS, bits);
    clear(BLOCK, 128);
    bits = 0;
  }
  store<u8>(BLOCK, load<u8>(BLOCK, 111) | 1, 111);
  swapWords64(WORDS, BLOCK, 128);
  store<u64>(WORDS, <u64>length << 3, 120);
  compress(STATE, WORDS, bits);
  swapWords64(out, STATE, 64);
}
