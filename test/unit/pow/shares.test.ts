/** A share checked in the kernel gives the header and hash that the same steps give in node:crypto. */
import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import { assert as check, integer, property, uint8Array, type Arbitrary } from 'fast-check';
import { algorithm, type Algorithm } from '../../../src/pow/algorithms.ts';
import { PowError } from '../../../src/pow/errors.ts';
import {
  MEETS_AUX,
  MEETS_MAIN,
  MEETS_SHARE,
  ShareChecker,
  type CheckedJob,
} from '../../../src/pow/checker.ts';
import { bytesLE, headerOf, integerLE, scrypt, sha256d } from './reference.ts';

const SHA256D = algorithm('sha256d')!;
const SCRYPT = algorithm('scrypt')!;
const UNUSED = 0xee;

function makeJob(changes: Partial<CheckedJob> = {}): CheckedJob {
  return {
    id: 'job',
    coinb1: randomBytes(120),
    coinb2: randomBytes(110),
    extranonceSize: 8,
    branch: randomBytes(12 * 32),
    prevHashLE: randomBytes(32),
    bits: randomInt(2 ** 32),
    targetLE: new Uint8Array(32),
    aux: [],
    ...changes,
  };
}

function stage(checker: ShareChecker): void {
  checker.extranonces.set(randomBytes(checker.extranonces.length));
  for (const words of [checker.versions, checker.ntimes, checker.nonces]) {
    for (let i = 0; i < words.length; i++) words[i] = randomInt(2 ** 32);
  }
}

/** Shares from … to - 1 are right, and nothing else was written. */
function assertRange(checker: ShareChecker, job: CheckedJob, from: number, to: number): void {
  for (let i = 0; i < checker.capacity; i++) {
    const header = checker.headers.subarray(i * 80, i * 80 + 80);
    const hash = checker.hashes.subarray(i * 32, i * 32 + 32);
    if (i < from || i >= to) {
      assert.ok(header.every((byte) => byte === UNUSED) && hash.every((byte) => byte === UNUSED));
      continue;
    }
    const expected = headerOf(checker, job, i);
    assert.deepEqual(Buffer.from(header), expected, `header ${i} of ${from} to ${to}`);
    assert.deepEqual(Buffer.from(hash), sha256d(expected), `hash ${i} of ${from} to ${to}`);
  }
}

function runAndCompare(checker: ShareChecker, job: CheckedJob, from: number, to: number): void {
  const slot = checker.addJob(job);
  try {
    stage(checker);
    checker.headers.fill(UNUSED);
    checker.hashes.fill(UNUSED);
    checker.runSome(slot, from, to);
    assertRange(checker, job, from, to);
  } finally {
    checker.dropJob(slot);
  }
}

test('every coinb1 length from 0 to 200 and every coinb2 length around block borders', () => {
  const checker = ShareChecker.load(SHA256D);
  for (let length = 0; length <= 200; length++) {
    const coinb1 = randomBytes(length);
    const coinb2 = randomBytes((length * 37) % 200);
    const branch = randomBytes(32 * (length % 3));
    runAndCompare(checker, makeJob({ coinb1, coinb2, branch, extranonceSize: 12 }), 0, 3);
    runAndCompare(checker, makeJob({ coinb1: coinb2, coinb2: coinb1, branch }), 0, 1);
  }
});

test('every extranonce size from 0 to 16 at every offset in a block', () => {
  const checker = ShareChecker.load(SHA256D);
  for (let extranonceSize = 0; extranonceSize <= 16; extranonceSize++) {
    for (let offset = 40; offset < 72; offset++) {
      const coinb1 = randomBytes(offset);
      for (const tail of [0, 64 - 9 - ((offset + extranonceSize) % 64), 56]) {
        const coinb2 = randomBytes(Math.max(0, tail));
        const job = makeJob({ coinb1, coinb2, extranonceSize, branch: new Uint8Array(0) });
        runAndCompare(checker, job, 0, 1);
        runAndCompare(checker, job, 0, 2);
      }
    }
  }
});

test('branches of 0 to 16 levels, and of the most a slot holds', () => {
  const checker = ShareChecker.load(SHA256D);
  for (const levels of [...Array(17).keys(), 32]) {
    runAndCompare(checker, makeJob({ branch: randomBytes(levels * 32) }), 0, 5);
  }
});

