/**
 * Writes SIMD-512 (submission to SHA-3, version 1.1, §1) as AssemblyScript. The message expansion is a
 * number-theoretic transform of 256 points modulo 257, done as 16 × 16: both halves need only
 * shifts (2 is a root of unity of order 16), with one multiplication between them, on vectors of 16-bit
 * integers. The bounds of every value are tracked here, and a reduction is written where one is needed.
 *
 *   expand(words, block, offsets)   128 bytes → 32 × 8 words; OFFSETS or FINAL_OFFSETS
 *   steps(state, block, words)      the 36 steps, on the state mixed with the block
 */
import { lines, range, table32 } from './words64.ts';

const P = 257;
/** The root of unity of order 256. */
const ALPHA = 41;

const power = (base: number, exponent: number): number => {
  let result = 1;
  for (let i = 0; i < exponent; i++) result = (result * base) % P;
  return result;
};
/** The representative from -128 to 128. */
const centred = (x: number): number => ((((x + 128) % P) + P) % P) - 128;

/** A vector of eight integers, in the local `name`, between bounds. */
interface Value {
  readonly name: string;
  readonly least: number;
  readonly most: number;
}

const fits = (least: number, most: number): boolean => least >= -32768 && most <= 32767;

class Writer {
  readonly statements: string[] = [];
  #names = 0;

  let(expression: string, least: number, most: number): Value {
    if (!fits(least, most)) throw new RangeError(`${expression}: ${least} to ${most}`);
    const name = `n${this.#names++}`;
    this.statements.push(`const ${name} = ${expression};`);
    return { name, least, most };
  }

  /** 256 is -1. */
  reduce({ name, least, most }: Value): Value {
    const expression = `i16x8.sub(v128.and(${name}, byte), i16x8.shr_s(${name}, 8))`;
    return this.let(expression, -(most >> 8), 255 - (least >> 8));
  }

  /** To the representative from -128 to 128. */
  centre(value: Value): Value {
    const { name, least, most } = this.reduce(value);
    if (least < -128 || most > 128 + P) throw new RangeError(`centre: ${least} to ${most}`);
    return this.let(`i16x8.sub(${name}, v128.and(i16x8.gt_s(${name}, limit), p))`, -128, 128);
  }

  shift(value: Value, by: number): Value {
    if (by === 0) return value;
    let from = value;
    if (!fits(from.least * 2 ** by, from.most * 2 ** by)) from = this.reduce(from);
    if (!fits(from.least * 2 ** by, from.most * 2 ** by)) from = this.centre(value);
    return this.let(`i16x8.shl(${from.name}, ${by})`, from.least * 2 ** by, from.most * 2 ** by);
  }

  /** a + b and a - b */
  butterfly(a: Value, b: Value): [Value, Value] {
    const room = ([x, y]: [Value, Value]): boolean =>
      fits(x.least + y.least, x.most + y.most) && fits(x.least - y.most, x.most - y.least);
    const span = ({ least, most }: Value): number => most - least;
    let [x, y] = [a, b];
    while (!room([x, y])) {
      if (span(x) > span(y)) x = this.reduce(x);
      else y = this.reduce(y);
    }
    return [
      this.let(`i16x8.add(${x.name}, ${y.name})`, x.least + y.least, x.most + y.most),
      this.let(`i16x8.sub(${x.name}, ${y.name})`, x.least - y.most, x.most - y.least),
    ];
  }

  /** Transform with root 2^(16 / inputs); undefined inputs are zero. */
  transform(inputs: readonly (Value | undefined)[]): Value[] {
    const [first, second] = inputs;
    if (first === undefined) throw new RangeError('an input of zeros');
    if (inputs.length === 2)
      return second === undefined ? [first, first] : this.butterfly(first, second);
    const half = inputs.length / 2;
    const even = this.transform(inputs.filter((_, i) => i % 2 === 0));
    const odd = this.transform(inputs.filter((_, i) => i % 2 === 1));
    const pairs = range(half).map((i) =>
      this.butterfly(even[i]!, this.shift(odd[i]!, (16 / inputs.length) * i)),
    );
    return [...pairs.map((pair) => pair[0]), ...pairs.map((pair) => pair[1])];
  }

