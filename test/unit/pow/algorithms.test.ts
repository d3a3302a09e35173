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
  assert.equal(findByModule('blake_hash.getPoWHash')?.name, 'blake256');
  assert.equal(findByModule('lyra2re_hash.getPoWHash')?.name, 'lyra2re');
  assert.equal(findByModule('lyra2re2_hash.getPoWHash')?.name, 'lyra2rev2');
  assert.equal(findByModule('hvc_hash.getPoWHash')?.name, 'hefty1');
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
  assert.deepEqual(facts['blake256'], [sha256Diff1, 4294967296, 1]);
  assert.deepEqual(facts['blake256-14'], [sha256Diff1, 4294967296, 1]);
  assert.deepEqual(facts['lyra2re'], [sha256Diff1 * 128n, 2 ** 25, 128]);
  assert.deepEqual(facts['lyra2rev2'], [sha256Diff1 * 256n, 2 ** 24, 256]);
  assert.deepEqual(facts['hefty1'], [sha256Diff1, 4294967296, 1]);
  assert.deepEqual(facts['scrypt-n'], [scryptDiff1, 65536, 65536]);
});

test('a slice of every algorithm is at least one share', () => {
  for (const row of ALGORITHMS)
    assert.ok(row.sliceShares >= 1 && Number.isInteger(row.sliceShares));
});

test('a share of difficulty 1 stands for as many hashes as its target says', () => {
  for (const row of ALGORITHMS) {
    const hashes = Number((1n << 256n) / row.diff1);
    assert.ok(Math.abs(hashes / row.hashesPerShare - 1) < 2e-5, row.name);
    assert.equal(row.diff1, algorithm('sha256d')!.diff1 * BigInt(row.minerDivisor), row.name);
  }
});