test('counts of 1 to 9 and the whole capacity, from any share on, touch nothing else', () => {
  const checker = ShareChecker.load(SHA256D);
  for (let count = 0; count <= 9; count++) {
    runAndCompare(checker, makeJob(), 0, count);
    runAndCompare(checker, makeJob(), 3, 3 + count);
    runAndCompare(checker, makeJob(), checker.capacity - count, checker.capacity);
  }
  runAndCompare(checker, makeJob(), 0, checker.capacity);
});

test('coinbases up to 16 kB on each side are taken, longer ones refused', () => {
  const checker = ShareChecker.load(SHA256D);
  for (const length of [16383, 16384]) {
    const job = makeJob({ coinb1: randomBytes(length), coinb2: randomBytes(length) });
    runAndCompare(checker, { ...job, extranonceSize: 16 }, 0, 6);
    runAndCompare(checker, { ...job, extranonceSize: 0 }, 0, 1);
  }
  const tooLong = { code: 'job-too-large', name: 'PowError' };
  assert.throws(() => checker.addJob(makeJob({ coinb1: randomBytes(16385) })), tooLong);
  assert.throws(() => checker.addJob(makeJob({ coinb2: randomBytes(16385) })), tooLong);
  assert.throws(() => checker.addJob(makeJob({ extranonceSize: 17 })), tooLong);
  assert.throws(() => checker.addJob(makeJob({ branch: randomBytes(33 * 32) })), tooLong);
  assert.throws(() => checker.addJob(makeJob({ branch: randomBytes(31) })), tooLong);
  assert.throws(() => checker.addJob(makeJob({ prevHashLE: randomBytes(31) })), tooLong);
  assert.throws(() => checker.addJob(makeJob({ targetLE: randomBytes(33) })), tooLong);
});

test('arbitrary jobs and shares (property)', () => {
  const checker = ShareChecker.load(SHA256D);
  const bytes = (maxLength: number): Arbitrary<Uint8Array> => uint8Array({ maxLength });
  check(
    property(
      bytes(300),
      bytes(700),
      integer({ min: 0, max: 16 }),
      integer({ min: 0, max: 16 }),
      integer({ min: 1, max: 9 }),
      (coinb1, coinb2, extranonceSize, levels, count) => {
        const branch = randomBytes(levels * 32);
        runAndCompare(checker, makeJob({ coinb1, coinb2, extranonceSize, branch }), 0, count);
      },
    ),
    { numRuns: 150 },
  );
});

test('jobs side by side do not disturb each other, and a slot is clean when used again', () => {
  const checker = ShareChecker.load(SHA256D);
  const jobs = Array.from({ length: checker.jobSlots }, (_, i) =>
    makeJob({ id: String(i), coinb2: randomBytes(i * 40), branch: randomBytes((i % 17) * 32) }),
  );
  assert.ok(checker.jobSlots >= 64);
  const slots = jobs.map((job) => checker.addJob(job));
  assert.equal(new Set(slots).size, jobs.length);
  assert.throws(() => checker.addJob(makeJob()), { code: 'no-slot' });
  for (const i of [0, 63, jobs.length - 1]) {
    stage(checker);
    checker.headers.fill(UNUSED);
    checker.hashes.fill(UNUSED);
    checker.run(slots[i]!, 5);
    assertRange(checker, jobs[i]!, 0, 5);
  }
  checker.dropJob(slots[63]!);
  assert.throws(() => checker.run(slots[63]!, 1), RangeError);
  const next = makeJob({ coinb2: new Uint8Array(0), branch: new Uint8Array(0) });
  const slot = checker.addJob(next);
  assert.equal(slot, slots[63]);
  checker.headers.fill(UNUSED);
  checker.hashes.fill(UNUSED);
  checker.run(slot, 4);
  assertRange(checker, next, 0, 4);
});

test('versions with the high bit stand in the header as they were given', () => {
  const checker = ShareChecker.load(SHA256D);
  const slot = checker.addJob(makeJob());
  const versions = [0xffffffff, 0x80000000, 0x7fffffff, 0x20000000, 1];
  checker.versions.set(versions);
  checker.run(slot, versions.length);
  versions.forEach((version, i) => {
    assert.equal(Buffer.from(checker.headers).readUInt32LE(i * 80), version);
  });
});

/** hash, and the targets one below, at, one above, and differing from it in one byte at every place. */
function edges(hash: bigint): bigint[] {
  const bytes = Array.from({ length: 32 }, (_, i) => 1n << BigInt(8 * i));
  const around = bytes.flatMap((bit) => [hash - bit, hash + bit]);
  return [hash, 0n, (1n << 256n) - 1n, ...around].filter((t) => t >= 0n && t < 1n << 256n);
}

