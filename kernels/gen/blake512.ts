/**
 * Writes the BLAKE-512 compression function (SHA-3 proposal BLAKE, version 1.4, §2.2) as unrolled
 * AssemblyScript: 16 rounds, no salt. Words are the big-endian reading of the bytes.
 *
 *   compress(state, words, bits)   `bits`: of the message so far, without padding; 0 for a block that
 *                                  holds none of it
 */
import { QUARTERS, SIGMA, fractionOfPi } from './blake256.ts';
import { MASK64, hex64, lines, load64, primes64, range, store64, table64 } from './words64.ts';

/** §2.2.1. */
const C = fractionOfPi(64, 16);
/** The initial state of SHA-512 (FIPS 180-4 §5.3.5). */
const IV = primes64(8).map((root) => root & MASK64);

const ROUNDS = 16;

function quarter(round: number, index: number): string[] {
  const [a, b, c, d] = QUARTERS[index]!.map((i) => `v${i}`) as [string, string, string, string];
  const row = SIGMA[round % 10]!;
  const [first, second] = [row[2 * index]!, row[2 * index + 1]!];
  const half = (word: number, constant: number, forD: number, forB: number): string[] => [
    `${a} += (${load64('words', word)} ^ ${hex64(C[constant]!)}) + ${b};`,
    `${d} = rotr<u64>(${d} ^ ${a}, ${forD});`,
    `${c} += ${d};`,
    `${b} = rotr<u64>(${b} ^ ${c}, ${forB});`,
  ];
  return [...half(first, second, 32, 25), ...half(second, first, 16, 11)];
}

const body = [
  ...range(8).map((i) => `let v${i} = ${load64('state', i)};`),
  ...range(8).map(
    (i) => `let v${i + 8}: u64 = ${hex64(C[i]!)}${i === 4 || i === 5 ? ' ^ bits' : ''};`,
  ),
  ...range(ROUNDS).flatMap((round) => range(8).flatMap((i) => quarter(round, i))),
  ...range(8).map((i) => store64('state', i, `${load64('state', i)} ^ v${i} ^ v${i + 8}`)),
];

export const sources: Readonly<Record<string, string>> = {
  blake512: `${table64('INITIAL', IV)}
export function compress(state: usize, words: usize, bits: u64): void {
${lines(body)}}
`,
};
