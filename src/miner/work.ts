/**
 * What a miner makes of mining.notify: header bytes for one extranonce2. Pure; written from the
 * miner's side of the protocol, so that pool and miner do not share their mistakes.
 */
import { hash } from 'node:crypto';
import type { TxidKind } from '../coin/hash.ts';

export interface Work {
  readonly jobId: string;
  /** The 32 bytes as they stand in the header. */
  readonly prevHashLE: Uint8Array;
  readonly coinb1: Uint8Array;
  readonly coinb2: Uint8Array;
  readonly branch: readonly Uint8Array[];
  readonly version: number;
  readonly bits: number;
  readonly time: number;
  readonly clean: boolean;
}

const HEX = /^(?:[0-9a-f]{2})*$/i;

function bytes(value: unknown, length?: number): Buffer | undefined {
  if (typeof value !== 'string' || !HEX.test(value)) return undefined;
  const out = Buffer.from(value, 'hex');
  return length === undefined || out.length === length ? out : undefined;
}

/** The params of mining.notify as work, or undefined where they are not in the protocol's form. */
export function parseNotify(params: readonly unknown[]): Work | undefined {
  const [jobId, prevHash, coinb1Hex, coinb2Hex, branchHex, version, bits, time, clean] = params;
  const prev = bytes(prevHash, 32);
  const coinb1 = bytes(coinb1Hex);
  const coinb2 = bytes(coinb2Hex);
  const words = [version, bits, time].map((value) => bytes(value, 4)?.readUInt32BE(0));
  if (typeof jobId !== 'string' || !prev || !coinb1 || !coinb2 || !Array.isArray(branchHex)) {
    return undefined;
  }
  const branch = branchHex.map((item: unknown) => bytes(item, 32));
  if (branch.includes(undefined) || words.includes(undefined)) return undefined;
  return {
    jobId,
    prevHashLE: prev.swap32(),
    coinb1,
    coinb2,
    branch: branch as Buffer[],
    version: words[0]!,
    bits: words[1]!,
    time: words[2]!,
    clean: clean === true,
  };
}

function sha256(data: Uint8Array): Buffer {
  return hash('sha256', data, 'buffer');
}

function sha256d(data: Uint8Array): Buffer {
  return sha256(sha256(data));
}

/**
 * The 80 header bytes with nonce 0. `version` has the rolled bits in it already; `txidKind` is how the
 * algorithm's chains hash the coinbase.
 */
export function headerOf(
  work: Work,
  extranonce1: Uint8Array,
  extranonce2: Uint8Array,
  version: number,
  txidKind: TxidKind = 'sha256d',
): Buffer {
  const coinbase = Buffer.concat([work.coinb1, extranonce1, extranonce2, work.coinb2]);
  let root = txidKind === 'sha256' ? sha256(coinbase) : sha256d(coinbase);
  for (const side of work.branch) root = sha256d(Buffer.concat([root, side]));
  const header = Buffer.alloc(80);
  header.writeUInt32LE(version >>> 0, 0);
  header.set(work.prevHashLE, 4);
  header.set(root, 36);
  header.writeUInt32LE(work.time, 68);
  header.writeUInt32LE(work.bits, 72);
  return header;
}

/**
 * Spreads the low bits of `counter` over the set bits of `mask` (BIP310): the version bits of the
 * counter-th variant of a header.
 */
export function rolledBits(counter: number, mask: number): number {
  let bits = 0;
  let rest = counter;
  for (let bit = 0; bit < 32 && rest > 0; bit += 1) {
    if (((mask >>> bit) & 1) === 0) continue;
    if ((rest & 1) === 1) bits |= 1 << bit;
    rest >>>= 1;
  }
  return bits >>> 0;
}