  /** 8 × 8 */
  transpose(rows: readonly Value[]): Value[] {
    const least = Math.min(...rows.map((row) => row.least));
    const most = Math.max(...rows.map((row) => row.most));
    const zip = (kind: string, a: Value, b: Value, lanes: string): Value =>
      this.let(`${kind}.shuffle(${a.name}, ${b.name}, ${lanes})`, least, most);
    const stage = (
      kind: string,
      of: readonly Value[],
      by: number,
      low: string,
      high: string,
    ): Value[] => {
      const next: Value[] = [];
      for (let i = 0; i < 8; i++) {
        if ((i & by) !== 0) continue;
        next[i] = zip(kind, of[i]!, of[i + by]!, low);
        next[i + by] = zip(kind, of[i]!, of[i + by]!, high);
      }
      return next;
    };
    const twos = stage('i16x8', rows, 1, '0, 8, 1, 9, 2, 10, 3, 11', '4, 12, 5, 13, 6, 14, 7, 15');
    const fours = stage('i32x4', twos, 2, '0, 4, 1, 5', '2, 6, 3, 7');
    const eights = stage('i64x2', fours, 4, '0, 2', '1, 3');
    return range(8).map((column) => {
      const [a, b, c] = [column >> 2, (column >> 1) & 1, column & 1];
      return eights[a + 2 * b + 4 * c]!;
    });
  }
}

/** Rows 0 to 15 of the transform, two vectors each. */
function transformRows(w: Writer): Value[][] {
  const halves = range(2).map((half) => {
    const inputs = range(16).map((row) => {
      if (row >= 8) return undefined;
      const extend = `i16x8.extend_${half === 0 ? 'low' : 'high'}_i8x16_u`;
      return w.let(`${extend}(v128.load(block, ${row * 16}))`, 0, 255);
    });
    const columns = w.transform(inputs).map((value, row) => {
      if (row === 0) return w.reduce(value);
      const twiddle = `v128.load(TWIDDLES, ${row * 32 + half * 16})`;
      return w.reduce(w.let(`i16x8.mul(${w.centre(value).name}, ${twiddle})`, -16384, 16384));
    });
    return [w.transpose(columns.slice(0, 8)), w.transpose(columns.slice(8))];
  });
  return range(2).map((side) => w.transform([...halves[0]![side]!, ...halves[1]![side]!]));
}

/** Order of the rows in each of the four rounds (§1.2.2, table 1.1). */
const ORDER = [
  [4, 6, 0, 2, 7, 5, 3, 1],
  [15, 11, 12, 8, 9, 13, 10, 14],
  [1, 2, 7, 4, 6, 5, 0, 3],
  [6, 0, 1, 7, 3, 5, 4, 2],
];

function expand(): string[] {
  const w = new Writer();
  const sides = transformRows(w).map((rows, side) =>
    rows.map((row, i) => {
      const reduced = w.reduce(row);
      const offset = `v128.load(offsets, ${i * 32 + side * 16})`;
      const sum = w.let(
        `i16x8.add(${reduced.name}, ${offset})`,
        reduced.least - 128,
        reduced.most + 128,
      );
      return w.centre(sum).name;
    }),
  );
  ORDER.forEach((rows, round) =>
    rows.forEach((row, step) =>
      sides.forEach((side, i) => {
        const [a, b] = [side[row]!, side[(row + 8) % 16]!];
        const pairs = [
          a,
          a,
          `v128.or(v128.and(${a}, even), i32x4.shl(${b}, 16))`,
          `v128.or(i32x4.shr_u(${a}, 16), v128.andnot(${b}, even))`,
        ];
        const factor = round < 2 ? 'inner' : 'outer';
        w.statements.push(
          `v128.store(words, i16x8.mul(${pairs[round]!}, ${factor}), ${(round * 8 + step) * 32 + i * 16});`,
        );
      }),
    ),
  );
  return [
    'const byte = i16x8.splat(255); const limit = i16x8.splat(128); const p = i16x8.splat(257);',
    'const even = i32x4.splat(0xffff); const inner = i16x8.splat(185); const outer = i16x8.splat(233);',
    ...w.statements,
  ];
}

