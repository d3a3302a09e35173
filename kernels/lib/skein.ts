/**
 * Skein-512 (The Skein Hash Function Family, version 1.3, §3.5) of any whole number of bytes, with
 * digests of 512 bits (Skein-512-512) and of 256 bits (Skein-512-256).
 */
import { block } from '../generated/skein';
import { clear, copyBytes } from './message';

const STATE: usize = memory.data(64, 16);
const BLOCK: usize = memory.data(64, 16);
/** The states after the configuration block; computed at the first use. */
const INITIAL_512: usize = memory.data(64, 16);
const INITIAL_256: usize = memory.data(64, 16);
let ready = false;

/** Tweaks, §3.5.1: first and final block, and the types configuration, message and output. */
const FIRST: u64 = 1 << 62;
const FINAL: u64 = 1 << 63;
const CONFIGURATION: u64 = 4 << 56;
const MESSAGE: u64 = 48 << 56;
const OUTPUT: u64 = 63 << 56;

/** §3.5.2: schema identifier 'SHA3', version 1, the digest's length in bits, no tree. */
function configure(state: usize, bits: u64): void {
  clear(state, 64);
  clear(BLOCK, 64);
  store<u64>(BLOCK, 0x0000000133414853);
  store<u64>(BLOCK, bits, 8);
  block(state, BLOCK, 32, FIRST | FINAL | CONFIGURATION);
}

function skein(initial: usize, input: usize, length: i32): void {
  if (!ready) {
    configure(INITIAL_512, 512);
    configure(INITIAL_256, 256);
    ready = true;
  }
  copyBytes(STATE, initial, 64);
  let at = 0;
  let flags = FIRST | MESSAGE;
  for (; at + 64 < length; at += 64) {
    block(STATE, input + <usize>at, <u64>at + 64, flags);
    flags = MESSAGE;
  }
  clear(BLOCK, 64);
  copyBytes(BLOCK, input + <usize>at, length - at);
  block(STATE, BLOCK, <u64>length, flags | FINAL);
  clear(BLOCK, 64);
  block(STATE, BLOCK, 8, FIRST | FINAL | OUTPUT);
}

export function skein512(out: usize, input: usize, length: i32): void {
  skein(INITIAL_512, input, length);
  copyBytes(out, STATE, 64);
}

export function skein256(out: usize, input: usize, length: i32): void {
  skein(INITIAL_256, input, length);
  copyBytes(out, STATE, 32);
}
