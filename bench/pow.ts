/**
 * How fast shares are checked: the kernels beside the same steps through node:crypto, one share at a
 * time and four at a time. Goals are those of the project (issue 3): scrypt 1.4 × scryptSync alone and
 * 3 × in fours; a whole sha256d share with 12 merkle levels 3 × crypto.hash alone and 6 × in fours; x11
 * 40 × the pure JavaScript package and no slower than the emscripten one.
 */
import assert from 'node:assert/strict';
import { hash, randomBytes, scryptSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { algorithm, scryptN } from '../src/pow/algorithms.ts';
import { ShareChecker } from '../src/pow/checker.ts';
import { merkleBranchOf } from '../src/pow/merkle.ts';
import { selfTest } from '../src/pow/self-test.ts';
import { runBenchmark, type Candidate, type Question } from './harness.ts';

const sha256d = (bytes: Uint8Array): Buffer =>
  hash('sha256', hash('sha256', bytes, 'buffer'), 'buffer');

/** A 250-byte coinbase, 8 bytes of extranonces, 12 levels: the share that figures in docs are about. */
const job = {
  id: 'bench',
  coinb1: randomBytes(120),
  coinb2: randomBytes(122),
  extranonceSize: 8,
  branch: randomBytes(12 * 32),
  prevHashLE: randomBytes(32),
  bits: 0x1d00ffff,
  targetLE: new Uint8Array(32),
  aux: [],
};

/** The reference does what a careful implementation would: buffers are made once. */
function referenceShare(checker: ShareChecker): () => Buffer {
  const coinbase = Buffer.concat([job.coinb1, Buffer.alloc(8), job.coinb2]);
  const node = Buffer.alloc(64);
  const header = Buffer.alloc(80);
  const levels = Array.from({ length: 12 }, (_, i) => job.branch.subarray(i * 32, i * 32 + 32));
  const extranonce = checker.extranonces.subarray(0, 8);
  return () => {
    coinbase.set(extranonce, 120);
    node.set(sha256d(coinbase));
    for (const level of levels) {
      node.set(level, 32);
      node.set(sha256d(node));
    }
    header.writeUInt32LE(checker.versions[0]!, 0);
    header.set(job.prevHashLE, 4);
    header.set(node.subarray(0, 32), 36);
    header.writeUInt32LE(checker.ntimes[0]!, 68);
    header.writeUInt32LE(job.bits, 72);
    header.writeUInt32LE(checker.nonces[0]!, 76);
    return sha256d(header);
  };
}

function sha256dShare(): Question {
  const checker = ShareChecker.load(algorithm('sha256d')!);
  const slot = checker.addJob(job);
  checker.extranonces.set(randomBytes(checker.extranonces.length));
  checker.nonces.forEach((_, i) => (checker.nonces[i] = i));
  const reference = referenceShare(checker);
  for (const count of [1, 4]) {
    checker.run(slot, count);
    assert.deepEqual(Buffer.from(checker.hashes.subarray(0, 32)), reference());
  }
  const kernel = (count: number): Candidate => ({
    name: `kernel, ${count} a call`,
    units: count,
    run: () => checker.run(slot, count),
  });
  return {
    title: 'sha256d, whole share',
    unit: 'share',
    candidates: [
      { name: 'crypto.hash', units: 1, run: reference },
      ...[1, 2, 4, checker.capacity].map(kernel),
    ],
    goals: [
      { fast: 'kernel, 1 a call', slow: 'crypto.hash', times: 3 },
      { fast: 'kernel, 4 a call', slow: 'crypto.hash', times: 6 },
    ],
  };
}

function scryptHash(nfactor: number): Question {
  const row = scryptN(nfactor)!;
  const checker = ShareChecker.load(row);
  const headers = Array.from({ length: 8 }, () => randomBytes(80));
  headers.forEach((header, i) => checker.headers.set(header, i * 80));
  const options = { N: row.parameter, r: 1, p: 1 };
  const reference = (): Buffer => scryptSync(headers[0]!, headers[0]!, 32, options);
  for (const count of [1, 2, 3, 4]) {
    checker.hashHeaders(0, count);
    assert.deepEqual(Buffer.from(checker.hashes.subarray(0, 32)), reference());
  }
  const kernel = (count: number): Candidate => ({
    name: `kernel, ${count} a call`,
    units: count,
    run: () => checker.hashHeaders(0, count),
  });
  return {
    title: `scrypt, N ${row.parameter}, header`,
    unit: 'hash',
    candidates: [
      { name: 'crypto.scryptSync', units: 1, run: reference },
      ...[1, 2, 3, 4, 8].map(kernel),
    ],
    goals: [
      { fast: 'kernel, 1 a call', slow: 'crypto.scryptSync', times: 1.4 },
      { fast: 'kernel, 4 a call', slow: 'crypto.scryptSync', times: 3 },
    ],
  };
}

async function x11Hash(): Promise<Question> {
  const require = createRequire(import.meta.url);
  const script = require('x11-hash-js') as {
    digest(header: number[], format: 1, output: 1): number[];
  };
  const emscripten = await (
    require('wasm-x11-hash') as () => Promise<{ digest(header: Buffer): Uint8Array }>
  )();
  const checker = ShareChecker.load(algorithm('x11')!);
  const header = randomBytes(80);
  const bytes = [...header];
  for (let i = 0; i < 4; i++) checker.headers.set(header, i * 80);
  checker.hashHeaders(0, 4);
  for (let i = 0; i < 4; i++) {
    const seen = Buffer.from(checker.hashes.subarray(i * 32, i * 32 + 32));
    assert.deepEqual(seen, Buffer.from(emscripten.digest(header)));
    assert.deepEqual(seen, Buffer.from(script.digest(bytes, 1, 1)));
  }
  const kernel = (count: number): Candidate => ({
    name: `kernel, ${count} a call`,
    units: count,
    run: () => checker.hashHeaders(0, count),
  });
  return {
    title: 'x11, header',
    unit: 'hash',
    candidates: [
      { name: 'x11-hash-js', units: 1, run: () => script.digest(bytes, 1, 1) },
      { name: 'wasm-x11-hash', units: 1, run: () => emscripten.digest(header) },
      ...[1, 4].map(kernel),
    ],
    goals: [
      { fast: 'kernel, 1 a call', slow: 'x11-hash-js', times: 40 },
      { fast: 'kernel, 1 a call', slow: 'wasm-x11-hash', times: 1 },
    ],
  };
}

function merkle(): Question {
  const count = 3000;
  const txids = randomBytes(count * 32);
  const reference = (): Buffer => {
    let row = txids.subarray(0);
    const branch: Buffer[] = [];
    while (row.length > 0) {
      branch.push(row.subarray(0, 32));
      const odd = (row.length / 32) % 2 === 0;
      const rest = odd ? Buffer.concat([row.subarray(32), row.subarray(-32)]) : row.subarray(32);
      const next = Buffer.alloc(rest.length / 2);
      for (let at = 0; at < rest.length; at += 64) {
        next.set(sha256d(rest.subarray(at, at + 64)), at / 2);
      }
      row = next;
    }
    return Buffer.concat(branch);
  };
  assert.deepEqual(Buffer.from(merkleBranchOf(txids, count)), reference());
  return {
    title: 'merkle branch of 3000 transactions',
    unit: 'branch',
    candidates: [
      { name: 'crypto.hash', units: 1, run: reference },
      { name: 'kernel', units: 1, run: () => merkleBranchOf(txids, count) },
    ],
    goals: [{ fast: 'kernel', slow: 'crypto.hash', times: 4 }],
  };
}

/** Algorithms that no dependency implements: the known answers of the self-test come before timing. */
function headerHash(name: string, goals: Question['goals'] = []): Question {
  const checker = ShareChecker.load(algorithm(name)!);
  assert.ok(selfTest(checker, 1).known);
  checker.headers.set(randomBytes(checker.headers.length));
  const kernel = (count: number): Candidate => ({
    name: `kernel, ${count} a call`,
    units: count,
    run: () => checker.hashHeaders(0, count),
  });
  return { title: `${name}, header`, unit: 'hash', candidates: [1, 4, 64].map(kernel), goals };
}

const LANES = [{ fast: 'kernel, 4 a call', slow: 'kernel, 1 a call', times: 1.6 }];

process.exitCode = runBenchmark('pow', [
  sha256dShare(),
  scryptHash(9),
  scryptHash(10),
  await x11Hash(),
  headerHash('blake256', LANES),
  headerHash('blake256-14', LANES),
  headerHash('lyra2re'),
  headerHash('lyra2rev2'),
  headerHash('hefty1'),
  merkle(),
]);
