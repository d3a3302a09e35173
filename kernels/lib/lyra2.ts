/**
 * Lyra2 (reference guide v2) of a 32-byte input as password and salt, one pass, 32 bytes of output, on
 * a square matrix of 8 (Lyra2RE) or 4 (Lyra2REv2) rows and columns. In Lyra2RE the second block that is
 * absorbed is all zeros: its authors' code steps 64 words instead of 64 bytes and so reads past the
 * parameters. In Lyra2REv2 it holds them, as specified.
 */
import { duplexFirst, duplexSetup, duplexWander, permute, squeezeRow } from '../generated/lyra2';
import { copyBytes } from './message';

const BLOCK: usize = 96;
const STATE: usize = memory.data(128, 16);
const MATRIX: usize = memory.data(8 * 8 * 96, 16);

/** BLAKE2b's initial values (RFC 7693 §2.6): the state's upper half. */
const INITIAL: usize = memory.data<u64>([
  0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
  0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
], 16);

/** Lengths of key, password and salt, time cost, rows and columns; then the padding. */
const PARAMETERS: usize = memory.data<u64>([32, 32, 32, 1, 4, 4, 0x80, 0x0100000000000000], 16);

function absorb(block: usize, bytes: usize): void {
  for (let k: usize = 0; k < bytes; k += 16) {
    v128.store(STATE + k, v128.xor(v128.load(STATE + k), v128.load(block + k)));
  }
  permute(STATE);
}

function absorbInput(input: usize, size: i32): void {
  copyBytes(STATE, input, 32);
  copyBytes(STATE + 32, input, 32);
  copyBytes(STATE + 64, INITIAL, 64);
  permute(STATE);
  if (size == 4) absorb(PARAMETERS, 64);
  else permute(STATE);
}

/** Fills the matrix. Row* goes through windows that double in width, at a step of about half of them. */
function setup(size: i32): void {
  const rowBytes = <usize>size * BLOCK;
  squeezeRow(STATE, MATRIX, size);
  duplexFirst(STATE, MATRIX, MATRIX + rowBytes, size);
  let step = 1;
  let window = 2;
  let gap = 1;
  let other = 0;
  let prev = MATRIX + rowBytes;
  for (let row = 2; row < size; row++) {
    duplexSetup(STATE, prev, MATRIX + <usize>other * rowBytes, prev + rowBytes, size);
    prev += rowBytes;
    other = (other + step) & (window - 1);
    if (other != 0) continue;
    step = window + gap;
    window <<= 1;
    gap = -gap;
  }
}

/** Goes through all rows once; row* is as the state says. Returns the last row*. */
function wander(size: i32): usize {
  const rowBytes = <usize>size * BLOCK;
  let prev = MATRIX + <usize>(size - 1) * rowBytes;
  let other = MATRIX;
  let index = 0;
  do {
    const row = MATRIX + <usize>index * rowBytes;
    other = MATRIX + <usize>(load<u32>(STATE) & (size - 1)) * rowBytes;
    duplexWander(STATE, prev, other, row, size);
    prev = row;
    index = (index + (size >> 1) - 1) & (size - 1);
  } while (index != 0);
  return other;
}

export function lyra2(out: usize, input: usize, size: i32): void {
  absorbInput(input, size);
  setup(size);
  absorb(wander(size), BLOCK);
  copyBytes(out, STATE, 32);
}
