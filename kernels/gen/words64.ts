/** What the generators of functions on 64-bit words share: literals, tables, ranges, and text of statements. */

import { primes, root } from './sha256.ts';

export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

export const MASK64 = 0xffffffffffffffffn;

export const hex64 = (word: bigint): string =>
  `0x${(word & MASK64).toString(16).padStart(16, '0')}`;

/** Square roots of the first primes, 64 bits after the point. */
export const primes64 = (count: number): bigint[] =>
  primes(count).map((prime) => root(prime << 128n, 2n) & MASK64);

/** A table of 64-bit words in the module's memory. */
export const table64 = (name: string, words: readonly bigint[]): string =>
  `export const ${name}: usize = memory.data<u64>([${words.map(hex64).join(', ')}], 16);\n`;

/** A table of 32-bit words in the module's memory. */
export const table32 = (name: string, words: readonly number[]): string => {
  const values = words.map((word) => `0x${(word >>> 0).toString(16).padStart(8, '0')}`);
  return `export const ${name}: usize = memory.data<u32>([${values.join(', ')}], 16);\n`;
};

/** A table of bytes in the module's memory. */
export const table8 = (name: string, bytes: readonly number[]): string =>
  `export const ${name}: usize = memory.data<u8>([${bytes.join(', ')}], 16);\n`;

/** Word `index` of 8 bytes at `base`. */
export const load64 = (base: string, index: number): string => `load<u64>(${base}, ${index * 8})`;

export const store64 = (base: string, index: number, value: string): string =>
  `store<u64>(${base}, ${value}, ${index * 8});`;

export const lines = (statements: readonly string[]): string => `  ${statements.join('\n  ')}\n`;
