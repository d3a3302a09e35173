/**
 * Writes the BLAKE-256 compression function (SHA-3 proposal BLAKE, version 1.4, §2.1) with 8 and with 14
 * rounds as unrolled AssemblyScript, scalar and with four hashes in the lanes of v128. States and blocks
 * are words (the big-endian reading of the bytes), lanes word by word. Without salt.
 *
 *   compress8, compress14(state, words, bits)   `bits`: of the message so far, without padding; 0 for a
 *                                               block that holds none of it
 */
import { IV } from './sha256.ts';

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** 2^bits × arctan(1/x). */
function arccot(x: bigint, bits: bigint): bigint {
  let sum = 0n;
  let power = (1n << bits) / x;
  for (let n = 1n; power > 0n; n += 2n) {
    sum += (n % 4n === 1n ? power : -power) / n;
    power /= x * x;
  }
  return sum;
}

/** The first words of π's fractional part, by Machin's formula (BLAKE §2.1.1). */
export function fractionOfPi(wordBits: number, count: number): bigint[] {
  const bits = BigInt(wordBits * count);
  const guard = 64n;
  const pi = (16n * arccot(5n, bits + guard) - 4n * arccot(239n, bits + guard)) >> guard;
  const mask = (1n << BigInt(wordBits)) - 1n;
  return range(count).map((i) => (pi >> (bits - BigInt(wordBits * (i + 1)))) & mask);
}

export const C = fractionOfPi(32, 16).map(Number);

/** BLAKE §2.1.2, table 2.1: rows 0 to 9; round r uses row r mod 10. */
export const SIGMA: readonly (readonly number[])[] = [
  '0123 4567 89ab cdef',
  'ea48 9fd6 1c02 b753',
  'b8c0 52fd ae36 7194',
  '7931 dcbe 265a 40f8',
  '9057 24af e1bc 683d',
  '2c6a 0b83 4d75 fe19',
  'c51f ed4a 0763 928b',
  'db7e c139 50f4 862a',
  '6fe9 b308 c2d7 14a5',
  'a284 7615 fb9e 3cd0',
].map((row) => [...row.replaceAll(' ', '')].map((digit) => parseInt(digit, 16)));

/** Columns, then diagonals. */
export const QUARTERS: readonly (readonly [number, number, number, number])[] = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
];

const hex = (word: number): string => `0x${(word >>> 0).toString(16).padStart(8, '0')}`;

interface Flavour {
  readonly type: string;
  add(a: string, b: string): string;
  xor(a: string, b: string): string;
  /** Statement that rotates `x ^ y` into x. */
  xorRotr(x: string, y: string, n: number): string;
  load(base: string, index: number): string;
  store(base: string, index: number, value: string): string;
  constant(index: number): string;
  splat(word: string): string;
}

const scalar: Flavour = {
  type: 'u32',
  add: (a, b) => `(${a} + ${b})`,
  xor: (a, b) => `(${a} ^ ${b})`,
  xorRotr: (x, y, n) => `${x} = rotr<u32>(${x} ^ ${y}, ${n});`,
  load: (base, index) => `load<u32>(${base}, ${index * 4})`,
  store: (base, index, value) => `store<u32>(${base}, ${value}, ${index * 4});`,
  constant: (index) => hex(C[index]!),
  splat: (word) => word,
};

const rotatedBytes = (n: number): string =>
  range(16)
    .map((i) => (i & 12) | ((i + n / 8) & 3))
    .join(', ');

const lanes: Flavour = {
  type: 'v128',
  add: (a, b) => `i32x4.add(${a}, ${b})`,
  xor: (a, b) => `v128.xor(${a}, ${b})`,
  xorRotr: (x, y, n) => {
    const xor = `t = v128.xor(${x}, ${y});`;
    if (n % 8 === 0) return `${xor} ${x} = i8x16.shuffle(t, t, ${rotatedBytes(n)});`;
    return `${xor} ${x} = v128.or(i32x4.shr_u(t, ${n}), i32x4.shl(t, ${32 - n}));`;
  },
  load: (base, index) => `v128.load(${base}, ${index * 16})`,
  store: (base, index, value) => `v128.store(${base}, ${value}, ${index * 16});`,
  constant: (index) => `v128.load32_splat(CONSTANTS, ${index * 4})`,
  splat: (word) => `i32x4.splat(${word})`,
};

function quarter(f: Flavour, round: number, index: number): string[] {
  const [a, b, c, d] = QUARTERS[index]!.map((i) => `v${i}`) as [string, string, string, string];
  const row = SIGMA[round % 10]!;
  const [first, second] = [row[2 * index]!, row[2 * index + 1]!];
  const message = (word: number, constant: number): string =>
    f.xor(f.load('words', word), f.constant(constant));
  const half = (word: number, constant: number, forD: number, forB: number): string[] => [
    `${a} = ${f.add(f.add(a, message(word, constant)), b)};`,
    f.xorRotr(d, a, forD),
    `${c} = ${f.add(c, d)};`,
    f.xorRotr(b, c, forB),
  ];
  return [...half(first, second, 16, 12), ...half(second, first, 8, 7)];
}

function compress(f: Flavour, rounds: number): string {
  const lines = [
    ...range(8).map((i) => `let v${i} = ${f.load('state', i)};`),
    ...range(4).map((i) => `let v${i + 8} = ${f.constant(i)};`),
    `const counter = ${f.splat('bits')};`,
    ...range(2).map((i) => `let v${i + 12} = ${f.xor('counter', f.constant(i + 4))};`),
    ...range(2).map((i) => `let v${i + 14} = ${f.constant(i + 6)};`),
    ...(f === lanes ? ['let t: v128;'] : []),
    ...range(rounds).flatMap((round) => range(8).flatMap((i) => quarter(f, round, i))),
    ...range(8).map((i) =>
      f.store('state', i, f.xor(f.load('state', i), f.xor(`v${i}`, `v${i + 8}`))),
    ),
  ];
  const typed = lines.map((line) => line.replace(/^let (v\d+) = /, `let $1: ${f.type} = `));
  return `export function compress${rounds}(state: usize, words: usize, bits: u32): void {\n  ${typed.join('\n  ')}\n}\n`;
}

const table = (name: string, values: readonly number[]): string =>
  `export const ${name}: usize = memory.data<u32>([${values.map(hex).join(', ')}], 16);\n`;

const source = (f: Flavour): string =>
  `import { CONSTANTS } from './blake256-tables';\n${compress(f, 8)}${compress(f, 14)}`;

export const sources: Readonly<Record<string, string>> = {
  'blake256-tables': table('CONSTANTS', C) + table('INITIAL', IV),
  'blake256-scalar': source(scalar),
  'blake256-lanes': source(lanes),
};
