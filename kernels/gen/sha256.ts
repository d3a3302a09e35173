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
function primes(count: number): bigint[] {
  const found: bigint[] = [];
  for (let n = 2n; found.length < count; n++) if (found.every((p) => n % p !== 0n)) found.push(n);
  return found;
}

function root(value: bigint, degree: bigint): bigint {
  let low = 0n;
  let high = 1n << 48n;
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
  readonly size: number;
  add(...terms: string[]): string;
  xor(...terms: string[]): string;
  and(a: string, b: string): string;
  /** The terms whose exclusive or is a rotation. */
  rotr(a: string, n: number): string[];
  shr(a: string, n: number): string;
  constant(word: number): string;
  load(base: string, index: number): string;
  store(base: string, index: number, value: string): string;
  /** Entry of a table of plain u32. */
  table(base: string, index: number): string;
  /** A round constant. */
  k(t: number): string;
}

const scalar: Flavour = {
  type: 'u32',
  size: 4,
  add: (...terms) => `(${terms.join(' + ')})`,
  xor: (...terms) => `(${terms.join(' ^ ')})`,
  and: (a, b) => `(${a} & ${b})`,
  rotr: (a, n) => [`rotr<u32>(${a}, ${n})`],
  shr: (a, n) => `(${a} >>> ${n})`,
  constant: hex,
  load: (base, index) => `load<u32>(${base}, ${index * 4})`,
  store: (base, index, value) => `store<u32>(${base}, ${value}, ${index * 4});`,
  table: (base, index) => `load<u32>(${base}, ${index * 4})`,
  k: (t) => hex(K[t]!),
};

const nest = (op: string, terms: readonly string[]): string =>
  terms.reduce((left, right) => `${op}(${left}, ${right})`);

const lanes: Flavour = {
  type: 'v128',
  size: 16,
  add: (...terms) => nest('i32x4.add', terms),
  xor: (...terms) => nest('v128.xor', terms),
  and: (a, b) => `v128.and(${a}, ${b})`,
  rotr: (a, n) => [`i32x4.shr_u(${a}, ${n})`, `i32x4.shl(${a}, ${32 - n})`],
  shr: (a, n) => `i32x4.shr_u(${a}, ${n})`,
  constant: (word) => `i32x4.splat(${hex(word)})`,
  load: (base, index) => `v128.load(${base}, ${index * 16})`,
  store: (base, index, value) => `v128.store(${base}, ${value}, ${index * 16});`,
  table: (base, index) => `v128.load32_splat(${base}, ${index * 4})`,
  k: (t) => `v128.load32_splat(K, ${t * 4})`,
};

const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** 64 rounds; `wk(t)` is the expression of W + K, with what must be computed before it. */
function rounds(f: Flavour, wk: (t: number) => { before?: string; value: string }): string[] {
  const lines = [`let ab: ${f.type}; let bc = ${f.xor('b', 'c')}; let t1: ${f.type};`];
  for (let t = 0; t < 64; t++) {
    const [a, b, , d, e, g6, g7, h] = LETTERS.map((_, i) => LETTERS[(i + 64 - t) % 8]!) as [
      string, string, string, string, string, string, string, string,
    ];
    const [now, last] = t % 2 === 0 ? ['ab', 'bc'] : ['bc', 'ab'];
    const s1 = f.xor(...f.rotr(e, 6), ...f.rotr(e, 11), ...f.rotr(e, 25));
    const ch = f.xor(g7, f.and(e, f.xor(g6, g7)));
    const { before, value } = wk(t);
    if (before !== undefined) lines.push(before);
    lines.push(`t1 = ${f.add(f.add(h, value), ch, s1)};`);
    lines.push(`${d} = ${f.add(d, 't1')};`);
    // maj(a, b, c) = b ^ ((a ^ b) & (b ^ c)); a ^ b is b ^ c of the next round.
    lines.push(`${now} = ${f.xor(a, b)};`);
    const s0 = f.xor(...f.rotr(a, 2), ...f.rotr(a, 13), ...f.rotr(a, 22));
    lines.push(`${h} = ${f.add('t1', f.add(f.xor(b, f.and(now!, last!)), s0))};`);
  }
  return lines;
}

function expand(f: Flavour, t: number, known: (i: number) => number | undefined): string {
  const w = (i: number): string => `w${i % 16}`;
  const sigma0 = (x: string): string => f.xor(...f.rotr(x, 7), ...f.rotr(x, 18), f.shr(x, 3));
  const sigma1 = (x: string): string => f.xor(...f.rotr(x, 17), ...f.rotr(x, 19), f.shr(x, 10));
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
  if (constant !== 0) terms.push(f.constant(constant));
  return `${w(t)} = ${f.add(...terms)};`;
}

const rotrOf = (x: number, n: number): number => ((x >>> n) | (x << (32 - n))) >>> 0;
const sigma0Of = (x: number): number => (rotrOf(x, 7) ^ rotrOf(x, 18) ^ (x >>> 3)) >>> 0;
const sigma1Of = (x: number): number => (rotrOf(x, 17) ^ rotrOf(x, 19) ^ (x >>> 10)) >>> 0;

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

function compress(f: Flavour, known: ReadonlyMap<number, number>, fromIV: boolean): string[] {
  const value = (i: number): number | undefined => known.get(i);
  const lines = range(16).map((i) =>
    known.has(i) ? `let w${i}: ${f.type};` : `let w${i} = ${f.load('words', i)};`,
  );
  lines.push(...loadState(f, fromIV));
  const step = (t: number): { before?: string; value: string } => {
    if (t < 16) {
      const word = known.get(t);
      if (word === undefined) return { value: f.add(`w${t}`, f.k(t)) };
      return { value: f.constant((word + K[t]!) >>> 0) };
    }
    return { before: expand(f, t, value), value: f.add(`w${t % 16}`, f.k(t)) };
  };
  lines.push(...rounds(f, step));
  lines.push(...storeState(f, fromIV));
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

function source(f: Flavour): string {
  return [
    `import { K, INITIAL } from './sha256-tables';`,
    body('compress', ', words: usize', compress(f, new Map(), false)),
    body('compressScheduled', ', schedule: usize', [
      ...loadState(f, false),
      ...rounds(f, (t) => ({ value: f.table('schedule', t) })),
      ...storeState(f, false),
    ]),
    body('compressDigest', ', words: usize', compress(f, DIGEST_PADDING, true)),
  ].join('\n');
}

const PADDING_64 = scheduleOf(range(16).map((i) => (i === 0 ? 0x80000000 : i === 15 ? 512 : 0)));

export const sources: Readonly<Record<string, string>> = {
  'sha256-tables': [
    table('K', K),
    table('INITIAL', IV),
    table('PADDING_64', PADDING_64),
    '',
  ].join('\n'),
  'sha256-scalar': source(scalar),
  'sha256-lanes': source(lanes),
};
