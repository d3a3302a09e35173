/** scrypt against OpenSSL's, for every N that the kernel takes and for random headers. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { algorithm, scryptN, MAX_SCRYPT_N } from '../../../src/pow/algorithms.ts';
import { ShareChecker, hashHeader } from '../../../src/pow/checker.ts';
import { scrypt } from './reference.ts';

test('every N from 2 to the largest, in every number of lanes', () => {
  for (let nfactor = 0; 2 ** (nfactor + 1) <= MAX_SCRYPT_N; nfactor++) {
    const row = scryptN(nfactor);
    assert.ok(row);
    assert.equal(row.parameter, 2 ** (nfactor + 1));
    const checker = ShareChecker.load(row);
    for (let count = 1; count <= 4; count++) {
      checker.headers.set(randomBytes(count * 80));
      checker.hashHeaders(0, count);
      for (let i = 0; i < count; i++) {
        const header = checker.headers.subarray(i * 80, i * 80 + 80);
        const hash = Buffer.from(checker.hashes.subarray(i * 32, i * 32 + 32));
        assert.deepEqual(hash, scrypt(header, row.parameter), `N ${row.parameter}, ${count} lanes`);
      }
    }
  }
});

test('random headers, and headers of all zeros and all ones', () => {
  const row = algorithm('scrypt')!;
  const headers = [Buffer.alloc(80), Buffer.alloc(80, 0xff)];
  for (let i = 0; i < 20; i++) headers.push(randomBytes(80));
  for (const header of headers) {
    assert.deepEqual(Buffer.from(hashHeader(row, header)), scrypt(header, 1024));
  }
});

test('an nfactor whose N the kernel cannot serve is undefined', () => {
  for (const nfactor of [-1, 15, 1.5, Number.NaN, Infinity]) {
    assert.equal(scryptN(nfactor), undefined);
  }
});
