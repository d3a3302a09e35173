/**
 * Targets, their compact form ('bits') and difficulty. Exact: all 256 bits, no floating point on the
 * way; a difficulty is a double and is taken at its exact value. Not here: choosing difficulties.
 */
import { CoinError } from './errors.ts';

/** The largest 256-bit integer: every hash meets it. */
export const MAX_TARGET = (1n << 256n) - 1n;

/** Compact form as a template writes it: eight hex digits, big-endian. */
export function compactFromHex(hex: string): number {
  if (!/^[0-9a-fA-F]{8}$/.test(hex)) {
    throw new CoinError(
      'BITS',
      `bits are ${JSON.stringify(hex.slice(0, 20))}, expected 8 hex digits`,
    );
  }
  return Number.parseInt(hex, 16);
}

/**
 * Consensus rules of arith_uint256::SetCompact and CheckProofOfWork: a negative, zero or overflowing
 * target is no target and throws CoinError.
 */
export function targetFromBits(bits: number): bigint {
  const size = bits >>> 24;
  let word = bits & 0x007f_ffff;
  if (size <= 3) word >>>= 8 * (3 - size);
  const refuse = (what: string): never => {
    const hex = (bits >>> 0).toString(16).padStart(8, '0');
    throw new CoinError('BITS', `bits ${hex} are ${what}: no block can meet them`);
  };
  if (word === 0) return refuse('a zero target');
  if ((bits & 0x0080_0000) !== 0) return refuse('negative');
  if (size > 34 || (word > 0xff && size > 33) || (word > 0xffff && size > 32)) {
    return refuse('wider than 256 bits');
  }
  return size <= 3 ? BigInt(word) : BigInt(word) << BigInt(8 * (size - 3));
}

/** arith_uint256::GetCompact: the compact form, low bits cut off. */
export function bitsFromTarget(target: bigint): number {
  checkTarget(target);
  let size = Math.ceil(target.toString(16).length / 2);
  if (target === 0n) size = 0;
  let word = Number(
    size <= 3 ? target << BigInt(8 * (3 - size)) : target >> BigInt(8 * (size - 3)),
  );
  if ((word & 0x0080_0000) !== 0) {
    word >>>= 8;
    size += 1;
  }
  return size * 0x0100_0000 + word;
}

/**
 * floor(diff1 / difficulty), at most 2^256-1. The difficulty is taken at its exact binary value, so
 * that the target is the largest integer whose difficulty is not below it.
 */
export function targetFromDifficulty(difficulty: number, diff1: bigint): bigint {
  if (!(difficulty > 0) || difficulty === Number.POSITIVE_INFINITY) {
    throw new CoinError('DIFFICULTY', `difficulty is ${difficulty}, expected a number above 0`);
  }
  const [mantissa, exponent] = binaryParts(difficulty);
  const target =
    exponent < 0 ? (diff1 << BigInt(-exponent)) / mantissa : diff1 / (mantissa << BigInt(exponent));
  return target > MAX_TARGET ? MAX_TARGET : target;
}

/** diff1 / target, rounded once to the nearest double; Infinity for the target 0. */
export function difficultyFromTarget(target: bigint, diff1: bigint): number {
  if (target === 0n) return Number.POSITIVE_INFINITY;
  if (diff1 === 0n) return 0;
  const shift = Math.max(0, bitLength(target) - bitLength(diff1) + 66);
  const scaled = diff1 << BigInt(shift);
  const quotient = scaled / target;
  const sticky = scaled % target === 0n ? 0n : 1n;
  return Number((quotient << 1n) | sticky) * 2 ** -(shift + 1);
}

export function targetToLE(target: bigint): Uint8Array {
  checkTarget(target);
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  for (let word = 0; word < 4; word += 1) {
    view.setBigUint64(word * 8, BigInt.asUintN(64, target >> BigInt(word * 64)), true);
  }
  return bytes;
}

export function targetFromLE(targetLE: Uint8Array): bigint {
  check32(targetLE, 'target');
  const view = new DataView(targetLE.buffer, targetLE.byteOffset, 32);
  let target = 0n;
  for (let word = 3; word >= 0; word -= 1) {
    target = (target << 64n) | view.getBigUint64(word * 8, true);
  }
  return target;
}

/** Whether a hash meets a target: hash ≤ target as 256-bit little-endian integers. */
export function meets(hashLE: Uint8Array, targetLE: Uint8Array): boolean {
  check32(hashLE, 'hash');
  check32(targetLE, 'target');
  for (let at = 31; at >= 0; at -= 1) {
    const difference = (hashLE[at] ?? 0) - (targetLE[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return true;
}

/** A positive finite double as mantissa · 2^exponent, exactly (IEEE 754 binary64). */
function binaryParts(value: number): [mantissa: bigint, exponent: number] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const word = view.getBigUint64(0);
  const biased = Number(word >> 52n);
  const fraction = word & 0xf_ffff_ffff_ffffn;
  return biased === 0 ? [fraction, -1074] : [fraction | (1n << 52n), biased - 1075];
}

function bitLength(value: bigint): number {
  return value.toString(2).length;
}

function checkTarget(target: bigint): void {
  if (target < 0n || target > MAX_TARGET) {
    throw new CoinError('TARGET', `target ${target} does not fit 256 bits`);
  }
}

function check32(bytes: Uint8Array, what: string): void {
  if (bytes.length !== 32) {
    throw new CoinError('TARGET', `${what} has ${bytes.length} bytes, expected 32`);
  }
}
