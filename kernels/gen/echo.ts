/**
 * Writes the rounds of ECHO-512 (submission to SHA-3, second round, §3.4) as AssemblyScript. A word is a
 * vector in the tower of nibbles.ts from start to end. ShiftRows is never carried out: four of them are
 * none, BIG.MixColumns works byte by byte, and the keys are prepared in the shifted order.
 *
 *   setKeys(keys, bits)            the 160 keys of a block from its counter (no salt)
 *   rounds(words, spare, keys)     10 rounds of 16 words, in place; `spare` is overwritten
 *   enter(to, from), leave(v128)   into the tower, and out of it
 */
import * as aes from './aes.ts';
import * as nibbles from './nibbles.ts';
import { lines, range, table8 } from './words64.ts';

const { xor } = nibbles;

const DOUBLE = nibbles.linear((byte) => nibbles.toTower(nibbles.times(2, nibbles.fromTower(byte))));

/** For each of four AES rounds. */
const SHUFFLES = range(4).map((round) => [
  aes.neighbours(1, (round + 1) % 4),
  aes.neighbours(3, (round + 1) % 4),
]);

/** Words of one column after BIG.ShiftRows: two AES rounds each, then BIG.MixColumns. */
function column(c: number): string[] {
  const words = range(4).map((row) => 4 * ((c + row) % 4) + row);
  const name = (row: number): string => `w${c}_${row}`;
  const substituted = words.flatMap((word, row) => {
    const [w, p] = [name(row), `p${c}_${row}_`];
    return [
      `let ${w} = v128.load(from, ${word * 16});`,
      ...aes.round(w, w, `${p}1`, 'forward1', 'backward1'),
      `${w} = ${xor(w, `v128.load(keys, ${word * 16})`)};`,
      ...aes.round(w, w, `${p}2`, 'forward2', 'backward2'),
      `${w} = ${xor(w, 'constant')};`,
    ];
  });
  const pair = (row: number): string => `e${c}_${row}`;
  const twice = (row: number): string => `d${c}_${row}`;
  const mixed = [
    ...range(4).map((row) => `const ${pair(row)} = ${xor(name(row), name((row + 1) % 4))};`),
    ...range(3).map((row) => `const ${twice(row)} = ${nibbles.map('double', pair(row))};`),
    `const ${twice(3)} = ${xor(twice(0), twice(1), twice(2))};`,
    // 2 a + 3 b + c + d = 2 (a + b) + b + (c + d)
    ...range(4).map((row) => {
      const sum = xor(twice(row), name((row + 1) % 4), pair((row + 2) % 4));
      return `v128.store(to, ${sum}, ${(4 * c + row) * 16});`;
    }),
  ];
  return [...substituted, ...mixed];
}

const KEY_ORDERS = [1, 3].map((skipped) => aes.shiftRows((4 - skipped) % 4));

export const sources: Readonly<Record<string, string>> = {
  echo512: `
${aes.tables}
${table8('DOUBLE_LOW', DOUBLE.low)}
${table8('DOUBLE_HIGH', DOUBLE.high)}
${table8('SHUFFLES', SHUFFLES.flat(2))}
${table8('KEY_ORDERS', KEY_ORDERS.flat())}
export function setKeys(keys: usize, bits: u64): void {
${lines([
  ...aes.loadTables,
  ...aes.loadConversions.slice(0, 2),
  'for (let i: usize = 0; i < 160; i++) {',
  'const key = i64x2.replace_lane(i64x2.splat(0), 0, bits + i);',
  `const order = v128.load(KEY_ORDERS + (i & 16));`,
  `v128.store(keys + (i << 4), ${xor(nibbles.lookUp(nibbles.map('into', 'key'), 'order'), 'constant')});`,
  '}',
])}}

export function enter(to: usize, from: usize): void {
${lines([...nibbles.loadCommon.slice(2), ...aes.loadConversions.slice(0, 2), 'const x = v128.load(from);'])}
  v128.store(to, ${nibbles.map('into', 'x')});
}

// @ts-ignore: decorator
@inline
export function leave(x: v128): v128 {
${lines([...nibbles.loadCommon.slice(2), ...aes.loadConversions.slice(2)])}
  return ${nibbles.map('out_of', 'x')};
}

export function rounds(words: usize, spare: usize, keys: usize): void {
${lines([
  ...aes.loadTables,
  'const double_low = v128.load(DOUBLE_LOW); const double_high = v128.load(DOUBLE_HIGH);',
  'let from = words; let to = spare;',
  'for (let i: usize = 0; i < 10; i++) {',
  'const shuffles = SHUFFLES + ((i & 1) << 6);',
  'const forward1 = v128.load(shuffles, 0); const backward1 = v128.load(shuffles, 16);',
  'const forward2 = v128.load(shuffles, 32); const backward2 = v128.load(shuffles, 48);',
  ...range(4).flatMap(column),
  'keys += 256; const last = from; from = to; to = last;',
  '}',
])}}
`,
};
