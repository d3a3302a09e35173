/**
 * scrypt (RFC 7914) with r = 1, p = 1, the header as password and salt, and 32 bytes of output; N is
 * the parameter. PBKDF2 (RFC 8018 §5.2 with one iteration, HMAC-SHA-256) runs in lanes for up to four
 * headers; between its two halves ROMix takes one, two, three or four of them at a time.
 */
import { HASHES, headerAt } from './lib/layout';
import { gather, laneAt, scatter, splatWords, swapBytes } from './lib/lanes';
import { compress } from './generated/sha256-lanes';
import { INITIAL } from './generated/sha256-tables';
import { romix1, romix2, romix3, romix4 } from './generated/romix';

const MAX_N: i32 = 1 << 15;

/** Vectors of four words in lanes. */
const HEADER: usize = memory.data(20 * 16, 16);
const WORDS: usize = memory.data(16 * 16, 16);
const INNER: usize = memory.data(8 * 16, 16);
const INNER_SALTED: usize = memory.data(8 * 16, 16);
const OUTER: usize = memory.data(8 * 16, 16);
const DIGEST: usize = memory.data(8 * 16, 16);
/** The 128 bytes of each hash that ROMix works on, in lanes; and hash by hash, in diagonals. */
const X: usize = memory.data(32 * 16, 16);
const DIAGONALS: usize = memory.data(3 * 128, 16);

let n: u32 = 0;
let v: usize = 0;

export function prepare(headerBytes: i32, parameter: i32, scratch: usize): i32 {
  if (headerBytes != 80 || parameter < 2 || parameter > MAX_N || popcnt(parameter) != 1) return -1;
  n = parameter;
  v = scratch;
  return parameter * 128 * 4;
}

export function hash(from: i32, to: i32): void {
  for (let i = from; i < to; i += 4) hashSome(i, min(4, to - i));
}

function hashSome(i: i32, count: i32): void {
  const a = headerAt(i);
  const b = headerAt(i + 1);
  const c = headerAt(i + 2);
  const d = headerAt(i + 3);
  for (let k: usize = 0; k < 80; k += 16) gather(HEADER + (k << 2), a + k, b + k, c + k, d + k);
  keyed();
  firstHalf();
  mix(count);
  secondHalf();
  const out = HASHES + (<usize>i << 5);
  for (let k: usize = 0; k < 32; k += 16) {
    scatter(
      DIGEST + (k << 2), out + k, laneAt(out + 32 + k, 1, count), laneAt(out + 64 + k, 2, count),
      laneAt(out + 96 + k, 3, count),
    );
  }
}

function copyVectors(to: usize, from: usize, count: usize): void {
  for (let k: usize = 0; k < count << 4; k += 16) v128.store(to + k, v128.load(from + k));
}

/** Ends the message in WORDS after `used` words: padding, and its length in bits. */
function pad(used: i32, bits: u32): void {
  v128.store(WORDS + (<usize>used << 4), i32x4.splat(0x80000000));
  for (let i = used + 1; i < 15; i++) v128.store(WORDS + (<usize>i << 4), i32x4.splat(0));
  v128.store(WORDS, i32x4.splat(bits), 15 * 16);
}

/** INNER and OUTER: the states of HMAC after its key blocks. A password over 64 bytes is hashed first. */
function keyed(): void {
  splatWords(DIGEST, INITIAL, 8);
  compress(DIGEST, HEADER);
  copyVectors(WORDS, HEADER + 256, 4);
  pad(4, 80 * 8);
  compress(DIGEST, WORDS);
  keyState(INNER, 0x36363636);
  keyState(OUTER, 0x5c5c5c5c);
}

function keyState(state: usize, padding: u32): void {
  const mask = i32x4.splat(padding);
  for (let k: usize = 0; k < 128; k += 16) {
    v128.store(WORDS + k, v128.xor(v128.load(DIGEST + k), mask));
    v128.store(WORDS + 128 + k, mask);
  }
  splatWords(state, INITIAL, 8);
  compress(state, WORDS);
}

/** DIGEST, the inner digest → the HMAC. */
function outer(): void {
  copyVectors(WORDS, DIGEST, 8);
  pad(8, (64 + 32) * 8);
  copyVectors(DIGEST, OUTER, 8);
  compress(DIGEST, WORDS);
}

/** X = PBKDF2(header, header, 1, 128), its words as little-endian. */
function firstHalf(): void {
  copyVectors(INNER_SALTED, INNER, 8);
  compress(INNER_SALTED, HEADER);
  for (let block = 0; block < 4; block++) {
    copyVectors(WORDS, HEADER + 256, 4);
    v128.store(WORDS, i32x4.splat(block + 1), 64);
    pad(5, (64 + 84) * 8);
    copyVectors(DIGEST, INNER_SALTED, 8);
    compress(DIGEST, WORDS);
    outer();
    for (let k: usize = 0; k < 128; k += 16) {
      v128.store(X + (<usize>block << 7) + k, swapBytes(v128.load(DIGEST + k)));
    }
  }
}

/** DIGEST = PBKDF2(header, X, 1, 32). */
function secondHalf(): void {
  copyVectors(DIGEST, INNER, 8);
  for (let k: usize = 0; k < 512; k += 256) {
    for (let i: usize = 0; i < 256; i += 16) {
      v128.store(WORDS + i, swapBytes(v128.load(X + k + i)));
    }
    compress(DIGEST, WORDS);
  }
  v128.store(WORDS, i32x4.splat(1));
  pad(1, (64 + 128 + 4) * 8);
  compress(DIGEST, WORDS);
  outer();
}

function mix(count: i32): void {
  if (count == 4) {
    romix4(X, v, n);
    return;
  }
  for (let hash = 0; hash < count; hash++) toDiagonals(hash);
  if (count == 1) romix1(DIAGONALS, v, n);
  else if (count == 2) romix2(DIAGONALS, v, n);
  else romix3(DIAGONALS, v, n);
  for (let hash = 0; hash < count; hash++) fromDiagonals(hash);
}

/** Place of word `i` of a 64-byte block among the diagonals: word 5 p mod 16 stands at p. */
// @ts-ignore: decorator
@inline
function diagonal(i: i32): usize {
  return <usize>((i & 16) | ((i * 13) & 15)) << 2;
}

function toDiagonals(hash: i32): void {
  for (let i = 0; i < 32; i++) {
    const word = load<u32>(X + (<usize>i << 4) + (<usize>hash << 2));
    store<u32>(DIAGONALS + (<usize>hash << 7) + diagonal(i), word);
  }
}

function fromDiagonals(hash: i32): void {
  for (let i = 0; i < 32; i++) {
    const word = load<u32>(DIAGONALS + (<usize>hash << 7) + diagonal(i));
    store<u32>(X + (<usize>i << 4) + (<usize>hash << 2), word);
  }
}
