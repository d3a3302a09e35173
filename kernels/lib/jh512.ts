/** JH-512 (submission to SHA-3, final round, 42 rounds) of any whole number of bytes. */
import { permute } from '../generated/jh512';
import { clear, copyBytes, lastBlock } from './message';

const STATE: usize = memory.data(128, 16);
const BLOCK: usize = memory.data(64, 16);
/** The state before the first block; computed at the first use. */
const INITIAL: usize = memory.data(128, 16);
let ready = false;

/** F8: the message enters the first half of the state before E8 and the second half after it. */
function absorb(state: usize, block: usize): void {
  for (let i: usize = 0; i < 64; i += 16) {
    v128.store(state + i, v128.xor(v128.load(state + i), v128.load(block + i)));
  }
  permute(state);
  for (let i: usize = 0; i < 64; i += 16) {
    v128.store(state + i, v128.xor(v128.load(state + i, 64), v128.load(block + i)), 64);
  }
}

/** The length of the digest, 512, big-endian in the first two bytes; then a block of zeros. */
function begin(): void {
  clear(INITIAL, 128);
  clear(BLOCK, 64);
  store<u8>(INITIAL, 2);
  absorb(INITIAL, BLOCK);
  ready = true;
}

export function jh512(out: usize, input: usize, length: i32): void {
  if (!ready) begin();
  copyBytes(STATE, INITIAL, 128);
  let at = 0;
  for (; at + 64 <= length; at += 64) absorb(STATE, input + <usize>at);
  lastBlock(BLOCK, 64, input + <usize>at, length - at, 0x80);
  // At least 512 bits are added: a message that ends within a block is followed by one of padding alone.
  if (at < length) {
    absorb(STATE, BLOCK);
    clear(BLOCK, 64);
  }
  store<u64>(BLOCK, bswap<u64>(<u64>length << 3), 56);
  absorb(STATE, BLOCK);
  copyBytes(out, STATE + 64, 64);
}
