/**
 * What lies between a daemon's answer and the first notify, and between a solution and the hex of
 * submitblock, for a template of 3 MB with 3000 transactions: CPU work of the jobs room only, no
 * network, no ledger. The answer is checked against the oracle before anything is timed.
 * Run: node bench/template.ts [--check] [--json].
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { blockHex, makeJob } from '../src/jobs/builder.ts';
import type { JobWork } from '../src/jobs/builder.ts';
import { RunIdentity } from '../src/jobs/identity.ts';
import { prepare } from '../src/jobs/prepare.ts';
import type { ChainRules, PreparedWork } from '../src/jobs/prepare.ts';
import { parseTemplate } from '../src/jobs/template.ts';
import { merkleBranchOf } from '../src/pow/merkle.ts';
import { commitmentHolds, decodeBlock, doubleSha, rootOf } from '../test/support/oracle.ts';
import { runBenchmark } from './harness.ts';
import type { Question } from './harness.ts';
import { syntheticTransaction, templateOf } from './support/template.ts';

const TRANSACTIONS = 3000;

function syntheticAnswer(): Buffer {
  const result = templateOf({
    transactions: Array.from({ length: TRANSACTIONS }, (_, index) => syntheticTransaction(index)),
    previousHashHexBE: randomBytes(32).toString('hex'),
    height: 800_000,
    bitsHex: '1d00ffff',
    targetHexBE: `${'00'.repeat(4)}ffff${'00'.repeat(26)}`,
    time: 1_700_003_600,
    longpollId: 'bench',
  });
  return Buffer.from(JSON.stringify({ result, error: null, id: 1 }));
}

const RULES: ChainRules = {
  chain: 'bench',
  currency: 'BTC',
  algorithm: 'sha256d',
  diff1: 0xffffn << 208n,
  extranonceSize: 8,
  versionRolling: null,
  ntimeAheadSeconds: 7000,
  coinbaseTag: '/PowerPool/',
  coinbaseVersion: 2,
  poolScript: Buffer.from(`0014${'11'.repeat(20)}`, 'hex'),
  outputRules: {},
  branchOf: merkleBranchOf,
};
const IDENTITY = new RunIdentity(0);
const EXTRANONCE = randomBytes(8);

function jobOf(prepared: PreparedWork): JobWork {
  const identity = IDENTITY.nextJob();
  return makeJob(prepared, RULES, {
    identity,
    kind: 'flush',
    clean: true,
    tip: 1,
    bornAt: 0,
    merged: undefined,
  });
}

/** The block of a solution whose header holds the right merkle root. */
function solvedHex(work: JobWork): readonly Uint8Array[] {
  const { job } = work;
  const coinbase = Buffer.concat([job.coinb1, EXTRANONCE, job.coinb2]);
  let node = doubleSha(coinbase);
  for (let at = 0; at < job.branch.length; at += 32) {
    node = doubleSha(Buffer.concat([node, job.branch.subarray(at, at + 32)]));
  }
  const header = Buffer.alloc(80);
  header.writeUInt32LE(job.version, 0);
  header.set(job.prevHashLE, 4);
  header.set(node, 36);
  header.writeUInt32LE(job.time, 68);
  header.writeUInt32LE(job.bits, 72);
  return blockHex(work, header, EXTRANONCE);
}

function check(answer: Buffer): void {
  const work = jobOf(prepare(parseTemplate(answer), RULES));
  const block = decodeBlock(Buffer.from(Buffer.concat(solvedHex(work)).toString('latin1'), 'hex'));
  const parsed = JSON.parse(answer.toString()) as { result: { transactions: { txid: string }[] } };
  const [coinbase, ...rest] = block.transactions.map((one) => one.txid);
  assert.deepEqual(
    rest,
    parsed.result.transactions.map((one) => one.txid),
  );
  assert.equal(block.merkleRoot, rootOf([coinbase ?? '', ...rest]));
  assert.ok(commitmentHolds(block));
}

const answer = syntheticAnswer();
check(answer);
const template = parseTemplate(answer);
const prepared = prepare(template, RULES);
const work = jobOf(prepared);
const WHOLE = 'answer → notify bytes';
const PARSED = 'JSON.parse of the answer';
const questions: readonly Question[] = [
  {
    title: `A template of ${answer.length} bytes with ${TRANSACTIONS} transactions`,
    unit: 'template',
    candidates: [
      { name: 'answer → template', units: 1, run: () => parseTemplate(answer) },
      { name: 'template → branch, outputs, limits', units: 1, run: () => prepare(template, RULES) },
      { name: 'prepared → job', units: 1, run: () => jobOf(prepared) },
      { name: WHOLE, units: 1, run: () => jobOf(prepare(parseTemplate(answer), RULES)) },
      { name: PARSED, units: 1, run: () => JSON.parse(answer.toString('latin1')) },
    ],
    // The merkle branch and the notify line included, it takes little more than parsing alone.
    goals: [{ fast: WHOLE, slow: PARSED, times: 0.6 }],
  },
  {
    title: 'A solution on it',
    unit: 'block',
    candidates: [
      { name: 'slices', units: 1, run: () => solvedHex(work) },
      { name: 'one piece of hex', units: 1, run: () => Buffer.concat(solvedHex(work)) },
    ],
    goals: [],
  },
];
process.exitCode = runBenchmark('template', questions);
