/**
 * Writes scryptROMix with r = 1 (RFC 7914 §5, over salsa20/8 §3 and scryptBlockMix §4) as unrolled
 * AssemblyScript, in two shapes. `romix1` to `romix3`: a hash is 8 vectors in diagonal form, one to
 * three hashes interleaved instruction by instruction. `romix4`: four hashes in the lanes of 32 vectors.
 * Each works in place on the blocks at `x` and keeps N × 128 bytes per hash at `v`.
 */

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** The halves of the rotation are mixed in one by one: joined first, each step waits longer for its sum. */
const ADD_ROTATE_XOR = (to: string, a: string, b: string, by: number): string[] => [
  `s = i32x4.add(${a}, ${b});`,
  `${to} = v128.xor(v128.xor(${to}, i32x4.shl(s, ${by})), i32x4.shr_u(s, ${32 - by}));`,
];

/** Runs the same steps for several hashes in turn, so that their latencies overlap. */
function interleave(ways: number, steps: (name: (part: string) => string) => string[]): string[] {
  const each = range(ways).map((way) => steps((part) => `${part}_${way}`));
  return each[0]!.flatMap((_, step) => each.map((lines) => lines[step]!));
}

// ------------------------------------------------------------------ one hash in 4 diagonals per block

/** Two rounds; t0 to t3 are the diagonals (0 5 10 15) (4 9 14 3) (8 13 2 7) (12 1 6 11). */
function diagonalDoubleRound(name: (part: string) => string): string[] {
  const [t0, t1, t2, t3] = range(4).map((i) => name(`t${i}`)) as [string, string, string, string];
  const step = (to: string, a: string, b: string, by: number): string =>
    ADD_ROTATE_XOR(to, a, b, by).join(' ').replaceAll(/\bs\b/g, name('s'));
  const turn = (x: string, by: number): string =>
    `${x} = i32x4.shuffle(${x}, ${x}, ${range(4)
      .map((i) => (i + by) % 4)
      .join(', ')});`;
  return [
    step(t1, t0, t3, 7),
    step(t2, t1, t0, 9),
    step(t3, t2, t1, 13),
    step(t0, t3, t2, 18),
    turn(t1, 3),
    turn(t2, 2),
    turn(t3, 1),
    step(t3, t0, t1, 7),
    step(t2, t3, t0, 9),
    step(t1, t2, t3, 13),
    step(t0, t1, t2, 18),
    turn(t1, 1),
    turn(t2, 2),
    turn(t3, 3),
  ];
}

function diagonalBlockMix(ways: number): string[] {
  return [0, 4].flatMap((to) => [
    ...interleave(ways, (name) =>
      range(4).flatMap((i) => [
        `${name(`x${to + i}`)} = v128.xor(${name(`x${to + i}`)}, ${name(`x${(to + i + 4) % 8}`)});`,
        `${name(`t${i}`)} = ${name(`x${to + i}`)};`,
      ]),
    ),
    ...range(4).flatMap(() => interleave(ways, diagonalDoubleRound)),
    ...interleave(ways, (name) =>
      range(4).map((i) => {
        const x = name(`x${to + i}`);
        return `${x} = i32x4.add(${x}, ${name(`t${i}`)});`;
      }),
    ),
  ]);
}

function diagonalRomix(ways: number): string {
  const all = (lines: (way: number, i: number) => string): string[] =>
    range(ways).flatMap((way) => range(8).map((i) => lines(way, i)));
  return `
export function romix${ways}(x: usize, v: usize, n: u32): void {
  const size = <usize>n << 7;
  ${all((w, i) => `let x${i}_${w} = v128.load(x, ${w * 128 + i * 16});`).join('\n  ')}
  ${range(ways)
    .map(
      (w) =>
        `let s_${w}: v128; let t0_${w}: v128; let t1_${w}: v128; let t2_${w}: v128; let t3_${w}: v128;`,
    )
    .join('\n  ')}
  for (let at: usize = v, end = v + size; at < end; at += 128) {
    ${range(ways)
      .map((w) => `const v_${w} = at + ${w} * size;`)
      .join('\n    ')}
    ${all((w, i) => `v128.store(v_${w}, x${i}_${w}, ${i * 16});`).join('\n    ')}
    ${diagonalBlockMix(ways).join('\n    ')}
  }
  for (let i: u32 = 0; i < n; i++) {
    ${range(ways)
      .map(
        (w) =>
          `const v_${w} = v + ${w} * size + (<usize>(i32x4.extract_lane(x4_${w}, 0) & (n - 1)) << 7);`,
      )
      .join('\n    ')}
    ${all((w, i) => `x${i}_${w} = v128.xor(x${i}_${w}, v128.load(v_${w}, ${i * 16}));`).join('\n    ')}
    ${diagonalBlockMix(ways).join('\n    ')}
  }
  ${all((w, i) => `v128.store(x, x${i}_${w}, ${w * 128 + i * 16});`).join('\n  ')}
}
`;
}

