/**
 * Writes the unrolled sha256 compression functions (FIPS 180-4 §6.2.2) as AssemblyScript, scalar and
 * with four hashes in the lanes of v128. Digests and blocks are words (the big-endian reading of the
 * bytes) so that the output of one hash is the input of the next; lanes are stored word by word.
 *
 * Per flavour:
 *   compress(state, words)              any block: 16 words
 *   compressScheduled(state, schedule)  a block known beforehand: its 64 sums W + K (not per lane)
 *   compressDigest(out, words)          sha256 of a 32-byte message of 8 words, from the initial state
 */

/** Fractional parts of roots of the first primes, computed exactly with bigints (FIPS 180-4 §4.2.2, §5.3.3). */
export function primes(count: number): bigint[] {
  const found: bigint[] = [];
  for (let n = 2n; found.length < count; n++) if (found.every((p) => n % p !== 0n)) found.push(n);
  return found;
}

export function root(value: bigint, degree: bigint): bigint {
  let low = 0n;
  let high = 1n << 72n;
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    if (middle ** degree <= value) low = middle;
    else high = middle - 1n;
  }
  return low;
}

const mask = 0xffffffffn;
export const K = primes(64).map((p) => Number(root(p << 96n, 3n) & mask));
export const IV = primes(8).map((p) => Number(root(p << 64n, 2n) & mask));

const hex = (word: number): string => `0x${(word >>> 0).toString(16).padStart(8, '0')}`;

interface Flavour {
  readonly type: string;
  add(...terms: string[]): string;
  xor(...terms: string[]): string;
  and(a: string, b: string): string;
  /** The terms whose exclusive or is a rotation. */
  rotr(a: string, n: number): string[];
  load(base: string, index: number): string;
  store(base: string, index: number, value: string): string;
  /** Entry of a table of plain u32. */
  table(base: string, index: number): string;
}

const scalar: Flavour = {
  type: 'u32',
  add: (...terms) => `(${terms.join(' + ')})`,
  xor: (...terms) => `(${terms.join(' ^ ')})`,
  and: (a, b) => `(${a} & ${b})`,
  rotr: (a, n) => [`rotr<u32>(${a}, ${n})`],
  load: (base, index) => `load<u32>(${base}, ${index * 4})`,
  store: (base, index, value) => `store<u32>(${base}, ${value}, ${index * 4});`,
  table: (base, index) => `load<u32>(${base}, ${index * 4})`,
};

const nest = (op: string, terms: readonly string[]): string =>
  terms.reduce((left, right) => `${op}(${left}, ${right})`);

const lanes: Flavour = {
  type: 'v128',
  add: (...terms) => nest('i32x4.add', terms),
  xor: (...terms) => nest('v128.xor', terms),
  and: (a, b) => `v128.and(${a}, ${b})`,
  rotr: (a, n) => [`i32x4.shr_u(${a}, ${n})`, `i32x4.shl(${a}, ${32 - n})`],
  load: (base, index) => `v128.load(${base}, ${index * 16})`,
  store: (base, index, value) => `v128.store(${base}, ${value}, ${index * 16});`,
  table: (base, index) => `v128.load32_splat(${base}, ${index * 4})`,
};

const shr = (x: string, n: number): string => `i32x4.shr_u(${x}, ${n})`;
const splat = (word: number): string => `i32x4.splat(${hex(word)})`;

