/** The table: names, what old files call them, and what difficulty 1 means (contract §1, mining facts). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALGORITHMS, algorithm, findByModule } from '../../../src/pow/algorithms.ts';

test('names and aliases are unique and found whatever their case', () => {
  const names = ALGORITHMS.flatMap((row) => [row.name, ...row.aliases]);
  assert.equal(new Set(names.map((name) => name.toLowerCase())).size, names.length);
  for (const row of ALGORITHMS) {
    for (const name of [row.name, ...row.aliases]) {
      assert.equal(algorithm(name.toUpperCase())?.name, row.name);
    }
  }
  assert.equal(algorithm('no such algorithm'), undefined);
  assert.equal(algorithm('constructor'), undefined);
});

test('the default names of old configurations mean the built-in algorithms', () => {
  assert.equal(algorithm('sha256')?.name, 'sha256d');
  assert.equal(algorithm('scrypt')?.name, 'scrypt');
  assert.equal(algorithm('scryptn')?.name, 'scrypt-n');
});

test('old module values mean the built-in algorithms', () => {
  assert.equal(findByModule('ltc_scrypt.getPoWHash')?.name, 'scrypt');
  assert.equal(findByModule('vtc_scrypt.getPoWHash')?.name, 'scrypt-n');
  assert.equal(findByModule('cryptokit.sha256d')?.name, 'sha256d');
  assert.equal(findByModule('./my-hash.ts#hash'), undefined);
  assert.equal(findByModule('scrypt'), undefined, 'a name is not a module');
});

test('difficulty 1, hashes per share and the divisor of miners', () => {
  const facts = Object.fromEntries(
    ALGORITHMS.map((row) => [row.name, [row.diff1, row.hashesPerShare, row.minerDivisor]]),
  );
  const sha256Diff1 = BigInt(`0x00000000ffff${'0'.repeat(52)}`);
  const scryptDiff1 = BigInt(`0x0000ffff${'0'.repeat(56)}`);
  assert.deepEqual(facts['sha256d'], [sha256Diff1, 4294967296, 1]);
  assert.deepEqual(facts['scrypt'], [scryptDiff1, 65536, 65536]);
  assert.deepEqual(facts['scrypt-n'], [scryptDiff1, 65536, 65536]);
});

test('a slice of every algorithm is at least one share', () => {
  for (const row of ALGORITHMS)
    assert.ok(row.sliceShares >= 1 && Number.isInteger(row.sliceShares));
});
