/**
 * Merge-mining proofs as an aux chain's consensus code checks them, for tests: written from the rules,
 * sharing no line with src/. test/vector/coin/auxpow.test.ts holds it against another
 * implementation. Entry point: checkAuxPow.
 */
import { scryptSync } from 'node:crypto';
import { doubleSha } from './oracle.ts';

export interface AuxPowClaim {
  /** Aux block id, display order. */
  readonly hashHexBE: string;
  readonly proof: Uint8Array;
  readonly chainId: number;
  readonly bits: number;
  readonly pow: 'sha256d' | 'scrypt';
}

class ProofReader {
  readonly data: Buffer;
  at = 0;

  constructor(data: Uint8Array) {
    this.data = Buffer.from(data);
  }

  take(length: number): Buffer {
    if (this.at + length > this.data.length) throw new Error('the proof ends early');
    this.at += length;
    return this.data.subarray(this.at - length, this.at);
  }

  number(): number {
    return this.take(4).readUInt32LE();
  }

  size(): number {
    const first = this.take(1)[0]!;
    if (first < 0xfd) return first;
    if (first === 0xfd) return this.take(2).readUInt16LE();
    if (first === 0xfe) return this.number();
    throw new Error('a length of more than 32 bits');
  }

  hashes(): Buffer[] {
    const count = this.size();
    if (count > this.data.length / 32) throw new Error('the proof ends early');
    return Array.from({ length: count }, () => this.take(32));
  }
}

/** First input's script and the whole transaction. */
function readCoinbase(reader: ProofReader): { script: Buffer; raw: Buffer } {
  const start = reader.at;
  reader.take(4);
  if (reader.size() !== 1) throw new Error('the parent coinbase has not one input');
  const prevout = reader.take(36).toString('hex');
  if (prevout !== `${'00'.repeat(32)}ffffffff`) throw new Error('AuxPow is not a generate');
  const script = reader.take(reader.size());
  reader.take(4);
  for (let left = reader.size(); left > 0; left -= 1) {
    reader.take(8);
    reader.take(reader.size());
  }
  reader.take(4);
  return { script, raw: reader.data.subarray(start, reader.at) };
}

function climb(leaf: Buffer, branch: readonly Buffer[], index: number): Buffer {
  let node = leaf;
  for (const [level, side] of branch.entries()) {
    const isRight = (Math.floor(index / 2 ** level) & 1) === 1;
    node = doubleSha(Buffer.concat(isRight ? [side, node] : [node, side]));
  }
  return node;
}

/** 32-bit linear congruential steps, in 64-bit integers. */
function expectedSlot(nonce: number, chainId: number, height: number): number {
  const wide = (value: bigint): bigint => value & 0xffffffffn;
  let value = wide(BigInt(nonce) * 1103515245n + 12345n);
  value = wide(value + BigInt(chainId));
  value = wide(value * 1103515245n + 12345n);
  return Number(value % (1n << BigInt(height)));
}

function targetOf(bits: number): bigint {
  const size = BigInt(bits >>> 24);
  const word = BigInt(bits & 0x7fffff);
  return size <= 3n ? word >> (8n * (3n - size)) : word << (8n * (size - 3n));
}

/** Where the tag is wrong, with the words of the consensus code; undefined where it holds. */
function wrongTag(script: Buffer, root: Buffer, height: number): string | undefined {
  const at = script.indexOf(root);
  if (at < 0) return 'Aux POW missing chain merkle root in parent coinbase';
  const magic = Buffer.from('fabe6d6d', 'hex');
  const head = script.indexOf(magic);
  if (head >= 0) {
    if (script.indexOf(magic, head + 1) >= 0) {
      return 'Multiple merged mining headers in coinbase';
    }
    if (head + 4 !== at) return 'Merged mining header is not just before chain merkle root';
  } else if (at > 20) {
    return 'Aux POW chain merkle root must start in the first 20 bytes of the parent coinbase';
  }
  if (script.length - at - 32 < 8) {
    return 'Aux POW missing chain merkle tree size and nonce in parent coinbase';
  }
  if (script.readUInt32LE(at + 32) !== 2 ** height) {
    return 'Aux POW merkle branch size does not match parent coinbase';
  }
  return undefined;
}

/** Why consensus refuses the proof, in its words; undefined where it holds. */
export function checkAuxPow(claim: AuxPowClaim): string | undefined {
  try {
    const reader = new ProofReader(claim.proof);
    const { script, raw } = readCoinbase(reader);
    reader.take(32);
    const coinbaseBranch = reader.hashes();
    const coinbaseIndex = reader.number();
    const chainBranch = reader.hashes();
    const slot = reader.number();
    const header = reader.take(80);
    if (reader.at !== reader.data.length) return 'bytes follow the proof';
    if (coinbaseIndex !== 0) return 'AuxPow is not a generate';
    if (header.readUInt16LE(2) === claim.chainId) return 'Aux POW parent has our chain ID';
    if (chainBranch.length > 30) return 'Aux POW chain merkle branch too long';
    const leaf = Buffer.from(claim.hashHexBE, 'hex').reverse();
    const root = Buffer.from(climb(leaf, chainBranch, slot)).reverse();
    if (!climb(doubleSha(raw), coinbaseBranch, 0).equals(header.subarray(36, 68))) {
      return 'Aux POW merkle root incorrect';
    }
    const wrong = wrongTag(script, root, chainBranch.length);
    if (wrong !== undefined) return wrong;
    const nonce = script.readUInt32LE(script.indexOf(root) + 36);
    if (slot !== expectedSlot(nonce, claim.chainId, chainBranch.length)) {
      return 'Aux POW wrong index';
    }
    const hash =
      claim.pow === 'scrypt'
        ? scryptSync(header, header, 32, { N: 1024, r: 1, p: 1 })
        : doubleSha(header);
    const value = BigInt(`0x${Buffer.from(hash).reverse().toString('hex')}`);
    return value > targetOf(claim.bits) ? 'AUX proof of work failed' : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