const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** 64 rounds; `wk(t)` is the expression of W + K, with what must be computed before it. */
function rounds(by: Flavour, wk: (t: number) => { before?: string; value: string }): string[] {
  const lines = [`let ab: ${by.type}; let bc = ${by.xor('b', 'c')}; let t1: ${by.type};`];
  for (let t = 0; t < 64; t++) {
    const letter = (i: number): string => LETTERS[(i + 64 - t) % 8]!;
    const [a, b, d, e] = [letter(0), letter(1), letter(3), letter(4)];
    const [f, g, h] = [letter(5), letter(6), letter(7)];
    const now = t % 2 === 0 ? 'ab' : 'bc';
    const last = t % 2 === 0 ? 'bc' : 'ab';
    const s1 = by.xor(...by.rotr(e, 6), ...by.rotr(e, 11), ...by.rotr(e, 25));
    const ch = by.xor(g, by.and(e, by.xor(f, g)));
    const { before, value } = wk(t);
    if (before !== undefined) lines.push(before);
    lines.push(`t1 = ${by.add(by.add(h, value), ch, s1)};`);
    lines.push(`${d} = ${by.add(d, 't1')};`);
    // maj(a, b, c) = b ^ ((a ^ b) & (b ^ c)); a ^ b is b ^ c of the next round.
    lines.push(`${now} = ${by.xor(a, b)};`);
    const s0 = by.xor(...by.rotr(a, 2), ...by.rotr(a, 13), ...by.rotr(a, 22));
    lines.push(`${h} = ${by.add('t1', by.add(by.xor(b, by.and(now, last)), s0))};`);
  }
  return lines;
}

/** W of round t from 16 on; constants among its terms are added up here. */
function expand(t: number, known: (i: number) => number | undefined): string {
  const w = (i: number): string => `w${i % 16}`;
  const sigma0 = (x: string): string =>
    lanes.xor(...lanes.rotr(x, 7), ...lanes.rotr(x, 18), shr(x, 3));
  const sigma1 = (x: string): string =>
    lanes.xor(...lanes.rotr(x, 17), ...lanes.rotr(x, 19), shr(x, 10));
  const terms: string[] = [];
  let constant = 0;
  const term = (i: number, expression: string, value: (word: number) => number): void => {
    const word = known(i);
    if (word === undefined) terms.push(expression);
    else constant = (constant + value(word)) >>> 0;
  };
  term(t - 16, w(t), (x) => x);
  term(t - 7, w(t - 7), (x) => x);
  term(t - 15, sigma0(w(t - 15)), sigma0Of);
  term(t - 2, sigma1(w(t - 2)), sigma1Of);
  if (constant !== 0) terms.push(splat(constant));
  return `${w(t)} = ${lanes.add(...terms)};`;
}

const rotrOf = (x: number, n: number): number => ((x >>> n) | (x << (32 - n))) >>> 0;
const sigma0Of = (x: number): number => (rotrOf(x, 7) ^ rotrOf(x, 18) ^ (x >>> 3)) >>> 0;
const sigma1Of = (x: number): number => (rotrOf(x, 17) ^ rotrOf(x, 19) ^ (x >>> 10)) >>> 0;

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Four hashes; `known` words are not loaded. */
function compressLanes(known: ReadonlyMap<number, number>, fromIV: boolean): string[] {
  const value = (i: number): number | undefined => known.get(i);
  const lines = range(16).map((i) =>
    known.has(i) ? `let w${i}: ${lanes.type};` : `let w${i} = ${lanes.load('words', i)};`,
  );
  lines.push(...loadState(lanes, fromIV));
  const step = (t: number): { before?: string; value: string } => {
    if (t < 16) {
      const word = known.get(t);
      if (word === undefined) return { value: lanes.add(`w${t}`, lanes.table('K', t)) };
      return { value: splat((word + K[t]!) >>> 0) };
    }
    return { before: expand(t, value), value: lanes.add(`w${t % 16}`, lanes.table('K', t)) };
  };
  lines.push(...rounds(lanes, step));
  lines.push(...storeState(lanes, fromIV));
  return lines;
}

function loadState(f: Flavour, fromIV: boolean): string[] {
  return LETTERS.map(
    (name, i) => `let ${name} = ${fromIV ? f.table('INITIAL', i) : f.load('state', i)};`,
  );
}

function storeState(f: Flavour, fromIV: boolean): string[] {
  return LETTERS.map((name, i) =>
    f.store('state', i, f.add(name, fromIV ? f.table('INITIAL', i) : f.load('state', i))),
  );
}

/**
 * One hash with its schedule computed four words at a time: the rounds keep the integer units busy, the
 * vector units are idle otherwise. W + K goes through SCHEDULE, 16 rounds ahead of its use.
 */
