/**
 * Writes the permutations P and Q of Grøstl-256 (submission to SHA-3, final round, §3.4) as
 * AssemblyScript, both at once: a vector is a row of P's 8 × 8 state and the same row of Q's. SubBytes and
 * MixBytes are those of Grøstl-512 (groestl.ts), with the same constant left to be added.
 *
 *   permute(rows)   8 rows, in place; every byte of the result has 0xa5 still to be added
 */
import { LEFT_OVER, mixBytes, substitute, tables } from './groestl.ts';
import * as nibbles from './nibbles.ts';
import { lines, range, table8 } from './words64.ts';

const { xor } = nibbles;

const ROUNDS = 10;
/** §3.4.3: of each row, to the left. */
const SHIFTS_P = [0, 1, 2, 3, 4, 5, 6, 7];
const SHIFTS_Q = [1, 3, 5, 7, 0, 2, 4, 6];

const COLUMNS = range(8);
const shuffle = (row: number): string =>
  [
    ...COLUMNS.map((column) => (column + SHIFTS_P[row]!) % 8),
    ...COLUMNS.map((column) => 8 + ((column + SHIFTS_Q[row]!) % 8)),
  ].join(', ');

/** §3.4.1: what a round adds to row 0 and to row 7; to all others 0 in P and 0xff in Q. */
const constants = (row: 0 | 7): number[] =>
  range(ROUNDS).flatMap((round) => [
    ...COLUMNS.map((column) => (row === 0 ? (column << 4) ^ round : 0)),
    ...COLUMNS.map((column) => (row === 7 ? (column << 4) ^ round ^ 0xff : 0xff)),
  ]);

const body = [
  ...nibbles.loadCommon,
  'const input_low = v128.load(INPUT_LOW_P); const input_high = v128.load(INPUT_HIGH);',
  'const output_io = v128.load(OUTPUT_IO); const output_jo = v128.load(OUTPUT_JO);',
  'const reduction = i8x16.splat(0x1b); const zero = i8x16.splat(0);',
  `const left = i8x16.splat(<i8>${LEFT_OVER});`,
  'const flip = i64x2(0, -1);',
  ...range(8).map((i) => `let r${i} = ${xor(`v128.load(rows, ${i * 16})`, 'left')};`),
  `for (let at: usize = 0; at < ${ROUNDS * 16}; at += 16) {`,
  `r0 = ${xor('r0', 'v128.load(CONSTANTS_0 + at)')};`,
  ...range(6).map((i) => `r${i + 1} = ${xor(`r${i + 1}`, 'flip')};`),
  `r7 = ${xor('r7', 'v128.load(CONSTANTS_7 + at)')};`,
  ...range(8).flatMap((row) => substitute(row, shuffle(row))),
  ...mixBytes(),
  '}',
  ...range(8).map((i) => `v128.store(rows, r${i}, ${i * 16});`),
];

export const sources: Readonly<Record<string, string>> = {
  groestl256: [
    tables,
    table8('CONSTANTS_0', constants(0)),
    table8('CONSTANTS_7', constants(7)),
    `export function permute(rows: usize): void {\n${lines(body)}}\n`,
  ].join(''),
};
