/** SIMD-512 (submission to SHA-3, version 1.1) of any whole number of bytes. */
import { FINAL_OFFSETS, OFFSETS, expand, steps } from '../generated/simd512';
import { clear, copyBytes } from './message';

const STATE: usize = memory.data(128, 16);
const BLOCK: usize = memory.data(128, 16);
const WORDS: usize = memory.data(1024, 16);
/** The last block holds nothing but the message's length: its expansion is kept for the next message. */
const LENGTH_BLOCK: usize = memory.data(128, 16);
const LENGTH_WORDS: usize = memory.data(1024, 16);
let lengthOf: i32 = -1;
/** The state before the first block; computed at the first use. */
const INITIAL: usize = memory.data(128, 16);
let ready = false;

/** 'SIMD-512 v1.1' */
const NAME: usize = memory.data<u8>([0x53, 0x49, 0x4d, 0x44, 0x2d, 0x35, 0x31, 0x32, 0x20, 0x76, 0x31, 0x2e, 0x31], 16);

function compress(state: usize, block: usize): void {
  expand(WORDS, block, OFFSETS);
  steps(state, block, WORDS);
}

function begin(): void {
  clear(INITIAL, 128);
  clear(BLOCK, 128);
  copyBytes(BLOCK, NAME, 13);
  compress(INITIAL, BLOCK);
  ready = true;
}

export function simd512(out: usize, input: usize, length: i32): void {
  if (!ready) begin();
  copyBytes(STATE, INITIAL, 128);
  let at = 0;
  for (; at + 128 <= length; at += 128) compress(STATE, input + <usize>at);
  if (at < length) {
    clear(BLOCK, 128);
    copyBytes(BLOCK, input + <usize>at, length - at);
    compress(STATE, BLOCK);
  }
  if (length != lengthOf) {
    store<u64>(LENGTH_BLOCK, <u64>length << 3);
    expand(LENGTH_WORDS, LENGTH_BLOCK, FINAL_OFFSETS);
    lengthOf = length;
  }
  steps(STATE, LENGTH_BLOCK, LENGTH_WORDS);
  copyBytes(out, STATE, 64);
}
