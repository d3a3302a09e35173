/**
 * Writes the sponge of Lyra2 (reference guide v2, §4 and §5) as AssemblyScript: the rounds are those of
 * BLAKE2b without message (RFC 7693 §3.2), two words a vector. Rows are addresses. Two hashes interleaved
 * instruction by instruction were 11 to 18 % faster on Zen 3, a few per cent of the whole chain: left out.
 *
 *   permute(state)                               12 rounds
 *   squeezeRow(state, row, cols)                 row 0, filled from its end
 *   duplexFirst(state, prev, row, cols)          row 1 from row 0
 *   duplexSetup(state, prev, other, row, cols)   a new row; `other` is row*
 *   duplexWander(state, prev, other, row, cols)  a row again; `other` may be the same one
 */

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Bytes of a column: the rate. */
const BLOCK = 96;

/** Words 2k and 2k + 1 of the state are in vector k. The first six vectors are the rate. */
const STATE = ['a0', 'a1', 'b0', 'b1', 'c0', 'c1', 'd0', 'd1'];
const RATE = STATE.slice(0, 6);

/** Rotations to the right of both words. */
const ROTATE: Readonly<Record<number, (x: string) => string>> = {
  32: (x) => `i32x4.shuffle(${x}, ${x}, 1, 0, 3, 2)`,
  24: (x) => `i8x16.shuffle(${x}, ${x}, 3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10)`,
  16: (x) => `i16x8.shuffle(${x}, ${x}, 1, 2, 3, 0, 5, 6, 7, 4)`,
  63: (x) => `v128.or(i64x2.add(${x}, ${x}), i64x2.shr_u(${x}, 63))`,
};

/** G on all four columns. */
function mix(): string[] {
  const both = (step: (half: number) => string): string[] => range(2).map(step);
  const add = (x: string, y: string): string[] =>
    both((h) => `${x}${h} = i64x2.add(${x}${h}, ${y}${h});`);
  const xorRotate = (x: string, y: string, by: number): string[] => [
    ...both((h) => `${x}${h} = v128.xor(${x}${h}, ${y}${h});`),
    ...both((h) => `${x}${h} = ${ROTATE[by]!(`${x}${h}`)};`),
  ];
  return [
    ...add('a', 'b'),
    ...xorRotate('d', 'a', 32),
    ...add('c', 'd'),
    ...xorRotate('b', 'c', 24),
    ...add('a', 'b'),
    ...xorRotate('d', 'a', 16),
    ...add('c', 'd'),
    ...xorRotate('b', 'c', 63),
  ];
}

/** The second word of x and the first of y. */
const join = (x: string, y: string): string => `i64x2.shuffle(${x}, ${y}, 1, 2)`;

/** Rows b, c and d turned so that diagonals become columns, or back. */
function turn(back: boolean): string[] {
  const rotate = (row: string, left: boolean): string[] => {
    const [x, y] = left ? [`${row}0`, `${row}1`] : [`${row}1`, `${row}0`];
    return [`t = ${join(x, y)};`, `${row}1 = ${join(y, x)};`, `${row}0 = t;`];
  };
  return [...rotate('b', !back), 't = c0; c0 = c1; c1 = t;', ...rotate('d', back)];
}

const ROUND = [...mix(), ...turn(false), ...mix(), ...turn(true)];

const load = (base: string, k: number): string => `v128.load(${base}, ${k * 16})`;
const store = (base: string, k: number, value: string): string =>
  `v128.store(${base}, ${value}, ${k * 16});`;
const xor = (x: string, y: string): string => `v128.xor(${x}, ${y})`;

const absorb = (input: (k: number) => string): string[] =>
  RATE.map((part, k) => `${part} = ${xor(part, input(k))};`);

/** M[prev] + M[row*], word by word. */
const SUM = absorb((k) => `i64x2.add(${load('prev', k)}, ${load('other', k)})`);
/** M[row] = M[prev] ^ rate. */
const WRITE_ROW = RATE.map((part, k) => store('row', k, xor(load('prev', k), part)));
/** M[row] ^= rate. Comes before FEED_OTHER, which may read the same row. */
const ADD_TO_ROW = RATE.map((part, k) => store('row', k, xor(load('row', k), part)));
/** M[row*] ^= the rate turned by one word: its last word comes first. */
const FEED_OTHER = RATE.map((part, k) =>
  store('other', k, xor(load('other', k), join(RATE[(k + 5) % 6]!, part))),
);

function source(name: string, rows: readonly string[], reversed: boolean, steps: string[]): string {
  const body = [
    ...STATE.map((part, k) => `let ${part} = ${load('state', k)};`),
    'let t: v128;',
    ...(reversed ? [`row += (<usize>cols - 1) * ${BLOCK};`] : []),
    'for (let i = 0; i < cols; i++) {',
    ...steps,
    ...rows.map((row) => `${row} ${row === 'row' && reversed ? '-=' : '+='} ${BLOCK};`),
    '}',
    ...STATE.map((part, k) => store('state', k, part)),
  ];
  const args = ['state', ...rows].map((arg) => `${arg}: usize`).join(', ');
  return `export function ${name}(${args}, cols: i32): void {\n  ${body.join('\n  ')}\n}\n`;
}

const ALL_ROWS = ['prev', 'other', 'row'];

export const sources: Readonly<Record<string, string>> = {
  lyra2: [
    source('rounds', [], false, ROUND),
    'export function permute(state: usize): void {\n  rounds(state, 12);\n}\n',
    source('squeezeRow', ['row'], true, [...RATE.map((part, k) => store('row', k, part)), ...ROUND]),
    source('duplexFirst', ['prev', 'row'], true, [
      ...absorb((k) => load('prev', k)),
      ...ROUND,
      ...WRITE_ROW,
    ]),
    source('duplexSetup', ALL_ROWS, true, [...SUM, ...ROUND, ...WRITE_ROW, ...FEED_OTHER]),
    source('duplexWander', ALL_ROWS, false, [...SUM, ...ROUND, ...ADD_TO_ROW, ...FEED_OTHER]),
  ].join(''),
};
