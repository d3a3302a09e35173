/**
 * Writes the Blue Midnight Wish compression function (second-round submission to SHA-3, §2.3, tables 2.2
 * to 2.5) as unrolled AssemblyScript, with words of 64 bits (BMW-512) and of 32 bits (BMW-256).
 * Words are little-endian.
 *
 *   compress(out, chain, message)   16 words each; `out` may be either of the others
 */
import { lines, range } from './words64.ts';

interface Variant {
  readonly bits: 32 | 64;
  /** s0 to s3: shift right, shift left, two rotations; s4 and s5: shift right. */
  readonly s: readonly (readonly number[])[];
  /** r1 to r7. */
  readonly r: readonly number[];
}

const BMW512: Variant = {
  bits: 64,
  s: [[1, 3, 4, 37], [1, 2, 13, 43], [2, 1, 19, 53], [2, 2, 28, 59], [1], [2]],
  r: [5, 11, 27, 32, 37, 43, 53],
};
const BMW256: Variant = {
  bits: 32,
  s: [[1, 3, 4, 19], [1, 2, 8, 23], [2, 1, 12, 25], [2, 2, 15, 29], [1], [2]],
  r: [3, 7, 13, 16, 19, 23, 27],
};

/** Table 2.2: the five terms of W, each a word of M ^ H with its sign. */
const TERMS =
  '+5-7+10+13+14 +6-8+11+14-15 +0+7+9-12+15 +0-1+8-10+13 +1+2+9-11-14 +3-2+10-12+15 +4-0-3-11+13 +1-4-5-12-14 ' +
  '+2-5-6+13-15 +0-3+6-7+14 +8-1-4-7+15 +8-0-2-5+9 +1+3-6-9+10 +2+4+7+10+11 +3-5+8-11-12 +12-4-6-9+13';

/** Table 2.5: shift of XH and of Q(16 + i) in words 0 to 7, and of XL in words 8 to 15. */
const FOLD_HIGH = '<<5>>5 >>7<<8 >>5<<5 >>1<<5 >>3<<0 <<6>>6 >>4<<6 >>11<<2';
const FOLD_LOW = ['<<8', '>>6', '<<6', '<<4', '>>3', '>>4', '>>7', '>>2'];

const shifted = (x: string, shift: string): string =>
  shift.endsWith('<0') ? x : `(${x} ${shift.slice(0, 2)} ${shift.slice(2)})`;

/** `q16 ^ q17 …`: `count` expressions joined. */
const joined = (count: number, term: (i: number) => string, by: string): string =>
  range(count).map(term).join(` ${by} `);

const wordType = ({ bits }: Variant): string => `u${bits}`;
const load = (v: Variant, base: string, i: number): string =>
  `load<${wordType(v)}>(${base}, ${((i % 16) * v.bits) / 8})`;
const rotl = (v: Variant, x: string, by: number): string => `rotl<${wordType(v)}>(${x}, ${by})`;

function substitute(v: Variant, i: number, x: string): string {
  const [right, left, ...rotations] = v.s[i]!;
  if (left === undefined) return `((${x} >> ${right}) ^ ${x})`;
  return `((${x} >> ${right}) ^ (${x} << ${left}) ^ ${rotations.map((by) => rotl(v, x, by)).join(' ^ ')})`;
}

/** f0: W i of x = message ^ chain. */
function sumOf(i: number): string {
  const terms = [...TERMS.split(' ')[i]!.matchAll(/([+-])(\d+)/g)];
  return terms.map(([, sign, n], at) => `${at === 0 && sign === '+' ? '' : sign}x${n!}`).join(' ');
}

function addElement(v: Variant, j: number): string {
  const term = (i: number): string => rotl(v, load(v, 'message', i), (i % 16) + 1);
  const constant = (BigInt(j + 16) * ((((1n << BigInt(v.bits)) - 1n) / 3n) >> 4n)).toString();
  return `((${term(j)} + ${term(j + 3)} - ${term(j + 10)} + ${constant}) ^ ${load(v, 'chain', j + 7)})`;
}

function expand1(v: Variant, j: number): string {
  const sum = joined(16, (i) => substitute(v, (i + 1) % 4, `q${j - 16 + i}`), '+');
  return `const q${j} = ${sum} + ${addElement(v, j - 16)};`;
}

/** Odd-numbered terms are rotated; the sum of the plain ones is carried from j to j + 2. */
function expand2(v: Variant, j: number): string[] {
  const sum = `sum${j % 2}`;
  const first = joined(7, (i) => `q${j - 16 + 2 * i}`, '+');
  const carried = `${sum} = ${j < 20 ? first : `${sum} - q${j - 18} + q${j - 4}`};`;
  const rotated = range(7).map((i) => rotl(v, `q${j - 15 + 2 * i}`, v.r[i]!));
  const last = [substitute(v, 4, `q${j - 2}`), substitute(v, 5, `q${j - 1}`)];
  const value = [sum, ...rotated, ...last, addElement(v, j - 16)];
  return [carried, `const q${j} = ${value.join(' + ')};`];
}

/** f2: word i of the next chain. */
function fold(v: Variant, i: number): string {
  const m = load(v, 'message', i);
  if (i < 8) {
    const [, high, q] = /^(..\d+)(..\d+)$/.exec(FOLD_HIGH.split(' ')[i]!)!;
    const first = `${shifted('xh', high!)} ^ ${shifted(`q${i + 16}`, q!)} ^ ${m}`;
    return `const h${i} = (${first}) + (xl ^ q${i + 24} ^ q${i});`;
  }
  const before = `q${16 + ((i + 7) % 8)}`;
  const last = `${shifted('xl', FOLD_LOW[i - 8]!)} ^ ${before} ^ q${i}`;
  const turned = rotl(v, `h${(i + 4) % 8}`, i + 1);
  return `const h${i} = ${turned} + (xh ^ q${i + 16} ^ ${m}) + (${last});`;
}

function compress(v: Variant): string {
  const type = wordType(v);
  const body = [
    `let sum0: ${type}; let sum1: ${type};`,
    ...range(16).map((i) => `const x${i} = ${load(v, 'message', i)} ^ ${load(v, 'chain', i)};`),
    ...range(16).map((i) => `const w${i} = ${sumOf(i)};`),
    ...range(16).map(
      (i) => `const q${i} = ${substitute(v, i % 5, `w${i}`)} + ${load(v, 'chain', i + 1)};`,
    ),
    ...[16, 17].map((j) => expand1(v, j)),
    ...range(14).flatMap((i) => expand2(v, i + 18)),
    `const xl = ${joined(8, (i) => `q${i + 16}`, '^')};`,
    `const xh = xl ^ ${joined(8, (i) => `q${i + 24}`, '^')};`,
    ...range(16).map((i) => fold(v, i)),
    ...range(16).map((i) => `store<${type}>(out, h${i}, ${(i * v.bits) / 8});`),
  ];
  return `export function compress(out: usize, chain: usize, message: usize): void {\n${lines(body)}}\n`;
}

export const sources: Readonly<Record<string, string>> = {
  bmw512: compress(BMW512),
  bmw256: compress(BMW256),
};
