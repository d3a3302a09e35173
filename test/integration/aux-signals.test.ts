/**
 * What makes the pool ask an aux daemon for work, where it is not polled: the start, a push, a ZMQ message
 * (a real publisher), and that the chain took a block. Real HTTP daemons, test/support/aux-daemon.ts.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AuxBench } from '../support/aux-bench.ts';
import { AuxDaemon } from '../support/aux-daemon.ts';
import { eventually } from '../support/servers.ts';
import { startZmqPublisher } from '../support/zmq-publisher.ts';
import type { ZmqPublisher } from '../support/zmq-publisher.ts';

describe('an aux chain that is not polled', () => {
  let daemon: AuxDaemon;
  let publisher: ZmqPublisher;
  let bench: AuxBench;
  const height = (): unknown =>
    (bench.status('ONE')['net_state'] as { height: number | null }).height;

  before(async () => {
    daemon = await new AuxDaemon({ name: 'one', chainId: 1, pow: 'sha256d' }).start();
    publisher = await startZmqPublisher();
    bench = await new AuxBench([
      {
        key: 'ONE',
        daemons: [daemon],
        settings: { poll: false },
        zmq: publisher.endpoint,
      },
    ]).start();
    bench.newTip();
    await bench.jobWith(['ONE']);
  });

  after(async () => {
    await bench.stop();
    publisher.close();
    await daemon.stop();
  });

  it('is asked once at the start, and not again', async () => {
    await eventually('pings went by', () => daemon.count('getblockchaininfo') > 4);
    assert.equal(daemon.count('createauxblock'), 1);
  });

  it('is asked when a push comes; without a new block nothing happens', async () => {
    bench.aux[0]!.chain.lookNow();
    const asked = daemon.count('getbestblockhash');
    await eventually('the tip was asked for', () => daemon.count('getbestblockhash') > asked);
    assert.equal(daemon.count('createauxblock'), 1);
    const jobs = bench.jobs.length;
    daemon.mineOne();
    bench.aux[0]!.chain.lookNow();
    await eventually('there is a job', () => bench.jobs.length > jobs);
    assert.equal(bench.job.kind, 'push');
    assert.equal(height(), daemon.height + 1);
  });

  it('is asked when ZMQ tells of a block', async () => {
    await publisher.subscribed;
    const jobs = bench.jobs.length;
    const { hash } = daemon.mineOne();
    await eventually('the message has come', async () => {
      await publisher.hashblock(hash);
      return bench.jobs.length > jobs;
    });
    assert.equal(height(), daemon.height + 1);
  });

  it('is asked when it took a block', async () => {
    const jobs = bench.jobs.length;
    bench.solve(bench.job);
    await eventually('there is a job on the new block', () => bench.jobs.length > jobs);
    assert.equal(daemon.grown, 3);
    assert.equal(height(), daemon.height + 1);
  });
});
