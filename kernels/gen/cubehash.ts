/**
 * Writes the rounds of CubeHash (submission to SHA-3, second round, §2.4) as AssemblyScript: 32 words
 * in 8 vectors, so that two of the four swaps of a round only rename vectors; two rounds a turn.
 *
 *   rounds(state, count)   an even number of rounds
 */
import { lines, range } from './words64.ts';

function rotate(x: string, by: number): string {
  return `v128.xor(i32x4.shl(${x}, ${by}), i32x4.shr_u(${x}, ${32 - by}))`;
}

/** Two rounds. `low[n]` is the variable of words 4 n to 4 n + 3; words 16 on are in `b0` to `b3`. */
function twoRounds(): string[] {
  let low = ['a0', 'a1', 'a2', 'a3'];
  const statements: string[] = [];
  const half = (by: number, swapLow: readonly number[], swapHigh: string): void => {
    for (let n = 0; n < 4; n++) statements.push(`b${n} = i32x4.add(b${n}, ${low[n]!});`);
    for (const name of low) statements.push(`${name} = ${rotate(name, by)};`);
    low = swapLow.map((n) => low[n]!);
    for (let n = 0; n < 4; n++) statements.push(`${low[n]!} = v128.xor(${low[n]!}, b${n});`);
    for (let n = 0; n < 4; n++)
      statements.push(`b${n} = i32x4.shuffle(b${n}, b${n}, ${swapHigh});`);
  };
  for (let round = 0; round < 2; round++) {
    half(7, [2, 3, 0, 1], '2, 3, 0, 1');
    half(11, [1, 0, 3, 2], '1, 0, 3, 2');
  }
  return statements;
}

const each = (statement: (name: string, at: number) => string): string[] =>
  range(8).map((i) => statement(i < 4 ? `a${i}` : `b${i - 4}`, i * 16));

export const sources: Readonly<Record<string, string>> = {
  cubehash: `
export function rounds(state: usize, count: i32): void {
${lines([
  ...each((name, at) => `let ${name} = v128.load(state, ${at});`),
  'for (let i = 0; i < count; i += 2) {',
  ...twoRounds(),
  '}',
  ...each((name, at) => `v128.store(state, ${name}, ${at});`),
])}}
`,
};
