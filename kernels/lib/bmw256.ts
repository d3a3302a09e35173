/** Blue Midnight Wish with 256-bit digest (second-round submission to SHA-3, §2) of any whole number of bytes. */
import { compress } from '../generated/bmw256';
import { copyBytes, lastBlock } from './message';

const STATE: usize = memory.data(64, 16);
const BLOCK: usize = memory.data(64, 16);
const FINAL: usize = memory.data(64, 16);

/** The initial state: the bytes 0x40 to 0x7f, read as big-endian words; the last one: 0xaaaaaaa0 to 0xaaaaaaaf. */
function begin(): void {
  for (let i: u32 = 0; i < 16; i++) {
    const at = <usize>i << 2;
    store<u32>(STATE + at, 0x40414243 + 0x04040404 * i);
    store<u32>(FINAL + at, 0xaaaaaaa0 + i);
  }
}

export function bmw256(out: usize, input: usize, length: i32): void {
  begin();
  let at = 0;
  for (; at + 64 <= length; at += 64) compress(STATE, STATE, input + <usize>at);
  const rest = length - at;
  lastBlock(BLOCK, 64, input + <usize>at, rest, 0x80);
  if (rest > 55) {
    compress(STATE, STATE, BLOCK);
    lastBlock(BLOCK, 64, input, 0, 0);
  }
  store<u64>(BLOCK, <u64>length << 3, 56);
  compress(STATE, STATE, BLOCK);
  compress(STATE, FINAL, STATE);
  copyBytes(out, STATE + 32, 32);
}
