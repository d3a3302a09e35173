/**
 * Writes the compression function C512 of SHAvite-3 (submission to SHA-3, second round, §4.2 with the
 * message expansion of §4.2.2) as AssemblyScript. State, message and keys are vectors in the tower of
 * nibbles.ts.
 *
 *   compress(state, block, counters)   `counters`: what is added to the keys of rounds 1, 5, 9 and 13 (13
 *                                      vectors of 16 bytes, three each for the first three of them)
 */
import * as aes from './aes.ts';
import * as nibbles from './nibbles.ts';
import { lines, range, table8 } from './words64.ts';

const { lookUp, xor } = nibbles;

let names = 0;

/** One AES round, with `order` done on the input first. */
const round = (x: string, order: string): string[] => {
  const p = `v${names++}_`;
  return [
    `let ${p}x = ${lookUp(x, order)};`,
    ...aes.round(`${p}x`, `${p}x`, p, 'forward', 'backward'),
    `x = ${xor(`${p}x`, 'constant')};`,
  ];
};

/** to ^= F⁴(from) with the keys from k${first} on. */
const feistel = (to: number, from: number, first: number): string[] => [
  `x = ${xor(`p${from}`, `k${first}`)};`,
  ...round('x', 'shift'),
  ...range(3).flatMap((i) => [`x = ${xor('x', `k${first + 1 + i}`)};`, ...round('x', 'shift')]),
  `p${to} = ${xor(`p${to}`, 'x')};`,
];

/** Keys by an AES round of the old key, its words rotated; `counter` gives what is added to some. */
const nonlinear = (counter: (i: number) => string | undefined): string[] =>
  range(8).flatMap((i) => {
    const added = counter(i);
    const terms = ['x', `k${(i + 7) % 8}`, ...(added === undefined ? [] : [added])];
    return [...round(`k${i}`, 'rotate_shift'), `k${i} = ${xor(...terms)};`];
  });

/** Word n of the keys ^= word n - 7. */
const linear = range(8).map(
  (i) => `k${i} = ${xor(`k${i}`, `i32x4.shuffle(k${(i + 6) % 8}, k${(i + 7) % 8}, 1, 2, 3, 4)`)};`,
);

const rotateThenShift = aes.shiftRows(1).map((at) => (at + 4) % 16);

export const sources: Readonly<Record<string, string>> = {
  shavite512: `
${aes.tables}
${table8('FORWARD', aes.neighbours(1, 0))}
${table8('BACKWARD', aes.neighbours(3, 0))}
${table8('SHIFT', aes.shiftRows(1))}
${table8('ROTATE_SHIFT', rotateThenShift)}
/** Into the tower, for the counters. */
export function enter(to: usize, y: v128): void {
${lines([...nibbles.loadCommon.slice(2), ...aes.loadConversions.slice(0, 2)])}
  v128.store(to, ${nibbles.map('into', 'y')});
}

export function compress(state: usize, block: usize, counters: usize): void {
${lines([
  ...aes.loadTables,
  ...aes.loadConversions,
  'const forward = v128.load(FORWARD); const backward = v128.load(BACKWARD);',
  'const shift = v128.load(SHIFT); const rotate_shift = v128.load(ROTATE_SHIFT);',
  'let x: v128;',
  ...range(4).flatMap((i) => [
    `x = v128.load(state, ${i * 16});`,
    `let p${i} = ${nibbles.map('into', 'x')};`,
  ]),
  ...range(8).flatMap((i) => [
    `x = v128.load(block, ${i * 16});`,
    `let k${i} = ${nibbles.map('into', 'x')};`,
  ]),
  ...feistel(0, 1, 0),
  ...feistel(2, 3, 4),
  'for (let i = 0; i < 3; i++) {',
  ...nonlinear(
    (i) =>
      (
        ({
          0: 'v128.load(counters)',
          1: 'v128.load(counters, 16)',
          7: 'v128.load(counters, 32)',
        }) as Record<number, string>
      )[i],
  ),
  ...feistel(3, 0, 0),
  ...feistel(1, 2, 4),
  ...linear,
  ...feistel(2, 3, 0),
  ...feistel(0, 1, 4),
  ...nonlinear(() => undefined),
  ...feistel(1, 2, 0),
  ...feistel(3, 0, 4),
  ...linear,
  ...feistel(0, 1, 0),
  ...feistel(2, 3, 4),
  'counters += 48;',
  '}',
  ...nonlinear((i) => (i === 6 ? 'v128.load(counters)' : undefined)),
  ...feistel(3, 0, 0),
  ...feistel(1, 2, 4),
  ...range(4).map((i) => {
    const p = `p${(i + 2) % 4}`;
    return `v128.store(state, ${xor(`v128.load(state, ${i * 16})`, nibbles.map('out_of', p))}, ${i * 16});`;
  }),
])}}
`,
};