/** Words of two 16-bit integers each. */
const packed = (values: readonly number[]): number[] =>
  range(values.length / 2).map((i) => (values[2 * i]! & 0xffff) | (values[2 * i + 1]! << 16));

const inverse = (exponent: number): number => power(power(ALPHA, 255), exponent);
const offsets = range(256).map((i) => centred(inverse(i)));
const finalOffsets = range(256).map((i) => centred(inverse(i) + inverse(3 * i)));
const twiddles = range(256).map((i) => centred(power(ALPHA, (i >> 4) * (i & 15))));

// ------------------------------------------------------------------ the steps, §1.3

const ROTATIONS = [
  [3, 23, 17, 27],
  [28, 19, 22, 7],
  [29, 9, 15, 5],
  [4, 13, 10, 25],
];
/** The permutation of step i mod 7 takes word j from j ^ EXCHANGES[i]. */
const EXCHANGES = [1, 6, 2, 3, 5, 7, 4];

const xor = (a: string, b: string): string => `v128.xor(${a}, ${b})`;
const and = (a: string, b: string): string => `v128.and(${a}, ${b})`;
const add = (a: string, b: string): string => `i32x4.add(${a}, ${b})`;

function steps(): string[] {
  const load = (i: number): string => {
    const at = `${i * 16}`;
    return xor(`v128.load(state, ${at})`, `v128.load(block, ${at})`);
  };
  let names = ['a', 'b', 'c', 'd'];
  const statements = names.flatMap((name, i) =>
    range(2).map((half) => `let ${name}${half} = ${load(2 * i + half)};`),
  );
  for (let step = 0; step < 36; step++) {
    const [round, at] = [Math.min(step >> 3, 3), step % 8];
    const majority = step < 32 && at >= 4;
    const [first, second] = [ROTATIONS[round]![step % 4]!, ROTATIONS[round]![(step + 1) % 4]!];
    const [a, b, c, d] = names as [string, string, string, string];
    const exchange = EXCHANGES[step % 7]!;
    const word = (half: number): string =>
      step < 32
        ? `v128.load(words, ${step * 32 + half * 16})`
        : `v128.load(state, ${(step - 32) * 32 + half * 16})`;
    for (const half of [0, 1]) {
      const [x, y, z] = [`${a}${half}`, `${b}${half}`, `${c}${half}`];
      const f = majority ? xor(y, and(xor(x, y), xor(y, z))) : xor(z, and(x, xor(y, z)));
      statements.push(`t${half} = ${add(add(`${d}${half}`, word(half)), f)};`);
    }
    for (const half of [0, 1]) statements.push(`${a}${half} = ${rotate(`${a}${half}`, first)};`);
    for (const half of [0, 1]) {
      const from = `${a}${half ^ (exchange >> 2)}`;
      const lanes = range(4).map((lane) => lane ^ (exchange & 3));
      const moved =
        exchange % 4 === 0 ? from : `i32x4.shuffle(${from}, ${from}, ${lanes.join(', ')})`;
      statements.push(`${d}${half} = ${add(rotate(`t${half}`, second), moved)};`);
    }
    names = [d, a, b, c];
  }
  return [
    'let t0: v128; let t1: v128;',
    ...statements,
    ...names.flatMap((name, i) =>
      range(2).map((half) => `v128.store(state, ${name}${half}, ${(2 * i + half) * 16});`),
    ),
  ];
}

function rotate(x: string, by: number): string {
  return `v128.or(i32x4.shl(${x}, ${by}), i32x4.shr_u(${x}, ${32 - by}))`;
}

export const sources: Readonly<Record<string, string>> = {
  simd512: `
${table32('TWIDDLES', packed(twiddles))}
${table32('OFFSETS', packed(offsets))}
${table32('FINAL_OFFSETS', packed(finalOffsets))}
export function expand(words: usize, block: usize, offsets: usize): void {
${lines(expand())}}
export function steps(state: usize, block: usize, words: usize): void {
${lines(steps())}}
`,
};
