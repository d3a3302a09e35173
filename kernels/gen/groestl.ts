/**
 * Writes the permutations P and Q of Grøstl-512 (submission to SHA-3, final round, §3.4) as AssemblyScript.
 * A row of the 8 × 16 state is a vector: SubBytes by look-ups on nibbles, ShiftBytes one shuffle a row,
 * MixBytes with 48 xors and 16 doublings. The S-box's constant is added later: MixBytes turns it into
 * 0xa5 in every byte, which the next round's first table takes out again.
 *
 *   permuteP, permuteQ(out, rows)   8 rows; every byte of the result has 0xa5 still to be added
 */
import * as nibbles from './nibbles.ts';
import { lines, range, table8 } from './words64.ts';

const { times, xor } = nibbles;

const ROUNDS = 14;
/** §3.4.3: of each row, to the left. */
const SHIFTS = { P: [0, 1, 2, 3, 4, 5, 6, 11], Q: [1, 3, 5, 11, 0, 2, 4, 6] };
/** §3.4.4: sum of the circulant's first row, times the constant of the S-box. */
export const LEFT_OVER = [2, 2, 3, 4, 5, 3, 5, 7].reduce(
  (sum, factor) => sum ^ times(factor, nibbles.SBOX_CONSTANT),
  0,
);

const double = (x: string): string =>
  xor(`i8x16.add(${x}, ${x})`, `v128.and(i8x16.gt_s(zero, ${x}), reduction)`);

/** Row after SubBytes and ShiftBytes, in a new variable `a${row}`. */
export function substitute(row: number, shuffle: string): string[] {
  const [x, p] = [`r${row}`, `s${row}`];
  return [
    `const ${p}t = ${nibbles.map('input', x)};`,
    ...nibbles.invert(`${p}t`, p),
    `const ${p}s = ${nibbles.image('output', p)};`,
    `const a${row} = i8x16.shuffle(${p}s, ${p}s, ${shuffle});`,
  ];
}

/** a0 … a7 → r0 … r7: with t = a + a₊₁, x = t + t₊₃, y = t + t₊₂ + a₊₆: b = y₊₄ + 2 (y₊₇ + 2 x₊₃). */
export function mixBytes(): string[] {
  const name = (letter: string, i: number): string => `${letter}${i % 8}`;
  return [
    ...range(8).map((i) => `const t${i} = ${xor(`a${i}`, name('a', i + 1))};`),
    ...range(8).map((i) => `const x${i} = ${xor(`t${i}`, name('t', i + 3))};`),
    ...range(8).map((i) => `const y${i} = ${xor(`t${i}`, name('t', i + 2), name('a', i + 6))};`),
    ...range(8).map((i) => `const w${i} = ${xor(double(name('x', i + 3)), name('y', i + 7))};`),
    ...range(8).map((i) => `r${i} = ${xor(double(`w${i}`), name('y', i + 4))};`),
  ];
}

function permutation(name: 'P' | 'Q'): string {
  const constantRow = name === 'P' ? 'r0' : 'r7';
  const shuffle = (row: number): string =>
    range(16)
      .map((column) => (column + SHIFTS[name][row]!) % 16)
      .join(', ');
  const body = [
    ...nibbles.loadCommon,
    `const input_low = v128.load(INPUT_LOW_${name}); const input_high = v128.load(INPUT_HIGH);`,
    'const output_io = v128.load(OUTPUT_IO); const output_jo = v128.load(OUTPUT_JO);',
    'const reduction = i8x16.splat(0x1b); const zero = i8x16.splat(0);',
    `const left = i8x16.splat(<i8>${LEFT_OVER});`,
    ...range(8).map((i) => `let r${i} = ${xor(`v128.load(rows, ${i * 16})`, 'left')};`),
    `for (let at: usize = CONSTANTS, end: usize = CONSTANTS + ${ROUNDS * 16}; at < end; at += 16) {`,
    `${constantRow} = ${xor(constantRow, 'v128.load(at)')};`,
    ...range(8).flatMap((row) => substitute(row, shuffle(row))),
    ...mixBytes(),
    '}',
    ...range(8).map((i) => `v128.store(out, r${i}, ${i * 16});`),
  ];
  return `export function permute${name}(out: usize, rows: usize): void {\n${lines(body)}}\n`;
}

const OUTPUT = nibbles.output((byte) => byte);
const inputTables = (constant: number): { low: number[]; high: number[] } =>
  nibbles.linear(nibbles.toTower, nibbles.toTower(constant));

export const tables = [
  nibbles.COMMON,
  table8('INPUT_HIGH', inputTables(0).high),
  table8('INPUT_LOW_P', inputTables(LEFT_OVER).low),
  // Q adds 0xff to every byte, §3.4.1.
  table8('INPUT_LOW_Q', inputTables(LEFT_OVER ^ 0xff).low),
  table8('OUTPUT_IO', OUTPUT.io),
  table8('OUTPUT_JO', OUTPUT.jo),
].join('');

export const sources: Readonly<Record<string, string>> = {
  groestl512: [
    tables,
    table8(
      'CONSTANTS',
      range(ROUNDS).flatMap((round) => range(16).map((column) => (column << 4) ^ round)),
    ),
    permutation('P'),
    permutation('Q'),
  ].join(''),
};
