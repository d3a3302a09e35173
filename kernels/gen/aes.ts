/**
 * Text of AES rounds (FIPS 197 §5.1: SubBytes, ShiftRows, MixColumns) on 16 bytes whose every byte is an
 * element of nibbles.ts's tower. No key is added, nor the S-box's constant: the caller owes CONSTANT.
 */
import * as nibbles from './nibbles.ts';
import { range, table8 } from './words64.ts';

const { lookUp, times, toTower, xor } = nibbles;

/** MixColumns leaves the S-box's constant as it is: the coefficients of a row add up to 1. */
export const CONSTANT = toTower(nibbles.SBOX_CONSTANT);

const ONCE = nibbles.output(toTower);
const TWICE = nibbles.output((byte) => toTower(times(2, byte)));
const INTO = nibbles.linear(toTower);
const OUT_OF = nibbles.linear(nibbles.fromTower);

export const tables = [
  nibbles.COMMON,
  table8('ONCE_IO', ONCE.io),
  table8('ONCE_JO', ONCE.jo),
  table8('TWICE_IO', TWICE.io),
  table8('TWICE_JO', TWICE.jo),
  table8('INTO_LOW', INTO.low),
  table8('INTO_HIGH', INTO.high),
  table8('OUT_OF_LOW', OUT_OF.low),
  table8('OUT_OF_HIGH', OUT_OF.high),
].join('');

const load = (names: readonly string[]): string[] =>
  names.map((name) => `const ${name} = v128.load(${name.toUpperCase()});`);

export const loadTables = [
  ...nibbles.loadCommon,
  ...load(['once_io', 'once_jo', 'twice_io', 'twice_jo']),
  `const constant = i8x16.splat(<i8>${CONSTANT});`,
];
/** For `nibbles.map('into', …)` and `nibbles.map('out_of', …)`. */
export const loadConversions = load(['into_low', 'into_high', 'out_of_low', 'out_of_high']);

/**
 * Source positions of a byte's neighbours in its column, `step` rows below, in a state whose ShiftRows was
 * left out `skipped` times: row r then stands r × skipped columns to the right.
 */
export const neighbours = (step: number, skipped: number): number[] =>
  range(16).map((at) => {
    const row = at % 4;
    const next = (row + step) % 4;
    return 4 * (((at >> 2) + 4 + skipped * (next - row) + 12) % 4) + next;
  });

/** Where the byte at each position comes from when ShiftRows is done `times` times. */
export const shiftRows = (done: number): number[] =>
  range(16).map((at) => 4 * (((at >> 2) + done * (at % 4)) % 4) + (at % 4));

/**
 * A round of the variable `x` with its result in the variable `to`; `forward` and `backward` hold
 * `neighbours` 1 and 3 for the ShiftRows left out up to and with this one.
 */
export const round = (
  x: string,
  to: string,
  p: string,
  forward: string,
  backward: string,
): string[] => [
  ...nibbles.invert(x, p),
  `const ${p}1 = ${nibbles.image('once', p)};`,
  `const ${p}2 = ${xor(nibbles.image('twice', p), lookUp(`${p}1`, forward))};`,
  `${to} = ${xor(xor(`${p}2`, lookUp(`${p}1`, backward)), lookUp(`${p}2`, forward))};`,
];
