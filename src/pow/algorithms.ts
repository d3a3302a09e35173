/**
 * The table of proof-of-work algorithms: what each is called, what a difficulty of 1 means for it, and
 * which kernel computes it. To add one: a kernel file under kernels/ and a row here (and its vectors in
 * self-test.ts). Settings of an operator (diff1, hashes_per_share) win over this table; that happens
 * where the configuration is read, not here.
 */

import type { TxidKind } from '../coin/hash.ts';

/** A function from a block header to its proof-of-work hash, 32 bytes little-endian. */
export type HashFunction = (header: Uint8Array) => Uint8Array;

export interface Algorithm {
  /** Canonical name. */
  readonly name: string;
  /** Other names of it in configurations, and `module` values of old files (contract §1). */
  readonly aliases: readonly string[];
  /** Target of difficulty 1 as chains of this algorithm count it. */
  readonly diff1: bigint;
  /** Hashes that a share of difficulty 1 stands for. */
  readonly hashesPerShare: number;
  /** Miners of this algorithm divide the difficulty they are sent by this (cpuminer-multi). */
  readonly minerDivisor: number;
  /** File name in assets/kernels, without `.wasm`. */
  readonly kernel: string;
  /** Passed to the kernel's `init`: N of scrypt; 0 where a kernel has none. */
  readonly parameter: number;
  /** Shares that the kernel hashes at once. */
  readonly lanes: number;
  readonly headerBytes: number;
  /** How chains and miners of this algorithm hash the coinbase; a job may say otherwise. */
  readonly txidKind: TxidKind;
  /** Shares that take no more than about 2 ms on a 2020s core: the slice between two turns of a loop. */
  readonly sliceShares: number;
  /** A user's own function, called per share instead of the kernel's (custom.ts). */
  readonly custom?: HashFunction;
}

/** Difficulty 1 of Bitcoin: 0x00000000FFFF00…00. */
export const DIFF1_SHA256 = 0xffffn << 208n;
/** Difficulty 1 of Litecoin: 0x0000FFFF00…00, 65536 times easier. */
export const DIFF1_SCRYPT = 0xffffn << 224n;

/** `init` of the scrypt kernel refuses a larger N; at it, four lanes need 16 MiB. */
export const MAX_SCRYPT_N = 1 << 15;

const BLAKE256 = {
  diff1: DIFF1_SHA256,
  // Old files say 2^16, with the scrypt family's diff1. Miners (cpuminer-multi, sgminer) take the
  // difficulty of BLAKE-256 as sha256d's: with 2^16 a share would count 65536 times too little.
  hashesPerShare: 2 ** 32,
  minerDivisor: 1,
  kernel: 'blake256',
  lanes: 4,
  headerBytes: 80,
  txidKind: 'sha256d',
  sliceShares: 256,
} as const;

const SCRYPT = {
  diff1: DIFF1_SCRYPT,
  hashesPerShare: 2 ** 16,
  minerDivisor: 65536,
  kernel: 'scrypt',
  lanes: 4,
  headerBytes: 80,
  txidKind: 'sha256d',
} as const;