function compressScalar(digest: boolean): string[] {
  const sigma = (x: string, a: number, b: number, shift: number): string =>
    lanes.xor(...lanes.rotr(x, a), ...lanes.rotr(x, b), shr(x, shift));
  const sum = (t: number, x: string): string =>
    `v128.store(SCHEDULE, i32x4.add(${x}, v128.load(K, ${t * 4})), ${t * 4});`;
  const words = range(4).map((i) =>
    digest && i >= 2
      ? `let x${i} = i32x4(${i === 2 ? '0x80000000, 0, 0, 0' : '0, 0, 0, 256'});`
      : `let x${i} = v128.load(words, ${i * 16});`,
  );
  /** Words t to t + 3; the last two need the first two. */
  const expandFour = (t: number): string[] => {
    const [x0, x1, x2, x3] = range(4).map((i) => `x${(t / 4 + i) % 4}`);
    return [
      `u = i32x4.shuffle(${x0}, ${x1}, 1, 2, 3, 4);`,
      `${x0} = i32x4.add(i32x4.add(${x0}, i32x4.shuffle(${x2}, ${x3}, 1, 2, 3, 4)), ${sigma('u', 7, 18, 3)});`,
      `u = i32x4.shuffle(${x3}, zero, 2, 3, 4, 5);`,
      `${x0} = i32x4.add(${x0}, ${sigma('u', 17, 19, 10)});`,
      `u = i32x4.shuffle(zero, ${x0}, 0, 1, 4, 5);`,
      `${x0} = i32x4.add(${x0}, ${sigma('u', 17, 19, 10)});`,
      sum(t, x0!),
    ];
  };
  return [
    'let u: v128; const zero = i32x4.splat(0);',
    ...words,
    ...range(4).map((i) => sum(i * 4, `x${i}`)),
    ...loadState(scalar, digest),
    ...rounds(scalar, (t) => {
      const value = scalar.table('SCHEDULE', t);
      return t % 4 === 0 && t < 48 ? { before: expandFour(t + 16).join('\n  '), value } : { value };
    }),
    ...storeState(scalar, digest),
  ];
}

/** The message of 32 bytes: its words 8 to 15 are padding and length. */
const DIGEST_PADDING = new Map(
  range(8).map((i) => [i + 8, i === 0 ? 0x80000000 : i === 7 ? 256 : 0]),
);

/** Sums W + K of the block that pads a message of exactly 64 bytes. */
function scheduleOf(words: readonly number[]): number[] {
  const w = [...words];
  for (let t = 16; t < 64; t++) {
    w.push((w[t - 16]! + w[t - 7]! + sigma0Of(w[t - 15]!) + sigma1Of(w[t - 2]!)) >>> 0);
  }
  return w.map((word, t) => (word + K[t]!) >>> 0);
}

const table = (name: string, values: readonly number[]): string =>
  `export const ${name}: usize = memory.data<u32>([${values.map(hex).join(', ')}]);`;

function body(name: string, args: string, lines: readonly string[]): string {
  return `export function ${name}(state: usize${args}): void {\n  ${lines.join('\n  ')}\n}\n`;
}

function source(f: Flavour, full: readonly string[], digest: readonly string[]): string {
  return [
    `import { INITIAL, K, SCHEDULE } from './sha256-tables';`,
    body('compress', ', words: usize', full),
    body('compressScheduled', ', schedule: usize', [
      ...loadState(f, false),
      ...rounds(f, (t) => ({ value: f.table('schedule', t) })),
      ...storeState(f, false),
    ]),
    body('compressDigest', ', words: usize', digest),
  ].join('\n');
}

const PADDING_64 = scheduleOf(range(16).map((i) => (i === 0 ? 0x80000000 : i === 15 ? 512 : 0)));

export const sources: Readonly<Record<string, string>> = {
  'sha256-tables': [
    table('K', K),
    table('INITIAL', IV),
    table('PADDING_64', PADDING_64),
    'export const SCHEDULE: usize = memory.data(256, 16);',
    '',
  ].join('\n'),
  'sha256-scalar': source(scalar, compressScalar(false), compressScalar(true)),
  'sha256-lanes': source(
    lanes,
    compressLanes(new Map(), false),
    compressLanes(DIGEST_PADDING, true),
  ),
};
