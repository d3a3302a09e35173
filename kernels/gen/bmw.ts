/**
 * Writes the Blue Midnight Wish compression function (second-round submission to SHA-3, §2.3, tables 2.2
 * to 2.5) as unrolled AssemblyScript, with words of 64 bits (BMW-512) and of 32 bits (BMW-256).
 * Words are little-endian.
 *
 *   compress(out, chain, message)   16 words each; `out` may be either of the others
 */
import { range } from './words64.ts';

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

function compress({ bits, s, r }: Variant): string {
  const type = `u${bits}`;
  const bytes = bits / 8;
  const word = (base: string, i: number): string => `load<${type}>(${base}, ${(i % 16) * bytes})`;
  const rotl = (x: string, by: number): string => `rotl<${type}>(${x}, ${by})`;
  const S = (i: number, x: string): string => {
    const [right, left, ...rotations] = s[i]!;
    if (left === undefined) return `((${x} >> ${right}) ^ ${x})`;
    return `((${x} >> ${right}) ^ (${x} << ${left}) ^ ${rotations.map((by) => rotl(x, by)).join(' ^ ')})`;
  };
  const sums = range(16).map((i) => {
    const terms = [...TERMS.split(' ')[i]!.matchAll(/([+-])(\d+)/g)];
    return terms.map(([, sign, n], at) => `${at === 0 && sign === '+' ? '' : sign}x${n!}`).join(' ');
  });
  const addElement = (j: number): string => {
    const term = (i: number): string => rotl(`${word('message', i)}`, (i % 16) + 1);
    const constant = (BigInt(j + 16) * (((1n << BigInt(bits)) - 1n) / 3n >> 4n)).toString();
    return `((${term(j)} + ${term(j + 3)} - ${term(j + 10)} + ${constant}) ^ ${word('chain', j + 7)})`;
  };
  const expand1 = (j: number): string =>
    range(16).map((i) => S((i + 1) % 4, `q${j - 16 + i}`)).join(' + ');
  /** Odd-numbered terms are rotated; the sum of the plain ones is carried from j to j + 2. */
  const expand2 = (j: number): string[] => {
    const sum = `sum${j % 2}`;
    const carried =
      j < 20
        ? `${sum} = ${range(7).map((i) => `q${j - 16 + 2 * i}`).join(' + ')};`
        : `${sum} = ${sum} - q${j - 18} + q${j - 4};`;
    const rotated = range(7).map((i) => rotl(`q${j - 15 + 2 * i}`, r[i]!));
    const value = [sum, ...rotated, S(4, `q${j - 2}`), S(5, `q${j - 1}`), addElement(j - 16)];
    return [carried, `const q${j} = ${value.join(' + ')};`];
  };
  const xor = (from: number): string => range(8).map((i) => `q${from + i}`).join(' ^ ');
  const fold = (i: number): string => {
    const m = word('message', i);
    if (i < 8) {
      const [, high, q] = /^(..\d+)(..\d+)$/.exec(FOLD_HIGH.split(' ')[i]!)!;
      return `const h${i} = (${shifted('xh', high!)} ^ ${shifted(`q${i + 16}`, q!)} ^ ${m}) + (xl ^ q${i + 24} ^ q${i});`;
    }
    const before = `q${16 + ((i + 7) % 8)}`;
    return `const h${i} = ${rotl(`h${(i + 4) % 8}`, i + 1)} + (xh ^ q${i + 16} ^ ${m}) + (${shifted('xl', FOLD_LOW[i - 8]!)} ^ ${before} ^ q${i});`;
  };
  const body = [
    `let sum0: ${type}; let sum1: ${type};`,
    ...range(16).map((i) => `const x${i} = ${word('message', i)} ^ ${word('chain', i)};`),
    ...range(16).map((i) => `const w${i} = ${sums[i]!};`),
    ...range(16).map((i) => `const q${i} = ${S(i % 5, `w${i}`)} + ${word('chain', i + 1)};`),
    ...[16, 17].map((j) => `const q${j} = ${expand1(j)} + ${addElement(j - 16)};`),
    ...range(14).flatMap((i) => expand2(i + 18)),
    `const xl = ${xor(16)};`,
    `const xh = xl ^ ${xor(24)};`,
    ...range(16).map(fold),
    ...range(16).map((i) => `store<${type}>(out, h${i}, ${i * bytes});`),
  ];
  return `export function compress(out: usize, chain: usize, message: usize): void {\n  ${body.join('\n  ')}\n}\n`;
}

export const sources: Readonly<Record<string, string>> = {
  bmw512: compress(BMW512),
  bmw256: compress(BMW256),
};
