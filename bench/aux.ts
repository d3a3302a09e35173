/**
 * What merge mining costs: a share's check with 0, 1, 8 and 32 aux chains (a handful of comparisons, and
 * those only for a share that is nearly a block), a job with 32, and the time from a template to its job
 * while every aux daemon hangs, beside the time without any. The daemons are real HTTP servers; proofs of
 * the jobs that are timed are checked first. Run: node bench/aux.ts [--check] [--json].
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemClock } from '../src/clock.ts';
import { AuxTree, auxPow } from '../src/coin/auxpow.ts';
import { coinbaseTransaction } from '../src/coin/coinbase.ts';
import type { MergedWork } from '../src/jobs/aux-merge.ts';
import { makeJob } from '../src/jobs/builder.ts';
import type { JobWork } from '../src/jobs/builder.ts';
import { RunIdentity } from '../src/jobs/identity.ts';
import { prepare } from '../src/jobs/prepare.ts';
import { parseTemplate } from '../src/jobs/template.ts';
import { algorithm } from '../src/pow/algorithms.ts';
import { ShareChecker } from '../src/pow/checker.ts';
import { AuxBench } from '../test/support/aux-bench.ts';
import { AuxDaemon } from '../test/support/aux-daemon.ts';
import { checkAuxPow } from '../test/support/auxpow-oracle.ts';
import { eventually } from '../test/support/servers.ts';
import { grind, notifyParams } from '../test/unit/jobs/notify-miner.ts';
import { RULES, fixtureBody, mergedOf } from '../test/unit/jobs/support.ts';
import { runBenchmark } from './harness.ts';
import type { Question } from './harness.ts';
import { Report, quantile } from './support/report.ts';

const CHAINS = [0, 1, 8, 32];
const IDENTITY = new RunIdentity(0);
const EXTRANONCE = randomBytes(8);
const prepared = prepare(parseTemplate(fixtureBody('bcoin-regtest-segwit')), RULES);
/** Ids as they are in the field: small, and spread over 16 bits. */
const idsOf = (count: number): number[] =>
  Array.from({ length: count }, (_, at) => (at % 4 === 3 ? 0x1001 * at : at + 1));

function jobOf(merged: MergedWork | undefined): JobWork {
  const identity = IDENTITY.nextJob();
  const place = { identity, kind: 'push', clean: false, tip: 1, bornAt: 0, merged } as const;
  return makeJob(prepared, RULES, place);
}

const mergedBy = (count: number): MergedWork | undefined =>
  count === 0 ? undefined : mergedOf(idsOf(count));

/** Every chain's proof of one solved share holds. */
function checkProofs(count: number): void {
  const merged = mergedBy(count);
  const { job, coinbase } = jobOf(merged);
  const { header, hashLE } = grind(notifyParams(job.notify), EXTRANONCE);
  for (const work of merged?.works.values() ?? []) {
    const proof = auxPow({
      coinbase: coinbaseTransaction(coinbase, EXTRANONCE, { witness: false }),
      parentHashLE: hashLE,
      coinbaseBranch: job.branch,
      aux: merged!.tree.branchOf(work.chainId),
      header,
    });
    const { hashHexBE, chainId } = work;
    const claim = { hashHexBE, proof, chainId, bits: 0x207fffff, pow: 'sha256d' } as const;
    assert.equal(checkAuxPow(claim), undefined);
  }
}

function shareQuestion(name: 'sha256d' | 'scrypt'): Question {
  const checker = ShareChecker.load(algorithm(name)!);
  const shares = 4;
  const hard = new Uint8Array(32);
  const candidates = CHAINS.map((count) => {
    const { job } = jobOf(mergedBy(count));
    // No share of the benchmark is a block of any chain, as it is in the field.
    const aux = job.aux.map((one) => ({ ...one, targetLE: hard }));
    const slot = checker.addJob({ ...job, aux, targetLE: hard });
    return { name: `${count} aux chains`, units: shares, run: () => checker.run(slot, shares) };
  });
  return {
    title: `${name}, four shares a call`,
    unit: 'share',
    candidates,
    goals: [{ fast: '32 aux chains', slow: '0 aux chains', times: 0.9 }],
  };
}

function jobQuestion(): Question {
  const merged = new Map(CHAINS.map((count) => [count, mergedBy(count)]));
  const works = [...mergedBy(32)!.works.values()];
  return {
    title: 'A job on a prepared template',
    unit: 'job',
    candidates: [
      ...CHAINS.map((count) => ({
        name: `job with ${count} aux chains`,
        units: 1,
        run: () => jobOf(merged.get(count)),
      })),
      { name: 'the tree of 32 chains', units: 1, run: () => new AuxTree(works) },
    ],
    goals: [{ fast: 'job with 32 aux chains', slow: 'job with 0 aux chains', times: 0.5 }],
  };
}

/** From the template to the job that goes to the miners, ms each. */
async function tipsToJobs(bench: AuxBench, tips: number): Promise<number[]> {
  const times: number[] = [];
  for (let tip = 0; tip < tips; tip += 1) {
    const at = systemClock.monotonic();
    bench.newTip();
    times.push(systemClock.monotonic() - at);
    await nextTurn();
  }
  return times;
}

async function hangingDaemons(report: Report, tips: number): Promise<void> {
  const names = Array.from({ length: 8 }, (_, at) => `A${at}`);
  const daemons = await Promise.all(
    names.map((name, at) => new AuxDaemon({ name, chainId: at + 1, pow: 'sha256d' }).start()),
  );
  const chains = names.map((key, at) => ({ key, daemons: [daemons[at]!] }));
  const alone = await new AuxBench([]).start();
  const merging = await new AuxBench(chains).start();
  merging.newTip();
  await merging.jobWith(names);
  for (const daemon of daemons) daemon.faults.set('*', 'hang');
  await eventually('every daemon hangs', () => daemons.every((one) => one.count('hung') > 0));
  await tipsToJobs(alone, tips);
  const none = await tipsToJobs(alone, tips);
  await tipsToJobs(merging, tips);
  const hung = await tipsToJobs(merging, tips);
  await alone.stop();
  await merging.stop();
  await Promise.all(daemons.map((daemon) => daemon.stop()));
  for (const [name, times] of Object.entries({ 'no aux chain': none, '8 daemons hanging': hung })) {
    report.figure(`${name}: template → job, p50`, quantile(times, 0.5), 'ms');
    report.figure(`${name}: p99`, quantile(times, 0.99), 'ms');
  }
  report.ratio('p50 with daemons hanging, without', quantile(none, 0.5), quantile(hung, 0.5), 0.8);
  report.ratio(
    'p99 with daemons hanging, without',
    quantile(none, 0.99),
    quantile(hung, 0.99),
    0.5,
  );
}

for (const count of CHAINS) checkProofs(count);
const report = new Report('aux daemons that hang');
await hangingDaemons(report, report.short ? 300 : 3000);
const code = report.finish();
const timed = runBenchmark('aux', [
  shareQuestion('sha256d'),
  shareQuestion('scrypt'),
  jobQuestion(),
]);
process.exitCode = Math.max(code, timed);
