/** A miner in a few lines, from the protocol's description: nothing of src/ is used. */
import assert from 'node:assert/strict';
import { doubleSha } from '../../support/oracle.ts';

export type NotifyParams = [
  id: string,
  prevHash: string,
  coinb1: string,
  coinb2: string,
  branch: string[],
  version: string,
  bits: string,
  time: string,
  clean: boolean,
];

/** Parameters of a mining.notify line, which must be one line of JSON with its newline. */
export function notifyParams(line: Uint8Array): NotifyParams {
  const text = Buffer.from(line).toString('utf8');
  assert.ok(text.endsWith('\n') && text.indexOf('\n') === text.length - 1);
  const message = JSON.parse(text) as { id: unknown; method: string; params: NotifyParams };
  assert.equal(message.method, 'mining.notify');
  assert.equal(message.id, null);
  return message.params;
}

/** The 80-byte header as a miner makes it of the line. */
export function minerHeader(params: NotifyParams, extranonce: Uint8Array, nonce = 0): Buffer {
  const [, prevHash, coinb1, coinb2, branch, version, bits, time] = params;
  let root = doubleSha(
    Buffer.concat([Buffer.from(coinb1, 'hex'), extranonce, Buffer.from(coinb2, 'hex')]),
  );
  for (const step of branch) root = doubleSha(Buffer.concat([root, Buffer.from(step, 'hex')]));
  const header = Buffer.alloc(80);
  header.writeUInt32LE(Number.parseInt(version, 16), 0);
  header.set(Buffer.from(prevHash, 'hex').swap32(), 4);
  header.set(root, 36);
  header.writeUInt32LE(Number.parseInt(time, 16), 68);
  header.writeUInt32LE(Number.parseInt(bits, 16), 72);
  header.writeUInt32LE(nonce, 76);
  return header;
}

/** Grinds the nonce until the hash, by `hash` (display order hex is compared), meets the line's bits. */
export function grind(
  params: NotifyParams,
  extranonce: Uint8Array,
  hash: (header: Uint8Array) => Uint8Array = doubleSha,
): { readonly header: Buffer; readonly hashLE: Uint8Array } {
  const bits = Number.parseInt(params[6], 16);
  const target = BigInt(bits & 0xffffff) << BigInt(8 * ((bits >>> 24) - 3));
  const header = minerHeader(params, extranonce);
  for (let nonce = 0; nonce < 1_000_000; nonce += 1) {
    header.writeUInt32LE(nonce, 76);
    const hashLE = hash(header);
    const value = BigInt(`0x${Buffer.from(hashLE.toReversed()).toString('hex')}`);
    if (value <= target) return { header, hashLE };
  }
  throw new Error('no nonce found: is this not a regtest chain?');
}
