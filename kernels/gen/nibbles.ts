/**
 * The S-box of AES (FIPS 197 §5.1.1) for 16 bytes at once by table look-ups on nibbles (Hamburg,
 * 'Accelerating AES with Vector Permute Instructions', CHES 2009): a byte becomes an element i + k t of
 * GF(16)[t], t² + t + ζ = 0, there the inverse costs five look-ups of 16 entries, and two more lead to any
 * linear image of it. Every table is derived here from the definition of the field.
 *
 * Infinity is 0x80: look-ups give 0 for it, whatever else is mixed into its lower bits. An index is thus
 * below 16, or 128 and more, for which relaxed_swizzle is defined to give 0 as swizzle does.
 */
import { range, table8 } from './words64.ts';

const INFINITY = 0x80;

/** Product in GF(2)[x] modulo `modulus`, of degree `bits`. */
function multiply(a: number, b: number, modulus: number, bits: number): number {
  let product = 0;
  for (let i = 0; i < bits; i++) if (((b >> i) & 1) !== 0) product ^= a << i;
  for (let i = 2 * bits - 2; i >= bits; i--) {
    if (((product >> i) & 1) !== 0) product ^= modulus << (i - bits);
  }
  return product;
}

/** In the field of AES. */
export const times = (a: number, b: number): number => multiply(a, b, 0x11b, 8);
/** In GF(16), x⁴ + x + 1. */
const times16 = (a: number, b: number): number => multiply(a, b, 0x13, 4);
const inverse16 = (a: number): number => range(16).find((b) => times16(a, b) === 1)!;

/** The least ζ for which t² + t + ζ has no root. */
const ZETA = range(16).find((zeta) => range(16).every((t) => (times16(t, t) ^ t) !== zeta))!;

/** Product of two elements, i in the high nibble and k in the low one. */
function timesTower(a: number, b: number): number {
  const [i, k, m, n] = [a >> 4, a & 15, b >> 4, b & 15];
  const high = times16(k, n);
  return ((times16(i, m) ^ times16(high, ZETA)) << 4) | (times16(i, n) ^ times16(k, m) ^ high);
}

function powers(g: number): number[] {
  const found = [0x10];
  while (found.length < 8) found.push(timesTower(found.at(-1)!, g));
  return found;
}

/** Images of 1, x, … x⁷: powers of a root of AES's polynomial x⁸ + x⁴ + x³ + x + 1. */
const BASIS = range(256)
  .map(powers)
  .find((p) => (timesTower(p[7]!, p[1]!) ^ p[4]! ^ p[3]! ^ p[1]! ^ p[0]!) === 0 && p[1]! !== 0)!;

/** The field of AES → tower. */
export const toTower = (byte: number): number =>
  range(8).reduce((sum, i) => (((byte >> i) & 1) !== 0 ? sum ^ BASIS[i]! : sum), 0);
const TOWER = range(256).map(toTower);
export const fromTower = (byte: number): number => TOWER.indexOf(byte);

/** The S-box without its constant 0x63, as a function of the inverse. */
const affine = (x: number): number =>
  range(5).reduce((sum, by) => sum ^ (((x << by) | (x >> (8 - by))) & 0xff), 0);
export const SBOX_CONSTANT = 0x63;

type Linear = (byte: number) => number;

/** Tables for both nibbles of a linear map; `constant` is added to the result. */
export const linear = (map: Linear, constant = 0): { low: number[]; high: number[] } => ({
  low: range(16).map((nibble) => map(nibble) ^ constant),
  high: range(16).map((nibble) => map(nibble << 4)),
});

/** Tables for the last step: `image` of the S-box without its constant, from 1 / io and 1 / jo. */
export function output(image: Linear): { io: number[]; jo: number[] } {
  const from = (i: (inverse: number) => number) => (index: number) => {
    if (index === 0) return 0;
    const inverse = inverse16(index);
    return image(affine(fromTower((i(inverse) << 4) | inverse)));
  };
  return {
    io: range(16).map(from((u) => times16(ZETA, u))),
    jo: range(16).map(from((v) => times16(ZETA, v) ^ v)),
  };
}

/** Tables every user needs: 1 / x and a / x with a = 1 / ζ; and the mask of low nibbles. */
export const COMMON = [
  table8(
    'INVERSES',
    range(16).map((x) => (x === 0 ? INFINITY : inverse16(x))),
  ),
  table8(
    'A_OVER',
    range(16).map((x) => (x === 0 ? INFINITY : inverse16(times16(ZETA, x)))),
  ),
  table8(
    'LOW',
    range(16).map(() => 15),
  ),
].join('');

export const lookUp = (table: string, index: string): string =>
  `i8x16.relaxed_swizzle(${table}, ${index})`;
export const xor = (...terms: string[]): string =>
  terms.reduce((left, right) => `v128.xor(${left}, ${right})`);
export const low = (x: string): string => `v128.and(${x}, low)`;
export const high = (x: string): string => `i16x8.shr_u(v128.andnot(${x}, low), 4)`;

/** Statements that load the common tables into locals. */
export const loadCommon = ['inverses', 'a_over', 'low'].map(
  (name) => `const ${name} = v128.load(${name.toUpperCase()});`,
);

/** A linear map of `x` by the tables in locals `${name}_low` and `${name}_high`; for any x. */
export const map = (name: string, x: string): string =>
  xor(lookUp(`${name}_low`, low(x)), lookUp(`${name}_high`, high(x)));

/** Statements: io and jo of the tower element in the variable `x`, in new variables `${p}io`, `${p}jo`. */
export const invert = (x: string, p: string): string[] => [
  `const ${p}k = ${low(x)};`,
  `const ${p}i = ${high(x)};`,
  `const ${p}j = ${xor(`${p}k`, `${p}i`)};`,
  `const ${p}a = ${lookUp('a_over', `${p}k`)};`,
  `const ${p}io = ${xor(lookUp('inverses', xor(lookUp('inverses', `${p}i`), `${p}a`)), `${p}j`)};`,
  `const ${p}jo = ${xor(lookUp('inverses', xor(lookUp('inverses', `${p}j`), `${p}a`)), `${p}i`)};`,
];

/** The image of `output`'s tables in locals `${name}_io` and `${name}_jo`. */
export const image = (name: string, p: string): string =>
  xor(lookUp(`${name}_io`, `${p}io`), lookUp(`${name}_jo`, `${p}jo`));
