/**
 * Writes Luffa's message injection and permutations for w = 5 (submission to SHA-3, second round, §4) as
 * AssemblyScript. Word i of sub-states 0 to 3 stands in the lanes of the vector at 16 i, that of
 * sub-state 4 in the first lane at 128 + 16 i: the ring of five turns by one shuffle. In the rounds
 * sub-state 4 is in scalars, which the vectors leave idle.
 *
 *   absorb(state, block)   one block of 8 big-endian words, as plain words
 */
import { lines, range, table32 } from './words64.ts';

/** §4.4: step constants from the seeds of each permutation. */
const SEEDS: readonly (readonly [number, number])[] = [
  [0x181cca53, 0x380cde06],
  [0x5b6f0876, 0xf16f8594],
  [0x7e106ce9, 0x38979cb0],
  [0xbb62f364, 0x92e93c29],
  [0x9a025047, 0xcff2a940],
];

/** 8 rounds of two constants: for words 0 and 4. */
function constantsOf([seedLeft, seedRight]: readonly [number, number]): number[] {
  let [left, right] = [seedLeft, seedRight];
  return range(16).map(() => {
    const carry = left >>> 31 === 1;
    const shifted = (left << 1) | (right >>> 31);
    const constant = carry ? shifted ^ 0xc4d6496c : shifted;
    const next = carry ? (right << 1) ^ 0x55c61c8d : right << 1;
    [left, right] = [next, constant];
    return constant >>> 0;
  });
}

const CONSTANTS = SEEDS.map(constantsOf);
/** Per step the four lanes; then those of the fifth. */
const LANES = range(16).flatMap((step) => range(4).map((j) => CONSTANTS[j]![step]!));

interface Flavour {
  readonly name: string;
  xor(a: string, b: string): string;
  and(a: string, b: string): string;
  or(a: string, b: string): string;
  not(a: string): string;
  /** rotl(a, by) ^ b */
  rotateXor(a: string, by: number, b: string): string;
  rotate(a: string, by: number): string;
  constant(step: number): string;
}

const vector: Flavour = {
  name: 'a',
  xor: (a, b) => `v128.xor(${a}, ${b})`,
  and: (a, b) => `v128.and(${a}, ${b})`,
  or: (a, b) => `v128.or(${a}, ${b})`,
  not: (a) => `v128.not(${a})`,
  rotateXor: (a, by, b) =>
    `v128.xor(v128.xor(i32x4.shl(${a}, ${by}), ${b}), i32x4.shr_u(${a}, ${32 - by}))`,
  rotate: (a, by) => `v128.or(i32x4.shl(${a}, ${by}), i32x4.shr_u(${a}, ${32 - by}))`,
  constant: (step) => `v128.load(LANES, ${step * 16})`,
};

const scalar: Flavour = {
  name: 's',
  xor: (a, b) => `${a} ^ ${b}`,
  and: (a, b) => `${a} & ${b}`,
  or: (a, b) => `${a} | ${b}`,
  not: (a) => `~${a}`,
  rotateXor: (a, by, b) => `rotl<u32>(${a}, ${by}) ^ ${b}`,
  rotate: (a, by) => `rotl<u32>(${a}, ${by})`,
  constant: (step) => `0x${CONSTANTS[4]![step]!.toString(16)}`,
};

/** The S-box for four words, bit by bit (§4.3.1). */
function subCrumb(f: Flavour, words: readonly string[]): string[] {
  const [a, b, c, d] = words as [string, string, string, string];
  const t = `${f.name}t`;
  return [
    `${t} = ${a};`,
    `${a} = ${f.or(a, b)};`,
    `${c} = ${f.xor(c, d)};`,
    `${b} = ${f.not(b)};`,
    `${a} = ${f.xor(a, d)};`,
    `${d} = ${f.and(d, t)};`,
    `${b} = ${f.xor(b, d)};`,
    `${d} = ${f.xor(d, c)};`,
    `${c} = ${f.and(c, a)};`,
    `${a} = ${f.not(a)};`,
    `${c} = ${f.xor(c, b)};`,
    `${b} = ${f.or(b, d)};`,
    `${t} = ${f.xor(t, b)};`,
    `${d} = ${f.xor(d, c)};`,
    `${c} = ${f.and(c, b)};`,
    `${b} = ${f.xor(b, a)};`,
    `${a} = ${t};`,
  ];
}

function mixWord(f: Flavour, u: string, v: string): string[] {
  return [
    `${v} = ${f.xor(v, u)};`,
    `${u} = ${f.rotateXor(u, 2, v)};`,
    `${v} = ${f.rotateXor(v, 14, u)};`,
    `${u} = ${f.rotateXor(u, 10, v)};`,
    `${v} = ${f.rotate(v, 1)};`,
  ];
}

function step(f: Flavour, index: number): string[] {
  const word = (i: number): string => `${f.name}${i}`;
  return [
    ...subCrumb(f, [0, 1, 2, 3].map(word)),
    ...subCrumb(f, [5, 6, 7, 4].map(word)),
    ...range(4).flatMap((i) => mixWord(f, word(i), word(i + 4))),
    ...[0, 4].map((i, half) => `${word(i)} = ${f.xor(word(i), f.constant(2 * index + half))};`),
  ];
}

