/**
 * The same steps through node:crypto: what the kernels are compared with. Takes the staged inputs of a
 * ShareChecker and shares no code with src/pow.
 */
import { createHash, scryptSync } from 'node:crypto';
import type { CheckedJob, ShareChecker } from '../../../src/pow/checker.ts';

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

export const sha256d = (bytes: Uint8Array): Buffer => sha256(sha256(bytes));

export const scrypt = (header: Uint8Array, n: number): Buffer =>
  scryptSync(header, header, 32, { N: n, r: 1, p: 1, maxmem: 2 ** 28 });

/** Header of staged share `i`. */
export function headerOf(checker: ShareChecker, job: CheckedJob, i: number): Buffer {
  const extranonce = checker.extranonces.subarray(i * 16, i * 16 + job.extranonceSize);
  let root = sha256d(Buffer.concat([job.coinb1, extranonce, job.coinb2]));
  for (let at = 0; at < job.branch.length; at += 32) {
    root = sha256d(Buffer.concat([root, job.branch.subarray(at, at + 32)]));
  }
  const header = Buffer.alloc(80);
  header.writeUInt32LE(checker.versions[i]!, 0);
  header.set(job.prevHashLE, 4);
  header.set(root, 36);
  header.writeUInt32LE(checker.ntimes[i]!, 68);
  header.writeUInt32LE(job.bits, 72);
  header.writeUInt32LE(checker.nonces[i]!, 76);
  return header;
}

export const reversed = (bytes: Uint8Array): Buffer => Buffer.from(bytes.toReversed());

/** Little-endian bytes as an integer. */
export const integerLE = (bytes: Uint8Array): bigint =>
  BigInt(`0x${reversed(bytes).toString('hex')}`);

export function bytesLE(value: bigint): Buffer {
  return reversed(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'));
}

/** Merkle root of a whole block's txids, level by level as the protocol describes it. */
export function merkleRoot(txids: readonly Uint8Array[]): Uint8Array {
  if (txids.length === 1) return txids[0]!;
  const next: Uint8Array[] = [];
  for (let i = 0; i < txids.length; i += 2) {
    next.push(sha256d(Buffer.concat([txids[i]!, txids[i + 1] ?? txids[i]!])));
  }
  return merkleRoot(next);
}
