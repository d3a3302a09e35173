/** The share path's coinbase hash per algorithm and job, and headers longer than 80 bytes. */
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import { algorithm, type Algorithm } from '../../../src/pow/algorithms.ts';
import { MEETS_MAIN, ShareChecker, hashHeader, type CheckedJob } from '../../../src/pow/checker.ts';
import { bytesLE, sha256d } from './reference.ts';

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

const job = (changes: Partial<CheckedJob> = {}): CheckedJob => ({
  id: 'job',
  coinb1: randomBytes(70),
  coinb2: randomBytes(90),
  extranonceSize: 8,
  branch: randomBytes(3 * 32),
  prevHashLE: randomBytes(32),
  bits: 0x1d00ffff,
  targetLE: new Uint8Array(32),
  aux: [],
  ...changes,
});

/** Merkle root of staged share `i`, with the given txid function and sha256d for the nodes. */
function rootOf(
  checker: ShareChecker,
  work: CheckedJob,
  i: number,
  txid: (bytes: Uint8Array) => Buffer,
): Buffer {
  const extranonce = checker.extranonces.subarray(i * 16, i * 16 + work.extranonceSize);
  let root = txid(Buffer.concat([work.coinb1, extranonce, work.coinb2]));
  for (let at = 0; at < work.branch.length; at += 32) {
    root = sha256d(Buffer.concat([root, work.branch.subarray(at, at + 32)]));
  }
  return root;
}

function stage(checker: ShareChecker): void {
  checker.extranonces.set(randomBytes(checker.extranonces.length));
  for (const words of [checker.versions, checker.ntimes, checker.nonces]) {
    for (let i = 0; i < words.length; i++) words[i] = randomInt(2 ** 32);
  }
}

/** Runs 1 to 5 shares and compares roots and hashes. */
function compare(row: Algorithm, work: CheckedJob, txid: (bytes: Uint8Array) => Buffer): void {
  const checker = ShareChecker.load(row);
  const slot = checker.addJob(work);
  const size = row.headerBytes;
  for (let count = 1; count <= 5; count++) {
    stage(checker);
    checker.run(slot, count);
    for (let i = 0; i < count; i++) {
      const header = checker.headers.slice(i * size, (i + 1) * size);
      const root = Buffer.from(header.subarray(36, 68));
      assert.deepEqual(root, rootOf(checker, work, i, txid), `share ${i + 1} of ${count}`);
      const hash = checker.hashes.slice(i * 32, i * 32 + 32);
      assert.deepEqual(hash, hashHeader(row, header), `share ${i + 1} of ${count}`);
    }
  }
}

test('Blakecoin hashes its coinbase once, merkle nodes twice', () => {
  for (const length of [0, 20, 90, 200]) {
    compare(algorithm('blake256')!, job({ coinb2: randomBytes(length) }), sha256);
    compare(algorithm('blake256')!, job({ branch: new Uint8Array(0) }), sha256);
  }
});

/** The coinbase of Blakecoin's first block, as its chain parameters make it (main.cpp, InitBlockIndex). */
const GENESIS_TEXT = 'US forces target leading al-Shabaab militant in Somalian coastal raid';
const GENESIS_COINBASE = Buffer.concat([
  Buffer.from(`0100000001${'00'.repeat(32)}ffffffff4d04ffff001d010445`, 'hex'),
  Buffer.from(GENESIS_TEXT, 'latin1'),
  Buffer.from(
    'ffffffff010065cd1d00000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000',
    'hex',
  ),
]);
const GENESIS_HEADER =
  '700000000000000000000000000000000000000000000000000000000000000000000000dc6d20f87fecae461784d8f417ac10ed061d7657eebadbc323c791bbd554469e11f35052ffff001effbd9207';

test("Blakecoin's first block is found through the share path", () => {
  const header = Buffer.from(GENESIS_HEADER, 'hex');
  const checker = ShareChecker.load(algorithm('blake256')!);
  const slot = checker.addJob(
    job({
      coinb1: GENESIS_COINBASE.subarray(0, 50),
      coinb2: GENESIS_COINBASE.subarray(58),
      branch: new Uint8Array(0),
      prevHashLE: new Uint8Array(32),
      bits: 0x1e00ffff,
      targetLE: bytesLE(0xffffn << 216n),
    }),
  );
  for (let i = 0; i < 3; i++) {
    checker.extranonces.set(GENESIS_COINBASE.subarray(50, 58), i * 16);
    checker.versions[i] = header.readUInt32LE(0);
    checker.ntimes[i] = header.readUInt32LE(68);
    checker.nonces[i] = header.readUInt32LE(76);
  }
  for (const count of [1, 3]) {
    checker.flags.fill(0);
    checker.run(slot, count);
    for (let i = 0; i < count; i++) {
      assert.deepEqual(Buffer.from(checker.headers.subarray(i * 80, i * 80 + 80)), header);
      assert.equal(checker.flags[i], MEETS_MAIN);
    }
  }
});

test('all other algorithms hash it twice', () => {
  for (const name of ['sha256d', 'blake256-14', 'lyra2re', 'lyra2rev2']) {
    compare(algorithm(name)!, job(), sha256d);
  }
});

test('a job of a chain that differs from its algorithm says so', () => {
  compare(algorithm('blake256')!, job({ txidKind: 'sha256d' }), sha256d);
  compare(algorithm('sha256d')!, job({ txidKind: 'sha256' }), sha256);
});

test('bytes 80 to 83 of a Heavycoin header are zero in the share path, whatever was there', () => {
  const row = algorithm('hefty1')!;
  const checker = ShareChecker.load(row);
  const slot = checker.addJob(job());
  checker.headers.fill(0xee);
  stage(checker);
  checker.run(slot, 3);
  for (let i = 0; i < 3; i++) {
    assert.deepEqual([...checker.headers.subarray(i * 84 + 80, i * 84 + 84)], [0, 0, 0, 0]);
  }
  assert.ok(checker.headers.subarray(3 * 84).every((byte) => byte === 0xee));
  compare(row, job(), sha256d);
});