export const ALGORITHMS: readonly Algorithm[] = [
  {
    name: 'sha256d',
    aliases: ['sha256', 'cryptokit.sha256d', 'sha256d.getPoWHash'],
    diff1: DIFF1_SHA256,
    hashesPerShare: 2 ** 32,
    minerDivisor: 1,
    kernel: 'sha256d',
    parameter: 0,
    lanes: 4,
    headerBytes: 80,
    txidKind: 'sha256d',
    sliceShares: 256,
  },
  {
    ...SCRYPT,
    name: 'scrypt',
    aliases: ['ltc_scrypt.getPoWHash'],
    parameter: 1024,
    sliceShares: 16,
  },
  {
    ...SCRYPT,
    name: 'scrypt-n',
    aliases: ['scryptn', 'vtc_scrypt.getPoWHash'],
    parameter: 2048,
    sliceShares: 8,
  },
  {
    ...BLAKE256,
    name: 'blake256',
    aliases: ['blake256-8r', 'blake256r8', 'blakecoin', 'blake_hash.getPoWHash'],
    parameter: 8,
    // Blakecoin and the chains mined along with it; miners do the same for this algorithm.
    txidKind: 'sha256',
  },
  {
    ...BLAKE256,
    name: 'blake256-14',
    aliases: ['blake256-14r', 'blake256r14'],
    parameter: 14,
  },
  {
    name: 'lyra2re',
    aliases: ['lyra2rev1', 'lyra2re_hash.getPoWHash'],
    // What miners divide by, put into the target: 2^25 hashes, as old files have it.
    diff1: DIFF1_SHA256 * 128n,
    hashesPerShare: 2 ** 25,
    minerDivisor: 128,
    kernel: 'lyra2re',
    parameter: 1,
    lanes: 4,
    headerBytes: 80,
    txidKind: 'sha256d',
    sliceShares: 256,
  },
  {
    name: 'lyra2rev2',
    aliases: ['lyra2re2', 'lyra2v2', 'lyra2re2_hash.getPoWHash'],
    diff1: DIFF1_SHA256 * 256n,
    hashesPerShare: 2 ** 24,
    minerDivisor: 256,
    kernel: 'lyra2re',
    parameter: 2,
    lanes: 4,
    headerBytes: 80,
    txidKind: 'sha256d',
    sliceShares: 256,
  },
  {
    name: 'hefty1',
    aliases: [
      'heavy',
      'heavycoin',
      'hefty1-heavy',
      'hvc_hash.getPoWHash',
      'hvc_hash.getHash',
      'heavycoin_hash.getPoWHash',
      'heavycoin_hash.getHash',
    ],
    diff1: DIFF1_SHA256,
    hashesPerShare: 2 ** 32,
    minerDivisor: 1,
    kernel: 'hefty1',
    parameter: 0,
    lanes: 1,
    headerBytes: 84,
    txidKind: 'sha256d',
    sliceShares: 128,
  },
  {
    name: 'x11',
    aliases: ['drk_hash.getPoWHash'],
    diff1: DIFF1_SHA256,
    hashesPerShare: 2 ** 32,
    minerDivisor: 1,
    kernel: 'x11',
    parameter: 0,
    lanes: 1,
    headerBytes: 80,
    txidKind: 'sha256d',
    sliceShares: 128,
  },
];

const BY_NAME = new Map<string, Algorithm>(
  ALGORITHMS.flatMap((row) => [row.name, ...row.aliases].map((name) => [name.toLowerCase(), row])),
);

/** The algorithm of that name or alias; letter case is ignored. */
export function algorithm(name: string): Algorithm | undefined {
  return BY_NAME.get(name.toLowerCase());
}

/** Every name and alias that `algorithm` knows. */
export function algorithmNames(): ReadonlySet<string> {
  return new Set(ALGORITHMS.flatMap((row) => [row.name, ...row.aliases]));
}

/** The built-in algorithm that an old file's `module` value means (`ltc_scrypt.getPoWHash`). */
export function findByModule(module: string): Algorithm | undefined {
  return module.includes('.') && !module.startsWith('.') ? algorithm(module) : undefined;
}

/**
 * scrypt with N = 2^(nfactor + 1), r = 1, p = 1 (scrypt-n; Vertcoin's first factor is 10).
 * Undefined where N would be outside 2 … MAX_SCRYPT_N.
 */
export function scryptN(nfactor: number): Algorithm | undefined {
  const n = 2 ** (nfactor + 1);
  if (!Number.isInteger(nfactor) || n < 2 || n > MAX_SCRYPT_N) return undefined;
  const base = algorithm('scrypt-n')!;
  return { ...base, parameter: n, sliceShares: Math.max(1, Math.min(256, Math.floor(16384 / n))) };
}
