/**
 * Writes JH's permutation E8 (submission to SHA-3, final round, §4 and its bit-slice form) as AssemblyScript:
 * word i of the state is a vector of 128 bits, bit by bit one of the eight inputs of a linear
 * transformation. A round is two S-boxes, L, and an exchange of bits in the odd words.
 *
 *   permute(state)   8 words of 16 bytes
 */
import { lines, range, table8 } from './words64.ts';

const ROUNDS = 42;

// ------------------------------------------------------------------ round constants, §2.2.2

const S0 = [9, 0, 4, 11, 13, 12, 3, 15, 1, 10, 2, 6, 7, 5, 8, 14];

/** 2 × a in GF(16), x⁴ + x + 1. */
const double = (a: number): number => ((a << 1) ^ (a > 7 ? 0x13 : 0)) & 15;

/** P_d: where the element at each place comes from. */
function permutation(d: number): number[] {
  const size = 2 ** d;
  const pi = range(size).map((i) => ((i & 2) === 0 ? i : i ^ 1));
  const spread = range(size).map((i) => (i < size / 2 ? pi[2 * i]! : pi[2 * i - size + 1]!));
  return range(size).map((i) => (i < size / 2 ? spread[i]! : spread[i ^ 1]!));
}

/** √2's fraction, then round after round of R6 without constants: 64 nibbles each. */
function constants(): number[][] {
  let fraction = 1n;
  for (let bit = 1n << 255n; bit > 0n; bit >>= 1n) {
    const tried = fraction === 1n ? bit : fraction | bit;
    if (((1n << 256n) + tried) ** 2n <= 2n << 512n) fraction = tried;
  }
  let nibbles = range(64).map((i) => Number((fraction >> BigInt(252 - 4 * i)) & 15n));
  const places = permutation(6);
  return range(ROUNDS).map(() => {
    const now = nibbles;
    const mixed = now.map((nibble) => S0[nibble]!);
    for (let i = 0; i < 64; i += 2) {
      mixed[i + 1]! ^= double(mixed[i]!);
      mixed[i]! ^= double(mixed[i + 1]!);
    }
    nibbles = places.map((from) => mixed[from]!);
    return now;
  });
}

/**
 * The constants where bits stand in the bit-slice form: nibble 2 i of the first round at bit i of the even
 * words, nibble 2 i + 1 at bit i of the odd ones; afterwards wherever the permutation and the exchanges
 * have led it. Per round 16 bytes for the even words and 16 for the odd ones.
 */
function slicedConstants(): number[] {
  const places = permutation(8);
  const leadsTo = places.map((_, from) => places.indexOf(from));
  let even = range(128).map((i) => 2 * i);
  let odd = range(128).map((i) => 2 * i + 1);
  return constants().flatMap((nibbles, round) => {
    const bit = (index: number): number => (nibbles[index >> 2]! >> (3 - (index & 3))) & 1;
    const bytes = [...even, ...odd].reduce<number[]>((sum, index, at) => {
      sum[at >> 3] = (sum[at >> 3] ?? 0) | (bit(index) << (7 - (at & 7)));
      return sum;
    }, []);
    const before = odd;
    even = even.map((index) => leadsTo[index]!);
    odd = odd.map((_, i) => leadsTo[before[i ^ (1 << (round % 7))]!]!);
    return bytes;
  });
}

// ------------------------------------------------------------------ rounds

const and = (a: string, b: string): string => `v128.and(${a}, ${b})`;
const xor = (...terms: string[]): string => terms.reduce((a, b) => `v128.xor(${a}, ${b})`);
/** b & ~a */
const andNot = (a: string, b: string): string => `v128.andnot(${b}, ${a})`;

/** Both S-boxes at once: a bit of the constant `c` chooses between them. */
function substitute(words: readonly string[], c: string, t: string): string[] {
  const [a, b, d, e] = words as [string, string, string, string];
  return [
    `${e} = v128.not(${e});`,
    `${a} = ${xor(a, andNot(d, c))};`,
    `${t} = ${xor(c, and(a, b))};`,
    `${a} = ${xor(a, and(d, e))};`,
    `${e} = ${xor(e, andNot(b, d))};`,
    `${b} = ${xor(b, and(a, d))};`,
    `${d} = ${xor(d, andNot(e, a))};`,
    `${a} = ${xor(a, `v128.or(${b}, ${e})`)};`,
    `${e} = ${xor(e, and(b, d))};`,
    `${b} = ${xor(b, and(t, a))};`,
    `${d} = ${xor(d, t)};`,
  ];
}

const LINEAR: readonly (readonly [number, readonly number[]])[] = [
  [1, [2]],
  [3, [4]],
  [5, [6, 0]],
  [7, [0]],
  [0, [3]],
  [2, [5]],
  [4, [7, 1]],
  [6, [1]],
];

/** Exchanges neighbours of 2^step bits; bit 0 is the highest of byte 0. */
function exchange(x: string, step: number): string {
  if (step < 3) {
    const by = 1 << step;
    const right = `v128.and(i16x8.shr_u(${x}, ${by}), mask${step})`;
    return `${x} = ${xor(`i16x8.shl(v128.and(${x}, mask${step}), ${by})`, right)};`;
  }
  if (step === 3) return `${x} = ${xor(`i16x8.shl(${x}, 8)`, `i16x8.shr_u(${x}, 8)`)};`;
  const bytes = 1 << (step - 3);
  const order = range(16).map((i) => i ^ bytes);
  return `${x} = i8x16.shuffle(${x}, ${x}, ${order.join(', ')});`;
}

function round(step: number): string[] {
  const name = (i: number): string => `h${i}`;
  return [
    ...substitute([0, 2, 4, 6].map(name), `v128.load(at, ${step * 32})`, 't'),
    ...substitute([1, 3, 5, 7].map(name), `v128.load(at, ${step * 32 + 16})`, 'u'),
    ...LINEAR.map(([to, from]) => `h${to} = ${xor(name(to), ...from.map(name))};`),
    ...[1, 3, 5, 7].map((i) => exchange(name(i), step)),
  ];
}

export const sources: Readonly<Record<string, string>> = {
  jh512: `${table8('CONSTANTS', slicedConstants())}
export function permute(state: usize): void {
${lines([
  ...range(8).map((i) => `let h${i} = v128.load(state, ${i * 16});`),
  'let t: v128; let u: v128;',
  ...[0x55, 0x33, 0x0f].map((mask, i) => `const mask${i} = i8x16.splat(${mask});`),
  `for (let at: usize = CONSTANTS, end: usize = CONSTANTS + ${ROUNDS * 32}; at < end; at += 224) {`,
  ...range(7).flatMap(round),
  '}',
  ...range(8).map((i) => `v128.store(state, h${i}, ${i * 16});`),
])}}
`,
};
