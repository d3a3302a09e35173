/**
 * What an aux daemon may do to the jobs of the main chain, and to its own chain: killed, hung, answering
 * garbage, replaying old work, changing its chain id, losing answers, refusing. Real HTTP daemons
 * (test/support/aux-daemon.ts), a main chain on templates that the test delivers. In every case the main
 * chain's next tip makes a job before the call returns, and the other aux chains go on.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { AuxBench, treeSizeOf } from '../support/aux-bench.ts';
import { AuxDaemon } from '../support/aux-daemon.ts';
import type { AuxFault } from '../support/aux-daemon.ts';
import { eventually } from '../support/servers.ts';

describe('an aux daemon that misbehaves', () => {
  let one: AuxDaemon;
  let two: AuxDaemon;
  let spare: AuxDaemon;
  let bench: AuxBench;

  beforeEach(async () => {
    one = await new AuxDaemon({ name: 'one', chainId: 1, pow: 'sha256d' }).start();
    two = await new AuxDaemon({ name: 'two', chainId: 2, pow: 'sha256d' }).start();
    spare = await new AuxDaemon({ name: 'spare', chainId: 2, pow: 'sha256d' }).start();
    bench = await new AuxBench([
      { key: 'ONE', daemons: [one] },
      { key: 'TWO', daemons: [two, spare] },
    ]).start();
    bench.newTip();
    await bench.jobWith(['ONE', 'TWO']);
  });

  afterEach(async () => {
    await bench.stop();
    await Promise.all([one, two, spare].map((daemon) => daemon.stop().catch(() => {})));
  });

  /** The next tip of the main chain makes a job, with these aux chains, without waiting for anything. */
  function tipMakesJob(aux: readonly string[]): void {
    const before = bench.jobs.length;
    const job = bench.newTip();
    assert.equal(bench.jobs.length, before + 1);
    assert.equal(job.kind, 'flush');
    assert.deepEqual(bench.inJob, aux);
  }

  const served = (key: string): boolean =>
    Object.values(bench.status(key)['coinservers'] as Record<string, { templates: string }>).some(
      ({ templates }) => templates === 'serving',
    );

  it('killed: its work stays until the next main tip; it is mined again when it is back', async () => {
    const before = bench.jobs.length;
    await one.stop();
    await eventually('it is seen to be down', () => !served('ONE'));
    assert.equal(bench.jobs.length, before, 'no job because of it');
    assert.deepEqual(bench.inJob, ['ONE', 'TWO']);
    tipMakesJob(['TWO']);
    assert.equal(treeSizeOf(bench.job), 1);
    await one.start();
    const job = await bench.jobWith(['ONE', 'TWO']);
    assert.equal(job.kind, 'push');
    bench.solve(job);
    await eventually('both chains have grown', () => one.grown === 1 && two.grown === 1);
  });

  for (const fault of ['hang', 'garbage', 'nonsense'] satisfies AuxFault[]) {
    it(`${fault}: the other daemon of the chain takes over; without one the chain is left out`, async () => {
      two.faults.set('*', fault);
      one.faults.set('createauxblock', fault);
      tipMakesJob(['ONE', 'TWO']);
      await eventually('the spare one serves', () => spare.count('createauxblock') > 0);
      await eventually('there is none for the other chain', () => !served('ONE'));
      tipMakesJob(['TWO']);
      bench.solve(await bench.jobWith(['TWO']));
      await eventually('the spare daemon took the block', () => spare.grown === 1);
      const coinserver = (
        bench.status('ONE')['coinservers'] as Record<string, { templates: string }>
      )[one.key]!;
      assert.notEqual(coinserver.templates, 'serving', 'and says why');
      one.faults.clear();
      await bench.jobWith(['ONE', 'TWO']);
    });
  }

  it('hung: a solve of its work is tried when it answers again', async () => {
    const { job } = bench;
    one.faults.set('*', 'hang');
    bench.solve(job);
    await eventually('the other block is there', () => two.grown === 1);
    await eventually('it is seen to be down', () => !served('ONE'));
    one.faults.clear();
    await eventually('the block is there', () => one.grown === 1);
  });

  it('replays old work: it is refused with the reason, and nothing of it reaches a job', async () => {
    one.mineOne();
    const { job } = bench;
    await bench.jobWith(['ONE', 'TWO'], bench.jobs.length);
    const jobs = bench.jobs.length;
    one.faults.set('createauxblock', 'replay');
    await eventually('it is reported', () => bench.status('ONE')['problem'] !== null);
    assert.match(String(bench.status('ONE')['problem']), /handed out again/);
    assert.equal(bench.jobs.length, jobs);
    assert.notEqual(bench.job, job);
    tipMakesJob(['TWO']);
    one.faults.clear();
    await bench.jobWith(['ONE', 'TWO']);
    assert.equal(bench.status('ONE')['problem'], null);
  });

  it('takes the chain id of another: it is left out with an alarm until it changes', async () => {
    one.chainId = 2;
    await bench.jobWith(['TWO']);
    const alarm = /aux chain ONE is not mined with main: its chain id 2 is that of TWO/;
    await eventually('there is an alarm', () => bench.errors.some((line) => alarm.test(line)));
    const alarms = bench.status('ONE')['alarms'] as Record<string, string>;
    assert.match(alarms['main']!, /chain id 2/);
    const jobs = bench.jobs.length;
    one.newTransactions();
    await eventually('its new work came', () => one.count('createauxblock') > 0);
    tipMakesJob(['TWO']);
    assert.ok(bench.jobs.length <= jobs + 1, 'what it does makes no jobs');
    one.chainId = 5;
    await bench.jobWith(['ONE', 'TWO']);
    assert.deepEqual(bench.status('ONE')['alarms'], {});
    assert.equal(treeSizeOf(bench.job), 2);
  });

  it('restarts: it knows no work that it issued before, which is recorded', async () => {
    const { job } = bench;
    await one.stop();
    await one.start();
    bench.solve(job);
    await eventually('its answer is recorded', () => bench.answersOf(one).length > 0);
    assert.match(bench.answersOf(one)[0]!, /block hash unknown/);
    assert.equal(
      bench.blockLog.states.get([...bench.blockLog.blocks.values()][0]!.hashHexBE),
      'rejected',
    );
    await bench.jobWith(['ONE', 'TWO'], bench.jobs.length - 1);
    await eventually('its new work is in a job', () => {
      bench.solve(bench.job);
      return one.grown === 1;
    });
  });

  it('a solve of outdated work is tried all the same; true does not mean in the best chain', async () => {
    const { job } = bench;
    // The tip moves, and the solve reaches the daemon before it has made new work: it says true.
    one.faults.set('createauxblock', 'hang');
    one.mineOne();
    two.mineOne();
    await eventually(
      'the other chain has new work',
      () => two.tip.hash === (bench.status('TWO')['net_state'] as { prev_hash: string }).prev_hash,
    );
    bench.solve(job);
    await eventually(
      'both answers are there',
      () => bench.answersOf(one).length > 0 && bench.answersOf(two).length > 0,
    );
    assert.deepEqual(bench.answersOf(one), ['true']);
    assert.match(bench.answersOf(two)[0]!, /block hash unknown/);
    const [ofOne, ofTwo] = [...bench.blockLog.blocks.values()];
    one.faults.clear();
    await eventually(
      'the first is seen to be out of the best chain',
      () => bench.blockLog.states.get(ofOne!.hashHexBE) === 'orphaned',
    );
    assert.equal(bench.blockLog.states.get(ofTwo!.hashHexBE), 'rejected');
    assert.equal((bench.status('TWO')['block_stats'] as { stale: number }).stale, 1);
  });

  it('false is a refusal that is recorded, and the chain goes on', async () => {
    one.faults.set('submitauxblock', 'false');
    bench.solve(bench.job);
    await eventually('its answer is recorded', () => bench.answersOf(one).length > 0);
    assert.deepEqual(bench.answersOf(one), ['false']);
    one.faults.clear();
    one.newTransactions();
    await eventually('its next work is solved and taken', () => {
      bench.solve(bench.job);
      return one.grown === 1;
    });
  });

  it('an answer that gets lost is asked for again', async () => {
    one.faults.set('submitauxblock', 'lose-answer');
    bench.solve(bench.job);
    await eventually('the block is there, its answer is not', () => one.grown === 1);
    one.faults.clear();
    await eventually('it is accepted', () =>
      bench.blockLog.events.some((event) => event === `accepted ${one.tip.hash}`),
    );
  });

  it('a reorganisation orphans a block', async () => {
    bench.solve(bench.job);
    await eventually('the block is there', () => one.grown === 1);
    const { hash } = one.tip;
    await eventually('it is accepted', () => bench.blockLog.states.get(hash) === 'accepted');
    one.reorganise(1);
    await eventually('it is orphaned', () => bench.blockLog.states.get(hash) === 'orphaned');
  });

  it('a solve goes to the daemon that issued the work, also when another one serves by now', async () => {
    const { job } = bench;
    two.faults.set('createauxblock', 'nonsense');
    await eventually('the spare one serves', () => spare.count('createauxblock') > 0);
    bench.solve(job, ['TWO']);
    await eventually('the issuer has the block', () => two.grown === 1);
    assert.equal(spare.grown, 0);
    assert.equal(spare.count('submitauxblock'), 0);
  });
});
