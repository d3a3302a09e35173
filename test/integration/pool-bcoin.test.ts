/**
 * The whole product against a real sha256d daemon: bin/powerpool.js on a bcoin regtest chain, mined by
 * `powerpool mine`. Before segwit is active and after it, with wallet transactions, so that fees and the
 * witness commitment matter. What is expected comes from bcoin.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startBcoin } from '../support/bcoin.ts';
import type { Bcoin } from '../support/bcoin.ts';
import { mineShares, poolConfig } from '../support/pool-config.ts';
import type { PoolConfig } from '../support/pool-config.ts';
import { PoolProcess } from '../support/pool-process.ts';
import { eventually } from '../support/servers.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/powerpool.js', import.meta.url));
/** About 4,300 hashes a share; every hash that meets it is a block on regtest. */
const DIFFICULTY = 2 ** -20;

interface Block {
  readonly tx: readonly string[];
}

interface Found {
  readonly hashHexBE: string;
  readonly height: number;
  readonly state: string;
  readonly totalSubsidy: string;
  readonly fees: string;
}

interface Report {
  readonly blocks: readonly Found[];
}

describe('a pool on bcoin', () => {
  let chain: Bcoin;
  let config: PoolConfig;
  let pool: PoolProcess;
  const user = (): string => `${chain.address}.rig`;
  const height = async (): Promise<number> => (await chain.cli('getblockcount')) as number;

  before(async () => {
    chain = await startBcoin();
    config = await poolConfig({
      algo: 'sha256d',
      currency: 'BTC',
      poolAddress: chain.address,
      daemons: [chain.rpc],
      difficulty: DIFFICULTY,
      chain: { job_refresh: 0.5 },
    });
    pool = new PoolProcess({ config: config.text, monitorPort: config.monitorPort });
    await pool.ready();
  });

  after(async () => {
    await pool.stop();
    await chain.stop();
  });

  it('finds blocks from the genesis block on, before segwit is active', async () => {
    for (let tip = 0; tip < 3; tip += 1) {
      await mineShares(config.stratumPort, { shares: 1, user: user() });
      await eventually('a block', async () => (await height()) > tip);
    }
  });

  it('finds blocks with wallet transactions once segwit is active', async () => {
    await chain.mine(450 - (await height()));
    const sent = await chain.send(20);
    const inTemplate = async (): Promise<boolean> => {
      const view = await pool.view<{ net_state: { transactions: number } }>('/BTC/');
      return view.net_state.transactions === sent.length;
    };
    // bcoin looks at its mempool anew when a block comes, not while it is asked all the time.
    await mineShares(config.stratumPort, { shares: 1, user: user() });
    await eventually('a job with the wallet transactions', inTemplate);
    const tip = await height();
    await mineShares(config.stratumPort, { shares: 1, user: user() });
    await eventually('a block', async () => (await height()) > tip);
    const hash = await chain.cli('getblockhash', [tip + 1]);
    const block = (await chain.cli('getblock', [hash])) as Block;
    assert.deepEqual(new Set(block.tx.slice(1)), new Set(sent));
    const raw = Buffer.from((await chain.cli('getblock', [hash, false])) as string, 'hex');
    assert.ok(raw.includes(Buffer.from('6a24aa21a9ed', 'hex')), 'the witness commitment');
    assert.ok(raw.includes(Buffer.from('/PowerPool/')), 'the tag');
  });

  it('the ledger holds what was mined, and the daemon agrees', async () => {
    const file = join(pool.folder, 'config.yml');
    const args = [LAUNCHER, 'report', file, '--json', '--blocks', '100'];
    const onChain = async (): Promise<readonly Found[]> => {
      const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
      assert.equal(run.status, 0, run.stderr);
      const ours: Found[] = [];
      for (const block of (JSON.parse(run.stdout) as Report).blocks) {
        if (block.state !== 'accepted' && block.state !== 'matured') continue;
        const hash = await chain.cli('getblockhash', [block.height]);
        if (hash === block.hashHexBE) ours.push(block);
      }
      return ours;
    };
    let withFees: Found | undefined;
    // The daemon's answer to the last block may still be on its way to the ledger.
    await eventually('blocks of ours on the chain, one of them with fees', async () => {
      const ours = await onChain();
      withFees = ours.find(({ fees }) => BigInt(fees) > 0n);
      return ours.length >= 4 && withFees !== undefined;
    });
    assert.ok(withFees);
    const coinbase = (await chain.cli('getblock', [withFees.hashHexBE, true, true])) as {
      tx: { vout: { value: number }[] }[];
    };
    const paid = coinbase.tx[0]!.vout.reduce((sum, { value }) => sum + Math.round(value * 1e8), 0);
    assert.equal(String(paid), withFees.totalSubsidy);
  });

  it('shares stand in the ledger with the difficulty they were judged by', async () => {
    const view = await pool.view<{ counters: { name: string; total: number }[] }>('/counters/');
    const sum = view.counters.find(({ name }) => name === 'acc_share_n1')!.total;
    const count = view.counters.find(({ name }) => name === 'acc_share_count')!.total;
    assert.ok(count >= 5);
    assert.equal(sum, count * DIFFICULTY);
  });
});
