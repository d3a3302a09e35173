/**
 * Writes the permutation Keccak-f[1600] (FIPS 202 §3.2 and §3.3) as AssemblyScript on 25 locals, two
 * rounds a turn of its loop.
 *
 *   permute(state)   25 little-endian words
 */
import { lines, load64, range, store64, table64 } from './words64.ts';

/** Bit t of the linear feedback shift register, §3.2.5 algorithm 5. */
function roundConstants(): bigint[] {
  let register = 1;
  return range(24).map(() => {
    let constant = 0n;
    for (let j = 0; j <= 6; j++) {
      if ((register & 1) !== 0) constant |= 1n << BigInt(2 ** j - 1);
      register <<= 1;
      if (register > 0xff) register ^= 0x171;
    }
    return constant;
  });
}

/** §3.2.2: offsets of lane x + 5 y. */
function rotations(): number[] {
  const offsets = range(25).map(() => 0);
  let [x, y] = [1, 0];
  for (let t = 0; t < 24; t++) {
    offsets[x + 5 * y] = (((t + 1) * (t + 2)) / 2) % 64;
    [x, y] = [y, (2 * x + 3 * y) % 5];
  }
  return offsets;
}

const ROTATIONS = rotations();
const rotl = (x: string, by: number): string => (by === 0 ? x : `rotl<u64>(${x}, ${by})`);

function round(constant: string): string[] {
  const next = (x: number): number => (x + 1) % 5;
  const statements = [
    ...range(5).map(
      (x) =>
        `c${x} = ${range(5)
          .map((y) => `a${x + 5 * y}`)
          .join(' ^ ')};`,
    ),
    ...range(5).map((x) => `d${x} = c${(x + 4) % 5} ^ ${rotl(`c${next(x)}`, 1)};`),
  ];
  for (let y = 0; y < 5; y++) {
    for (let x = 0; x < 5; x++) {
      const from = x + 5 * y;
      const to = y + 5 * ((2 * x + 3 * y) % 5);
      statements.push(`b${to} = ${rotl(`(a${from} ^ d${x})`, ROTATIONS[from]!)};`);
    }
  }
  for (let y = 0; y < 25; y += 5) {
    for (let x = 0; x < 5; x++) {
      const iota = x + y === 0 ? ` ^ ${constant}` : '';
      statements.push(`a${x + y} = b${x + y} ^ (~b${next(x) + y} & b${((x + 2) % 5) + y})${iota};`);
    }
  }
  return statements;
}

export const sources: Readonly<Record<string, string>> = {
  keccak: `${table64('CONSTANTS', roundConstants())}
export function permute(state: usize): void {
${lines([
  ...range(25).map((i) => `let a${i} = ${load64('state', i)};`),
  ...range(25).map((i) => `let b${i}: u64;`),
  ...range(5).map((i) => `let c${i}: u64; let d${i}: u64;`),
  'for (let at: usize = CONSTANTS, end: usize = CONSTANTS + 192; at < end; at += 16) {',
  ...round(load64('at', 0)),
  ...round(load64('at', 1)),
  '}',
  ...range(25).map((i) => store64('state', i, `a${i}`)),
])}}
`,
};
