/**
 * Writes the compression function of HEFTY1 (Heavycoin, 2014) as AssemblyScript: that of SHA-256 with a
 * sponge of four words beside it, which takes in what the rounds do and changes one bit, or none, of
 * each word that they use. What the sponge branches on is selected without jumps: nothing predicts it.
 *
 *   compress(state, sponge, words)   8, 4 and 16 words, the big-endian reading of the bytes
 */

/** Sponge words: r takes in, c0 to c2 keep. Every step depends on the one before it. */
const MANGLE = [
  // Nibbles of r folded byte by byte: the distances of rotations 0 to 3 from the top byte down.
  'p = (r ^ (r >>> 4)) & 0x0f0f0f0f;',
  'c0 ^= rotr<u32>(r, p >>> 24);',
  'm = c0;',
  ...diffuse('c1', 1),
  'm ^= c1;',
  ...diffuse('c2', 2),
  'r ^= (c0 ^ c1) + c2;',
];

/** One of four ways to change `c`; the way is m folded to two bits by exclusive or. */
function diffuse(c: string, distance: number): string[] {
  return [
    'low = popcnt<u32>(m & 0x55555555) & 1;',
    'high = popcnt<u32>(m & 0xaaaaaaaa) & 1;',
    `turned = rotr<u32>(r, ${distance});`,
    `way0 = ${c} ^ rotr<u32>(turned, p >>> 24);`,
    `way1 = ${c} + ~rotr<u32>(turned, p >>> 16);`,
    `way2 = ${c} & ~rotr<u32>(turned, p >>> 8);`,
    `way3 = ${c} ^ rotr<u32>(turned, p);`,
    'way0 = select<u32>(way1, way0, low);',
    'way2 = select<u32>(way3, way2, low);',
    `${c} = select<u32>(way2, way0, high);`,
  ];
}

/** to = x with a bit cleared, set, flipped or left alone as the sponge says, which then moves on. */
const branch = (to: string, x: string): string[] => [
  `${to} = (${x} & ~(((r ^ (r >>> 1)) & 1) << (r >>> 8))) ^ (((r >>> 1) & 1) << (r >>> 8));`,
  ...MANGLE,
];

const rotations = (x: string, ...by: number[]): string =>
  `(${by.map((n) => `rotr<u32>(${x}, ${n})`).join(' ^ ')})`;

const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** The order of branches is part of the function. */
const ROUND = [
  'r ^= select<u32>(d ^ h, d + h, t < 16);',
  ...MANGLE,
  ...branch('x', 'g'),
  ...branch('y', 'f'),
  't1 = ((e & y) ^ (~e & x)) + h + load<u32>(SCHEDULE + (t << 2));',
  ...branch('x', 'e'),
  `t1 += ${rotations('x', 6, 11, 25)};`,
  ...branch('x', 'c'),
  ...branch('y', 'b'),
  ...branch('z', 'a'),
  't2 = (z & y) ^ (z & x) ^ (y & x);',
  ...branch('x', 'a'),
  `t2 += ${rotations('x', 2, 13, 22)};`,
  ...branch('x', 't1'),
  'h = g; g = f; f = e; e = d + x; d = c; c = b; b = a; a = t1 + t2;',
];

const SPONGE = ['r', 'c0', 'c1', 'c2'];

export const sources: Readonly<Record<string, string>> = {
  hefty1: `
import { K } from './sha256-tables';

/** W + K of the 64 rounds. */
const SCHEDULE: usize = memory.data(256, 16);

function expand(words: usize): void {
  for (let t: usize = 0; t < 64; t++) {
    const at = SCHEDULE + (t << 2);
    if (t < 16) {
      store<u32>(at, load<u32>(words + (t << 2)));
      continue;
    }
    const w15 = load<u32>(at - 15 * 4);
    const w2 = load<u32>(at - 2 * 4);
    const s0 = rotr<u32>(w15, 7) ^ rotr<u32>(w15, 18) ^ (w15 >>> 3);
    const s1 = rotr<u32>(w2, 17) ^ rotr<u32>(w2, 19) ^ (w2 >>> 10);
    store<u32>(at, load<u32>(at - 16 * 4) + s0 + load<u32>(at - 7 * 4) + s1);
  }
  for (let t: usize = 0; t < 64; t++) {
    const at = SCHEDULE + (t << 2);
    store<u32>(at, load<u32>(at) + load<u32>(K + (t << 2)));
  }
}

export function compress(state: usize, sponge: usize, words: usize): void {
  let p: u32; let m: u32; let low: u32; let high: u32; let turned: u32;
  let way0: u32; let way1: u32; let way2: u32; let way3: u32;
  let t1: u32; let t2: u32; let x: u32; let y: u32; let z: u32;
  ${SPONGE.map((word, i) => `let ${word} = load<u32>(sponge, ${i * 4});`).join('\n  ')}
  ${LETTERS.map((word, i) => `let ${word} = load<u32>(state, ${i * 4});`).join('\n  ')}
  expand(words);
  for (let t: usize = 0; t < 16; t++) {
    r ^= load<u32>(words + (t << 2)) ^ load<u32>(K + (t << 2));
    ${MANGLE.join('\n    ')}
  }
  for (let t: usize = 0; t < 64; t++) {
    ${ROUND.join('\n    ')}
  }
  ${SPONGE.map((word, i) => `store<u32>(sponge, ${word}, ${i * 4});`).join('\n  ')}
  ${LETTERS.map((word, i) => `store<u32>(state, load<u32>(state, ${i * 4}) + ${word}, ${i * 4});`).join('\n  ')}
}
`,
};
