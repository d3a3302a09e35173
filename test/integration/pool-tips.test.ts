/**
 * A new tip reaches the miners of the whole product as a job that says clean: found by poll and by long
 * poll on real litecoind, and by ZMQ (a publisher beside the daemon, as Debian's litecoind has none).
 * The monitor shows which source was the first. A reorganisation to a lower tip and to another one of the
 * same height are new tips, too.
 *
 * needs: litecoind
 */
import assert from 'node:assert/strict';
import { after, before as beforeAll, describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { startLitecoinPair } from '../support/litecoind.ts';
import type { Litecoind } from '../support/litecoind.ts';
import { poolConfig } from '../support/pool-config.ts';
import { PoolProcess } from '../support/pool-process.ts';
import { ScriptMiner } from '../support/script-miner.ts';
import type { MinerJob } from '../support/script-miner.ts';
import { startZmqPublisher } from '../support/zmq-publisher.ts';

/** Long enough that it never comes in a test. */
const NEVER_S = 600;

interface TipSource {
  readonly first: number;
  readonly seen: number;
}

interface ChainView {
  readonly tip_sources: Readonly<Record<string, TipSource>>;
  readonly net_state: { readonly height: number; readonly prev_hash: string };
}

interface Running {
  readonly pool: PoolProcess;
  readonly miner: ScriptMiner;
}

/** New tips that a source was the first to tell of. */
function firsts(sources: ChainView['tip_sources'], name: string): number {
  return sources[name]?.first ?? 0;
}

/** A block id as it stands in mining.notify: eight groups of four bytes, last group first. */
function asPrevHash(hashHexBE: string): string {
  return Buffer.from(hashHexBE, 'hex').reverse().swap32().toString('hex');
}

describe('new tips', () => {
  let nodes: [Litecoind, Litecoind];
  let address: string;

  beforeAll(async () => {
    nodes = await startLitecoinPair();
    await nodes[0].cli('createwallet', ['pool']);
    address = (await nodes[0].cli('getnewaddress')) as string;
    await nodes[0].mine(10);
  });
  after(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  });

  const start = async (
    t: TestContext,
    chain: Readonly<Record<string, unknown>>,
    zmq?: string,
  ): Promise<Running> => {
    const { rpcPort, user, password } = nodes[0];
    const config = await poolConfig({
      algo: 'scrypt',
      currency: 'LTC',
      poolAddress: address,
      daemons: [{ port: rpcPort, user, password, ...(zmq !== undefined && { zmq }) }],
      difficulty: 1,
      chain: { job_refresh: NEVER_S, rpc_ping_int: NEVER_S, ...chain },
    });
    const pool = new PoolProcess({ config: config.text, monitorPort: config.monitorPort });
    t.after(() => pool.stop());
    await pool.ready();
    return { pool, miner: await ScriptMiner.open(config.stratumPort, { algo: 'scrypt' }) };
  };
  /** The miner gets one job on `hash`, which says clean. */
  const jobOn = async (miner: ScriptMiner, hash: string): Promise<MinerJob> => {
    const job = await miner.untilJob(({ prevHash }) => prevHash === asPrevHash(hash));
    assert.equal(job.clean, true);
    return job;
  };
  const sources = async (pool: PoolProcess): Promise<ChainView['tip_sources']> =>
    (await pool.view<ChainView>('/LTC/')).tip_sources;

  it('by poll', async (t) => {
    const { pool, miner } = await start(t, { longpoll: false, block_poll: 0.05 });
    const before = await sources(pool);
    for (let count = 1; count <= 3; count += 1) {
      const [hash] = await nodes[0].mine(1);
      await jobOn(miner, hash!);
      const view = await sources(pool);
      assert.equal(firsts(view, 'poll') - firsts(before, 'poll'), count);
    }
  });

  it('by long poll', async (t) => {
    const { pool, miner } = await start(t, { poll: false, longpoll: true });
    const before = await sources(pool);
    for (let count = 1; count <= 3; count += 1) {
      const [hash] = await nodes[0].mine(1);
      await jobOn(miner, hash!);
      const view = await sources(pool);
      assert.equal(firsts(view, 'longpoll') - firsts(before, 'longpoll'), count);
    }
  });

  it('by ZMQ', async (t) => {
    const publisher = await startZmqPublisher();
    t.after(() => publisher.close());
    const { pool, miner } = await start(t, { poll: false, longpoll: false }, publisher.endpoint);
    await publisher.subscribed;
    const before = await sources(pool);
    for (let count = 1; count <= 3; count += 1) {
      const [hash] = await nodes[0].mine(1);
      await publisher.hashblock(hash!);
      await jobOn(miner, hash!);
      const view = await sources(pool);
      assert.equal(firsts(view, 'zmq') - firsts(before, 'zmq'), count);
    }
  });

  it('all at once: one job a tip, one source first, the others behind it', async (t) => {
    const { pool, miner } = await start(t, { longpoll: true, block_poll: 0.05 });
    const before = await sources(pool);
    const jobsBefore = miner.jobs.length;
    const tips = 5;
    for (let count = 0; count < tips; count += 1) {
      const [hash] = await nodes[0].mine(1);
      await jobOn(miner, hash!);
    }
    assert.equal(miner.jobs.length, jobsBefore + tips);
    const view = await sources(pool);
    const won = (source: string): number => firsts(view, source) - firsts(before, source);
    assert.equal(won('poll') + won('longpoll'), tips);
  });

  for (const [name, chain] of [
    ['poll', { longpoll: false, block_poll: 0.05 }],
    ['long poll', { poll: false, longpoll: true }],
  ] as const) {
    it(`a reorganisation, seen by ${name}`, async (t) => {
      const { pool, miner } = await start(t, chain);
      const [parent] = await nodes[0].mine(1);
      const [tip] = await nodes[0].mine(1);
      await jobOn(miner, tip!);
      const { height } = (await pool.view<ChainView>('/LTC/')).net_state;
      const jobs = miner.jobs.length;
      // A lower tip: the parent again. The other node is left out, or it would bring the block back.
      await nodes[0].cli('invalidateblock', [tip]);
      await miner.until('a job on the parent again', () => {
        return miner.jobs.length > jobs && miner.job.prevHash === asPrevHash(parent!);
      });
      assert.equal(miner.job.clean, true);
      const lower = (await pool.view<ChainView>('/LTC/')).net_state;
      assert.deepEqual(lower, { ...lower, height: height - 1, prev_hash: parent });
      // Another block of the height that the first one had.
      const [other] = await nodes[0].mine(1, address);
      assert.notEqual(other, tip);
      await jobOn(miner, other!);
      assert.equal((await pool.view<ChainView>('/LTC/')).net_state.height, height);
      // The nodes agree again for the next test.
      await nodes[0].mine(1);
    });
  }
});
