/**
 * CubeHash16/32 as submitted to SHA-3 (160 rounds at the start and at the end), of any whole number of
 * bytes: 512-bit and 256-bit digests.
 */
import { rounds } from '../generated/cubehash';
import { clear, copyBytes, lastBlock } from './message';

const STATE: usize = memory.data(128, 16);
const BLOCK: usize = memory.data(32, 16);
/** The states before the first block; computed at the first use. */
const INITIAL_512: usize = memory.data(128, 16);
const INITIAL_256: usize = memory.data(128, 16);
let ready = false;

/** §2.2: bytes of the digest, bytes of a block, rounds a block, zeros; then ten times the rounds. */
function begin(state: usize, digestBytes: u32): void {
  clear(state, 128);
  store<u32>(state, digestBytes);
  store<u32>(state, 32, 4);
  store<u32>(state, 16, 8);
  rounds(state, 160);
}

// @ts-ignore: decorator
@inline
function absorb(block: usize): void {
  v128.store(STATE, v128.xor(v128.load(STATE), v128.load(block)));
  v128.store(STATE, v128.xor(v128.load(STATE, 16), v128.load(block, 16)), 16);
  rounds(STATE, 16);
}

function cubehash(initial: usize, input: usize, length: i32): void {
  if (!ready) {
    begin(INITIAL_512, 64);
    begin(INITIAL_256, 32);
    ready = true;
  }
  copyBytes(STATE, initial, 128);
  let at = 0;
  for (; at + 32 <= length; at += 32) absorb(input + <usize>at);
  lastBlock(BLOCK, 32, input + <usize>at, length - at, 0x80);
  absorb(BLOCK);
  store<u32>(STATE, load<u32>(STATE, 124) ^ 1, 124);
  rounds(STATE, 160);
}

export function cubehash512(out: usize, input: usize, length: i32): void {
  cubehash(INITIAL_512, input, length);
  copyBytes(out, STATE, 64);
}

export function cubehash256(out: usize, input: usize, length: i32): void {
  cubehash(INITIAL_256, input, length);
  copyBytes(out, STATE, 32);
}
