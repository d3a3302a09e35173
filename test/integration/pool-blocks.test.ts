/**
 * A found block is never lost (design rule 5), on the whole product with real bcoin nodes, each behind a
 * TCP proxy that can stand still or be closed: the pool is killed with SIGKILL between find and
 * submission, a daemon is down when a block is found, a solving share is replayed, a block is orphaned by
 * a longer chain, others mature. What counts is the daemons' own chain, and what the ledger says of it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startBcoin } from '../support/bcoin.ts';
import type { Bcoin } from '../support/bcoin.ts';
import { poolConfig } from '../support/pool-config.ts';
import type { PoolConfig } from '../support/pool-config.ts';
import { PoolProcess } from '../support/pool-process.ts';
import { ScriptMiner } from '../support/script-miner.ts';
import type { SentShare } from '../support/script-miner.ts';
import { eventually, removeFolder, temporaryFolder } from '../support/servers.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/powerpool.js', import.meta.url));
/** Every hash is a share; on regtest every other one is a block, and the miner chooses. */
const ANY_HASH = 2 ** -40;
/** Confirmations from which on a block counts as matured here. */
const MATURITY = 4;

interface ReportedBlock {
  readonly hashHexBE: string;
  readonly height: number;
  readonly state: string;
  readonly answers: readonly { readonly daemon: string; readonly answer: string }[];
}

interface Site {
  readonly chain: Bcoin;
  readonly proxy: TcpProxy;
}

async function startSite(): Promise<Site> {
  const chain = await startBcoin();
  return { chain, proxy: await startTcpProxy(chain.rpc.port) };
}

async function stopSite({ chain, proxy }: Site): Promise<void> {
  await proxy.close().catch(() => {});
  await chain.stop();
}

const bestOf = ({ chain }: Site): Promise<unknown> => chain.cli('getbestblockhash');

