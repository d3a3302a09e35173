/**
 * Winning shares made ahead of time: what a miner does, from the notify to a nonce, with node:crypto for
 * coinbase and merkle branch and the kernel for the search. Entry point: solutions.
 */
import { algorithm } from '../../src/pow/algorithms.ts';
import { ShareChecker } from '../../src/pow/checker.ts';
import { doubleSha } from '../../test/support/oracle.ts';
import type { ShareParts } from './swarm-process.ts';

export interface Solution {
  /** The mining.submit, with its newline. */
  readonly line: string;
  readonly headerHex: string;
}

const HEADER_BYTES = 80;
const NONCE_AT = 76;

/** Stratum's previous hash: each word of four bytes is reversed. */
function wordsReversed(hex: string): Buffer {
  return Buffer.from(hex, 'hex').swap32();
}

function headerOf({ work, extranonce1 }: ShareParts, extranonce2: string): Buffer {
  const coinbase = Buffer.from(work.coinb1 + extranonce1 + extranonce2 + work.coinb2, 'hex');
  let node = doubleSha(coinbase);
  for (const level of work.branch) {
    node = doubleSha(Buffer.concat([node, Buffer.from(level, 'hex')]));
  }
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(Number.parseInt(work.version, 16), 0);
  header.set(wordsReversed(work.prevHash), 4);
  header.set(node, 36);
  header.writeUInt32LE(Number.parseInt(work.ntime, 16), 68);
  header.writeUInt32LE(Number.parseInt(work.bits, 16), 72);
  return header;
}

/** So many winning shares of one job: searched nonce by nonce, sha256d. */
export function solutions(parts: ShareParts, target: bigint, count: number): Solution[] {
  const kernel = ShareChecker.load(algorithm('sha256d')!);
  const extranonce2 = 'b0'.repeat(parts.extranonce2Size);
  const header = headerOf(parts, extranonce2);
  const { capacity, headers, hashes } = kernel;
  for (let i = 0; i < capacity; i++) headers.set(header, i * HEADER_BYTES);
  const view = new DataView(headers.buffer, headers.byteOffset, headers.byteLength);
  const found: Solution[] = [];
  for (let nonce = 0; found.length < count && nonce < 2 ** 32; nonce += capacity) {
    for (let i = 0; i < capacity; i++) {
      view.setUint32(i * HEADER_BYTES + NONCE_AT, nonce + i, true);
    }
    kernel.hashHeaders(0, capacity);
    for (let i = 0; i < capacity; i++) {
      // Almost every hash is ruled out by its two most significant bytes.
      if (hashes[i * 32 + 31] !== 0 || hashes[i * 32 + 30] !== 0) continue;
      const hash = Buffer.from(hashes.subarray(i * 32, i * 32 + 32)).toReversed();
      if (BigInt(`0x${Buffer.from(hash).toString('hex')}`) > target) continue;
      header.writeUInt32LE(nonce + i, NONCE_AT);
      found.push({
        line: submitLine(parts, extranonce2, nonce + i),
        headerHex: header.toString('hex'),
      });
    }
  }
  return found.slice(0, count);
}

function submitLine({ work, user }: ShareParts, extranonce2: string, nonce: number): string {
  const nonceHex = nonce.toString(16).padStart(8, '0');
  const params = [user, work.jobId, extranonce2, work.ntime, nonceHex];
  return `${JSON.stringify({ id: 9, method: 'mining.submit', params })}\n`;
}
