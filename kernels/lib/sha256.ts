/** SHA-256 (FIPS 180-4) of any whole number of bytes. */
import { compress } from '../generated/sha256-scalar';
import { INITIAL } from '../generated/sha256-tables';
import { swapBytes, wordsOfBlock } from './lanes';
import { clear, copyBytes, lastBlock } from './message';

const STATE: usize = memory.data(32, 16);
const BLOCK: usize = memory.data(64, 16);
const WORDS: usize = memory.data(64, 16);

function take(block: usize): void {
  wordsOfBlock(WORDS, block);
  compress(STATE, WORDS);
}

export function sha256(out: usize, input: usize, length: i32): void {
  copyBytes(STATE, INITIAL, 32);
  let at = 0;
  for (; at + 64 <= length; at += 64) take(input + <usize>at);
  const rest = length - at;
  lastBlock(BLOCK, 64, input + <usize>at, rest, 0x80);
  if (rest > 55) {
    take(BLOCK);
    clear(BLOCK, 64);
  }
  store<u64>(BLOCK, bswap<u64>(<u64>length << 3), 56);
  take(BLOCK);
  v128.store(out, swapBytes(v128.load(STATE, 0)), 0);
  v128.store(out, swapBytes(v128.load(STATE, 16)), 16);
}