describe('blocks of a pool', () => {
  let first: Site;
  let second: Site;
  let config: PoolConfig;
  let folder: string;
  let pool: PoolProcess;

  const start = async (): Promise<void> => {
    pool = new PoolProcess({ config: config.text, monitorPort: config.monitorPort, folder });
    await pool.ready();
  };
  const crash = async (): Promise<void> => {
    pool.kill('SIGKILL');
    await pool.exited;
  };
  const connect = (): Promise<ScriptMiner> => ScriptMiner.open(config.stratumPort);
  const reported = (): readonly ReportedBlock[] => {
    const args = [LAUNCHER, 'report', join(folder, 'config.yml'), '--json', '--blocks', '1000'];
    const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    return (JSON.parse(run.stdout) as { blocks: ReportedBlock[] }).blocks;
  };
  const blockOf = (share: SentShare): ReportedBlock | undefined =>
    reported().find(({ hashHexBE }) => hashHexBE === share.blockHash);
  const isBestOf = async (site: Site, share: SentShare): Promise<boolean> =>
    (await bestOf(site)) === share.blockHash;
  /** Both nodes have the pool's block as their best, and miners have the job on it. */
  const mineOne = async (miner: ScriptMiner): Promise<SentShare> => {
    const jobs = miner.jobs.length;
    const share = await miner.share(true);
    assert.equal(share.answer, true);
    await eventually(
      'both nodes have the block',
      async () => (await isBestOf(first, share)) && (await isBestOf(second, share)),
    );
    await miner.until('the job on it', () => miner.jobs.length > jobs);
    return share;
  };

  before(async () => {
    folder = temporaryFolder('pool-blocks');
    [first, second] = await Promise.all([startSite(), startSite()]);
    const daemonOf = ({ chain, proxy }: Site, priority: number) => ({
      ...chain.rpc,
      port: proxy.port,
      priority,
    });
    config = await poolConfig({
      algo: 'sha256d',
      currency: 'BTC',
      poolAddress: first.chain.address,
      daemons: [daemonOf(first, 2), daemonOf(second, 1)],
      difficulty: ANY_HASH,
      chain: { job_refresh: 0.5, rpc_ping_int: 0.3, maturity: MATURITY },
    });
  });
  after(async () => {
    await Promise.all([stopSite(first), stopSite(second)]);
    removeFolder(folder);
  });
  beforeEach(start);
  afterEach(async () => {
    pool.kill('SIGTERM');
    await pool.exited;
  });

  it('goes to every live daemon at once, and each answer is recorded', async () => {
    const miner = await connect();
    const share = await mineOne(miner);
    await eventually('both answers', () => blockOf(share)?.answers.length === 2);
    const block = blockOf(share)!;
    assert.equal(block.state, 'accepted');
    assert.deepEqual(
      new Set(block.answers.map(({ daemon, answer }) => `${daemon} ${answer}`)),
      new Set([first, second].map(({ proxy }) => `127.0.0.1:${proxy.port} accepted`)),
    );
    await miner.close();
  });

  it('is on the chain although the pool was killed between find and submission', async () => {
    const miner = await connect();
    const tip = await bestOf(first);
    first.proxy.stall();
    second.proxy.stall();
    const share = await miner.share(true);
    assert.equal(share.answer, true);
    await crash();
    await Promise.all([first, second].map(({ proxy }) => proxy.close()));
    assert.equal(await bestOf(first), tip, 'nothing was submitted before the end');
    assert.equal(await bestOf(second), tip);
    for (const { proxy } of [first, second]) {
      proxy.resume();
      await proxy.open();
    }
    await start();
    await eventually(
      'the block is on both chains',
      async () => (await isBestOf(first, share)) && (await isBestOf(second, share)),
    );
    await eventually('it is recorded', () => blockOf(share)?.state === 'accepted');
  });

  it('a replayed solving share is a duplicate and is not submitted again', async () => {
    const miner = await connect();
    const share = await mineOne(miner);
    const submissions = pool.output.split(`"hash":"${share.blockHash}"`).length;
    // On the tip it solved the share is stale or a duplicate, never another block.
    const again = await miner.answered(miner.repeat(share));
    assert.ok(again.answer === 22 || again.answer === 21, String(again.answer));
    const next = await mineOne(miner);
    await eventually('the next block', () => blockOf(next) !== undefined);
    assert.equal(reported().filter(({ hashHexBE }) => hashHexBE === share.blockHash).length, 1);
    assert.equal(blockOf(share)!.answers.length, 2);
    assert.equal(pool.output.split(`"hash":"${share.blockHash}"`).length, submissions);
    await miner.close();
  });

  it('waits for a daemon that is down, and for another that is up it does not', async () => {
    const miner = await connect();
    await second.proxy.close();
    await eventually('the second is down', async () => {
      const view = await pool.view<{ down_coinservers: number }>('/BTC/');
      return view.down_coinservers === 1;
    });
    const share = await miner.share(true);
    await eventually('the first has it', () => isBestOf(first, share));
    await first.proxy.close();
    await miner.until('the job on it', () => miner.job.prevHash !== miner.jobs[0]!.prevHash);
    await eventually('none is live', async () => {
      const view = await pool.view<{ live_coinservers: number }>('/BTC/');
      return view.live_coinservers === 0;
    });
    const alone = await miner.share(true);
    assert.equal(alone.answer, true);
    assert.equal(blockOf(alone)?.state, 'pending');
    await first.proxy.open();
    await eventually('the first has it once it is back', () => isBestOf(first, alone), 15_000);
    await eventually('it is recorded', () => blockOf(alone)?.state === 'accepted');
    // The nodes are no peers of each other: give the second what it missed.
    for (const hash of [share.blockHash, alone.blockHash]) {
      await second.chain.cli('submitblock', [await first.chain.cli('getblock', [hash, false])]);
    }
    await second.proxy.open();
    assert.equal(await bestOf(second), alone.blockHash);
    await miner.close();
  });

  it('is recorded as matured, or as orphaned once another chain is longer', async () => {
    const miner = await connect();
    const blocks: SentShare[] = [];
    for (let i = 0; i < MATURITY + 1; i += 1) blocks.push(await mineOne(miner));
    await eventually('the first one matured', () => blockOf(blocks[0]!)?.state === 'matured');
    const last = blocks[MATURITY]!;
    assert.equal(blockOf(last)?.state, 'accepted');
    await Promise.all(
      [first, second].map(({ chain }) => chain.cli('invalidateblock', [last.blockHash])),
    );
    await first.chain.mine(2);
    await eventually('it is orphaned', () => blockOf(last)?.state === 'orphaned');
    await miner.close();
  });
});
