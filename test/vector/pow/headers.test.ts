/**
 * Headers of real blocks (*.json beside this file): the kernel's hash is the published one and meets
 * the block's own target, computed here from `bits`.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { algorithm } from '../../../src/pow/algorithms.ts';
import { ShareChecker, hashHeader } from '../../../src/pow/checker.ts';

interface Entry {
  readonly algo: string;
  readonly coin: string;
  readonly network: string;
  readonly height: number | null;
  readonly header_hex: string;
  readonly pow_hash_hex: string;
  readonly bits: string | null;
  readonly meets_target: boolean | null;
}

const hexBE = (bytesLE: Uint8Array): string => Buffer.from(bytesLE.toReversed()).toString('hex');

function targetOf(bitsHex: string): bigint {
  const bits = BigInt(`0x${bitsHex}`);
  return (bits & 0x7fffffn) << (8n * ((bits >> 24n) - 3n));
}

const directory = new URL('.', import.meta.url);
for (const file of readdirSync(directory).filter((name) => name.endsWith('.json'))) {
  const entries = JSON.parse(readFileSync(new URL(file, directory), 'utf8')) as Entry[];
  for (const entry of entries) {
    test(`${entry.algo}: ${entry.coin} ${entry.network} ${entry.height ?? ''}`, () => {
      const row = algorithm(entry.algo);
      assert.ok(row, entry.algo);
      const header = Buffer.from(entry.header_hex, 'hex');
      const hash = hexBE(hashHeader(row, header));
      assert.equal(hash, entry.pow_hash_hex);
      if (entry.bits !== null && entry.meets_target === true) {
        assert.ok(BigInt(`0x${hash}`) <= targetOf(entry.bits));
      }
      const checker = ShareChecker.load(row);
      for (let count = 1; count <= 5; count++) {
        checker.hashes.fill(0);
        for (let i = 0; i < count; i++) checker.headers.set(header, i * header.length);
        checker.hashHeaders(0, count);
        for (let i = 0; i < count; i++) {
          const seen = hexBE(checker.hashes.subarray(i * 32, i * 32 + 32));
          assert.equal(seen, entry.pow_hash_hex, `${i + 1} of ${count}`);
        }
      }
    });
  }
}