test('a hash meets a target when it is not above it, in all 256 bits', () => {
  const checker = ShareChecker.load(SHA256D);
  const slot = checker.addJob(makeJob());
  stage(checker);
  for (const i of [0, 1, 2, 3, 4]) {
    checker.run(slot, 5);
    const hash = integerLE(checker.hashes.slice(i * 32, i * 32 + 32));
    for (const target of edges(hash)) {
      checker.shareTargets.set(bytesLE(target), i * 32);
      checker.run(slot, 5);
      assert.equal((checker.flags[i]! & MEETS_SHARE) !== 0, hash <= target, target.toString(16));
    }
  }
});

test('the main target and the easiest of the aux targets are judged for each share', () => {
  const checker = ShareChecker.load(SHA256D);
  const base = makeJob();
  const first = checker.addJob(base);
  stage(checker);
  checker.run(first, 9);
  const hashes = Array.from({ length: 9 }, (_, i) =>
    integerLE(checker.hashes.slice(i * 32, i * 32 + 32)),
  );
  const order = hashes.toSorted((a, b) => (a < b ? -1 : 1));
  const aux = [order[6]!, order[2]!, 0n, order[7]! - 1n].map((target, i) => ({
    chain: `aux${i}`,
    currency: 'AUX',
    targetLE: bytesLE(target),
  }));
  const slot = checker.addJob({ ...base, targetLE: bytesLE(order[4]!), aux });
  checker.shareTargets.fill(0);
  checker.run(slot, 9);
  hashes.forEach((hash, i) => {
    const expected =
      (hash <= order[4]! ? MEETS_MAIN : 0) | (hash <= order[7]! - 1n ? MEETS_AUX : 0);
    assert.equal(checker.flags[i], expected);
    assert.deepEqual(
      checker.solvedAux(slot, i),
      aux.filter((chain) => hash <= integerLE(chain.targetLE)),
    );
  });
  checker.run(first, 9);
  assert.ok(checker.flags.subarray(0, 9).every((flags) => flags === 0));
});

test('scrypt shares in every count give what scryptSync gives', () => {
  const checker = ShareChecker.load({ ...SCRYPT, parameter: 64 });
  const job = makeJob();
  const slot = checker.addJob(job);
  for (let count = 1; count <= 9; count++) {
    stage(checker);
    checker.headers.fill(UNUSED);
    checker.hashes.fill(UNUSED);
    checker.run(slot, count);
    for (let i = 0; i < 12; i++) {
      const hash = Buffer.from(checker.hashes.subarray(i * 32, i * 32 + 32));
      const expected = i < count ? scrypt(headerOf(checker, job, i), 64) : Buffer.alloc(32, UNUSED);
      assert.deepEqual(hash, expected, `hash ${i} of ${count}`);
    }
  }
});

test('ranges outside the capacity and unknown slots are refused', () => {
  const checker = ShareChecker.load(SHA256D);
  const slot = checker.addJob(makeJob());
  assert.throws(() => checker.run(slot, checker.capacity + 1), RangeError);
  assert.throws(() => checker.runSome(slot, -1, 1), RangeError);
  assert.throws(() => checker.runSome(slot, 2, 1), RangeError);
  assert.throws(() => checker.runSome(slot, Number.NaN, 1), RangeError);
  assert.throws(() => checker.run(slot + 1, 1), RangeError);
  assert.throws(() => checker.dropJob(slot + 1), RangeError);
});

test('a kernel refuses a parameter it cannot serve', () => {
  for (const parameter of [0, 1, 3, 1000, 65536, -1]) {
    const wrong: Algorithm = { ...SCRYPT, parameter };
    assert.throws(() => ShareChecker.load(wrong), { code: 'bad-parameter' });
  }
  assert.throws(() => ShareChecker.load({ ...SHA256D, kernel: 'none' }), PowError);
});

test('the memory is fixed and as small as stated', () => {
  const checker = ShareChecker.load(SHA256D);
  const before = checker.extranonces.buffer;
  runAndCompare(checker, makeJob(), 0, checker.capacity);
  assert.equal(checker.extranonces.buffer, before);
  assert.equal(checker.memoryBytes, before.byteLength);
  assert.ok(checker.memoryBytes < 9_000_000);
  assert.ok(ShareChecker.load(SCRYPT).memoryBytes < 9_500_000);
});
