/**
 * Writes Threefish-512 in the chaining of Skein (The Skein Hash Function Family, version 1.3, §3.3 and
 * §3.4) as unrolled AssemblyScript.
 *
 *   block(state, message, tweak0, tweak1)   state = Threefish(key: state, tweak, message) ^ message
 */
import { hex64, lines, load64, range, store64 } from './words64.ts';

/** §3.3, table 4: rotations of round d mod 8, and table 3: the words' permutation. */
const ROTATIONS: readonly (readonly number[])[] = [
  [46, 36, 19, 37],
  [33, 27, 14, 42],
  [17, 49, 36, 39],
  [44, 9, 54, 56],
  [39, 30, 34, 24],
  [13, 50, 10, 17],
  [25, 29, 39, 43],
  [8, 35, 56, 22],
];
const PERMUTATION = [2, 1, 4, 7, 6, 5, 0, 3];
/** §3.3.2: C240. */
const PARITY = 0x1bd11bdaa9fc1a22n;
const ROUNDS = 72;

/** The words stay in their variables; `place[i]` is the variable of word i. */
function rounds(): string[] {
  let place = range(8);
  const statements: string[] = [];
  const addKey = (s: number): void => {
    for (let i = 0; i < 8; i++) {
      const tweak =
        i === 5 ? ` + t${s % 3}` : i === 6 ? ` + t${(s + 1) % 3}` : i === 7 ? ` + ${s}` : '';
      statements.push(`x${place[i]!} += k${(s + i) % 9}${tweak};`);
    }
  };
  for (let round = 0; round < ROUNDS; round++) {
    if (round % 4 === 0) addKey(round / 4);
    for (let j = 0; j < 4; j++) {
      const [a, b] = [`x${place[2 * j]!}`, `x${place[2 * j + 1]!}`];
      statements.push(
        `${a} += ${b};`,
        `${b} = rotl<u64>(${b}, ${ROTATIONS[round % 8]![j]!}) ^ ${a};`,
      );
    }
    place = PERMUTATION.map((from) => place[from]!);
  }
  addKey(ROUNDS / 4);
  return [
    ...statements,
    ...range(8).map((i) => store64('state', i, `x${place[i]!} ^ ${load64('message', i)}`)),
  ];
}

export const sources: Readonly<Record<string, string>> = {
  skein: `
export function block(state: usize, message: usize, t0: u64, t1: u64): void {
${lines([
  ...range(8).map((i) => `const k${i} = ${load64('state', i)};`),
  `const k8 = ${range(8)
    .map((i) => `k${i}`)
    .join(' ^ ')} ^ ${hex64(PARITY)};`,
  'const t2 = t0 ^ t1;',
  ...range(8).map((i) => `let x${i} = ${load64('message', i)};`),
  ...rounds(),
])}}
`,
};