// ------------------------------------------------------------------ four hashes in lanes

const ROUNDS: readonly (readonly [number, number, number, number])[] = [
  [0, 4, 8, 12],
  [5, 9, 13, 1],
  [10, 14, 2, 6],
  [15, 3, 7, 11],
  [0, 1, 2, 3],
  [5, 6, 7, 4],
  [10, 11, 8, 9],
  [15, 12, 13, 14],
];

function laneDoubleRound(): string[] {
  return ROUNDS.flatMap(([a, b, c, d]) => [
    ...ADD_ROTATE_XOR(`t${b}`, `t${a}`, `t${d}`, 7),
    ...ADD_ROTATE_XOR(`t${c}`, `t${b}`, `t${a}`, 9),
    ...ADD_ROTATE_XOR(`t${d}`, `t${c}`, `t${b}`, 13),
    ...ADD_ROTATE_XOR(`t${a}`, `t${d}`, `t${c}`, 18),
  ]);
}

function laneBlockMix(): string[] {
  return [0, 16].flatMap((to) => [
    ...range(16).flatMap((i) => [
      `x${to + i} = v128.xor(x${to + i}, x${(to + i + 16) % 32});`,
      `t${i} = x${to + i};`,
    ]),
    ...range(4).flatMap(laneDoubleRound),
    ...range(16).map((i) => `x${to + i} = i32x4.add(x${to + i}, t${i});`),
  ]);
}

/** Four vectors of words × lanes → four of lanes × words; the same operation leads back. */
function transpose(from: readonly string[], to: readonly string[]): string[] {
  const [a, b, c, d] = from;
  return [
    `p = i32x4.shuffle(${a}, ${b}, 0, 4, 1, 5); q = i32x4.shuffle(${c}, ${d}, 0, 4, 1, 5);`,
    `r = i32x4.shuffle(${a}, ${b}, 2, 6, 3, 7); s = i32x4.shuffle(${c}, ${d}, 2, 6, 3, 7);`,
    `${to[0]} = i64x2.shuffle(p, q, 0, 2); ${to[1]} = i64x2.shuffle(p, q, 1, 3);`,
    `${to[2]} = i64x2.shuffle(r, s, 0, 2); ${to[3]} = i64x2.shuffle(r, s, 1, 3);`,
  ];
}

function laneRomix(): string {
  const t = ['t0', 't1', 't2', 't3'];
  const words = (quad: number): string[] => range(4).map((i) => `x${quad * 4 + i}`);
  const store = (quad: number): string[] => [
    ...transpose(words(quad), t),
    ...t.map((name, lane) => `v128.store(v_${lane}, ${name}, ${quad * 16});`),
  ];
  const mixIn = (quad: number): string[] => [
    ...t.map((name, lane) => `${name} = v128.load(v_${lane}, ${quad * 16});`),
    ...transpose(t, t),
    ...words(quad).map((x, i) => `${x} = v128.xor(${x}, ${t[i]!});`),
  ];
  return `
export function romix4(x: usize, v: usize, n: u32): void {
  const size = <usize>n << 7;
  ${range(32)
    .map((i) => `let x${i} = v128.load(x, ${i * 16});`)
    .join('\n  ')}
  ${range(16)
    .map((i) => `let t${i}: v128;`)
    .join(' ')}
  let p: v128; let q: v128; let r: v128; let s: v128;
  for (let at: usize = v, end = v + size; at < end; at += 128) {
    ${range(4)
      .map((lane) => `const v_${lane} = at + ${lane} * size;`)
      .join('\n    ')}
    ${range(8).flatMap(store).join('\n    ')}
    ${laneBlockMix().join('\n    ')}
  }
  for (let i: u32 = 0; i < n; i++) {
    ${range(4)
      .map(
        (lane) =>
          `const v_${lane} = v + ${lane} * size + (<usize>(i32x4.extract_lane(x16, ${lane}) & (n - 1)) << 7);`,
      )
      .join('\n    ')}
    ${range(8).flatMap(mixIn).join('\n    ')}
    ${laneBlockMix().join('\n    ')}
  }
  ${range(32)
    .map((i) => `v128.store(x, x${i}, ${i * 16});`)
    .join('\n  ')}
}
`;
}

export const sources: Readonly<Record<string, string>> = {
  romix: [1, 2, 3].map(diagonalRomix).join('') + laneRomix(),
};
