/** Blue Midnight Wish with 512-bit digest (second-round submission to SHA-3, §2) of any whole number of bytes. */
import { compress } from '../generated/bmw512';
import { clear, copyBytes, lastBlock } from './message';

const STATE: usize = memory.data(128, 16);
const BLOCK: usize = memory.data(128, 16);
const FINAL: usize = memory.data(128, 16);

/** The initial state: the bytes 0x80 to 0xff, read as big-endian words; the last one: 0xaa…a0 to 0xaa…af. */
function begin(): void {
  for (let i: u64 = 0; i < 16; i++) {
    const at = <usize>i << 3;
    store<u64>(STATE + at, 0x8081828384858687 + 0x0808080808080808 * i);
    store<u64>(FINAL + at, 0xaaaaaaaaaaaaaaa0 + i);
  }
}

export function bmw512(out: usize, input: usize, length: i32): void {
  begin();
  let at = 0;
  for (; at + 128 <= length; at += 128) compress(STATE, STATE, input + <usize>at);
  const rest = length - at;
  lastBlock(BLOCK, 128, input + <usize>at, rest, 0x80);
  if (rest > 119) {
    compress(STATE, STATE, BLOCK);
    clear(BLOCK, 128);
  }
  store<u64>(BLOCK, <u64>length << 3, 120);
  compress(STATE, STATE, BLOCK);
  compress(STATE, FINAL, STATE);
  copyBytes(out, STATE + 64, 64);
}
