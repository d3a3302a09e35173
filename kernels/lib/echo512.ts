/** ECHO-512 (submission to SHA-3, second round) of any whole number of bytes. */
import { enter, leave, rounds, setKeys } from '../generated/echo512';
import { clear, lastBlock } from './message';

const STATE: usize = memory.data(128, 16);
const BLOCK: usize = memory.data(128, 16);
const WORDS: usize = memory.data(256, 16);
const SPARE: usize = memory.data(256, 16);
const KEYS: usize = memory.data(160 * 16, 16);

/** The counter that KEYS belong to: messages of the same length have the same keys. */
let keysFor: u64 = -1;

/** `bits`: of the message so far, without padding; 0 for a block that holds none of it. */
function compress(block: usize, bits: u64): void {
  if (bits != keysFor) {
    setKeys(KEYS, bits);
    keysFor = bits;
  }
  for (let i: usize = 0; i < 128; i += 16) {
    enter(WORDS + i, STATE + i);
    enter(WORDS + 128 + i, block + i);
  }
  rounds(WORDS, SPARE, KEYS);
  for (let i: usize = 0; i < 128; i += 16) {
    const added = v128.xor(v128.load(STATE + i), v128.load(block + i));
    const mixed = leave(v128.xor(v128.load(WORDS + i), v128.load(WORDS + 128 + i)));
    v128.store(STATE + i, v128.xor(added, mixed));
  }
}

export function echo512(out: usize, input: usize, length: i32): void {
  // The length of the digest in every word of the chaining variable.
  for (let i: usize = 0; i < 128; i += 16) v128.store(STATE + i, i64x2(512, 0));
  let at = 0;
  for (; at + 128 <= length; at += 128) compress(input + <usize>at, (<u64>at + 128) << 3);
  const rest = length - at;
  lastBlock(BLOCK, 128, input + <usize>at, rest, 0x80);
  let bits = rest == 0 ? 0 : <u64>length << 3;
  if (rest > 109) {
    compress(BLOCK, bits);
    clear(BLOCK, 128);
    bits = 0;
  }
  store<u16>(BLOCK, 512, 110);
  store<u64>(BLOCK, <u64>length << 3, 112);
  compress(BLOCK, bits);
  for (let i: usize = 0; i < 64; i += 16) v128.store(out + i, v128.load(STATE + i));
}