const xor = (a: string, b: string): string => `v128.xor(${a}, ${b})`;

/** Twice the element in words x0 to x7 (§4.2): new names, mostly for old words. */
function double(x: readonly string[], p: string): { names: string[]; statements: string[] } {
  const names = range(8).map((i) => ([1, 3, 4].includes(i) ? `${p}${i}` : x[(i + 7) % 8]!));
  const statements = [1, 3, 4].map((i) => `const ${p}${i} = ${xor(x[i - 1]!, x[7]!)};`);
  return { names, statements };
}

const named = (letter: string): string[] => range(8).map((i) => `${letter}${i}`);

/** a, b: sub-states 0 to 3 and 4. Adds to each twice itself and its neighbour in the ring, `turn` places on. */
function ring(turn: 1 | 4, p: string): string[] {
  const a = double(named('a'), `${p}a`);
  const b = double(named('b'), `${p}b`);
  const shuffle = turn === 1 ? '1, 2, 3, 4' : '4, 0, 1, 2';
  const lane = turn === 1 ? 0 : 3;
  return [
    ...a.statements,
    ...b.statements,
    ...range(8).flatMap((i) => [
      `const ${p}n${i} = ${xor(a.names[i]!, `i32x4.shuffle(a${i}, b${i}, ${shuffle})`)};`,
      `const ${p}m${i} = ${xor(b.names[i]!, `i32x4.shuffle(a${i}, a${i}, ${lane}, ${lane}, ${lane}, ${lane})`)};`,
    ]),
    ...range(8).map((i) => `a${i} = ${p}n${i}; b${i} = ${p}m${i};`),
  ];
}

/** Twice the sum of all sub-states, to each of them. */
function addSum(): string[] {
  const sums = range(8).flatMap((i) => [
    `let s_${i} = ${xor(`a${i}`, `i32x4.shuffle(a${i}, a${i}, 2, 3, 0, 1)`)};`,
    `s_${i} = ${xor(`s_${i}`, `i32x4.shuffle(s_${i}, s_${i}, 1, 0, 3, 2)`)};`,
    `s_${i} = ${xor(`s_${i}`, `i32x4.shuffle(b${i}, b${i}, 0, 0, 0, 0)`)};`,
  ]);
  const { names, statements } = double(named('s_'), 'sd');
  return [
    ...sums,
    ...statements,
    ...range(8).map(
      (i) => `a${i} = ${xor(`a${i}`, names[i]!)}; b${i} = ${xor(`b${i}`, names[i]!)};`,
    ),
  ];
}

/** Sub-state j gets 2^j times the message. */
function addMessage(): string[] {
  const statements = range(8).map((i) => `const m${i} = v128.load32_splat(block, ${i * 4});`);
  const powers = [named('m')];
  for (let j = 1; j < 5; j++) {
    const twice = double(powers[j - 1]!, `m${j}_`);
    statements.push(...twice.statements);
    powers.push(twice.names);
  }
  return [
    ...statements,
    ...range(8).flatMap((i) => {
      const [one, two, four, eight, sixteen] = powers.map((names) => names[i]!);
      const pair = (a: string, b: string): string => `i32x4.shuffle(${a}, ${b}, 0, 4, 0, 4)`;
      return [
        `a${i} = ${xor(`a${i}`, `i64x2.shuffle(${pair(one!, two!)}, ${pair(four!, eight!)}, 0, 2)`)};`,
        `b${i} = ${xor(`b${i}`, sixteen!)};`,
      ];
    }),
  ];
}

/** §4.3.3: words 4 to 7 of sub-state j turn by j: lanes 1 and 3 by one, then lanes 2 and 3 by two. */
const tweak = range(4).flatMap((i) => {
  const word = `a${i + 4}`;
  const turn = (by: number, lanes: string): string =>
    `${word} = i32x4.shuffle(${word}, ${vector.rotate(word, by)}, ${lanes});`;
  return [turn(1, '0, 5, 2, 7'), turn(2, '0, 1, 6, 7'), `s${i + 4} = rotl<u32>(s${i + 4}, 4);`];
});

export const sources: Readonly<Record<string, string>> = {
  luffa512: `${table32('LANES', LANES)}
export function absorb(state: usize, block: usize): void {
${lines([
  ...range(8).flatMap((i) => [
    `let a${i} = v128.load(state, ${i * 16});`,
    `let b${i} = v128.load(state, ${i * 16 + 128});`,
  ]),
  ...addSum(),
  ...ring(1, 'f'),
  ...ring(4, 'g'),
  ...addMessage(),
  ...range(8).map((i) => `let s${i}: u32 = i32x4.extract_lane(b${i}, 0);`),
  'let at: v128; let st: u32;',
  ...tweak,
  ...range(8).flatMap((i) => {
    const [a, s] = [step(vector, i), step(scalar, i)];
    return a.flatMap((statement, n) => [statement, s[n]!]);
  }),
  ...range(8).flatMap((i) => [
    `v128.store(state, a${i}, ${i * 16});`,
    `store<u32>(state, s${i}, ${i * 16 + 128});`,
  ]),
])}}
`,
};
