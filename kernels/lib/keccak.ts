/**
 * Keccak as it was proposed for SHA-3 (padding starts with 0x01, FIPS 202 later with 0x06), of any
 * whole number of bytes: 512-bit and 256-bit digests.
 */
import { permute } from '../generated/keccak';
import { clear, copyBytes, lastBlock } from './message';

const STATE: usize = memory.data(208, 16);
const BLOCK: usize = memory.data(144, 16);

// @ts-ignore: decorator
@inline
function absorb(block: usize, rate: usize): void {
  for (let i: usize = 0; i < rate; i += 8) {
    store<u64>(STATE + i, load<u64>(STATE + i) ^ load<u64>(block + i));
  }
  permute(STATE);
}

function keccak(input: usize, length: i32, rate: i32): void {
  clear(STATE, 208);
  let at = 0;
  for (; at + rate <= length; at += rate) absorb(input + <usize>at, rate);
  lastBlock(BLOCK, 144, input + <usize>at, length - at, 0x01);
  const last = BLOCK + <usize>rate - 1;
  store<u8>(last, load<u8>(last) | 0x80);
  absorb(BLOCK, rate);
}

export function keccak512(out: usize, input: usize, length: i32): void {
  keccak(input, length, 72);
  copyBytes(out, STATE, 64);
}

export function keccak256(out: usize, input: usize, length: i32): void {
  keccak(input, length, 136);
  copyBytes(out, STATE, 32);
}
