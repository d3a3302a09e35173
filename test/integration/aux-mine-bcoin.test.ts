/**
 * Merge mining end to end under a sha256d chain: the product on a real bcoin node with three aux daemons
 * (test/support/aux-daemon.ts, which verify proofs by the rules of consensus), mined by the built-in miner
 * with version rolling until every chain has grown by 20 blocks. Every proof that was taken is shown to
 * auxpow_check.py; what the ledger says of each block is compared with the daemons.
 *
 * needs: python3
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { AuxDaemon } from '../support/aux-daemon.ts';
import { auxPoolConfig, startAuxDaemons, startMiner } from '../support/aux-pool.ts';
import { pythonVerdicts } from '../support/auxpow-python.ts';
import { startBcoin } from '../support/bcoin.ts';
import type { Bcoin } from '../support/bcoin.ts';
import { PoolProcess } from '../support/pool-process.ts';
import { eventually } from '../support/servers.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/powerpool.js', import.meta.url));
const BLOCKS = 20;

interface ReportedBlock {
  readonly chain: string;
  readonly hashHexBE: string;
  readonly height: number;
  readonly state: string;
  readonly merged: boolean;
  readonly totalSubsidy: string | null;
  readonly fees: string | null;
  readonly answers: readonly { readonly daemon: string; readonly answer: string }[];
}

describe('bcoin with three aux chains', () => {
  let chain: Bcoin;
  let aux: readonly AuxDaemon[];
  let pool: PoolProcess;
  let port: number;

  before(async () => {
    chain = await startBcoin();
    aux = await startAuxDaemons([
      { name: 'one', chainId: 1, pow: 'sha256d' },
      // A chain id that rolled versions of the parent could carry, and work that every other share solves.
      { name: 'two', chainId: 0x2001, pow: 'sha256d', style: 'dogecoin', bits: 0x2000003f },
      { name: 'old', chainId: 9, pow: 'sha256d', style: 'old' },
    ]);
    const [one, two, old] = aux;
    const config = await auxPoolConfig(
      {
        algo: 'sha256d',
        currency: 'BTC',
        poolAddress: chain.address,
        daemons: [chain.rpc],
        difficulty: 2 ** -15,
      },
      [
        { key: 'ONE', daemons: [one!], settings: { flush: true } },
        { key: 'TWO', daemons: [two!] },
        { key: 'OLD', daemons: [old!], settings: { pool_address: null } },
      ],
    );
    port = config.stratumPort;
    pool = new PoolProcess({ config: config.text, monitorPort: config.monitorPort });
    await pool.ready();
  });

  after(async () => {
    await pool.stop();
    await Promise.all(aux.map((one) => one.stop()));
    await chain.stop();
  });

  it('every chain grows by twenty blocks', async () => {
    const height = async (): Promise<number> => (await chain.cli('getblockcount')) as number;
    const miner = await startMiner(port, 'sha256d', `${chain.address}.rig`);
    try {
      await eventually(
        'twenty blocks of every chain',
        async () => aux.every((one) => one.grown >= BLOCKS) && (await height()) >= BLOCKS,
        50_000,
      );
    } finally {
      await miner.stop();
    }
    assert.ok(miner.counts.accepted >= BLOCKS);
  });

  it('another checker takes every proof that the daemons took', () => {
    for (const one of aux) {
      assert.deepEqual(one.refusals, []);
      for (const verdict of pythonVerdicts(one.accepted)) assert.match(verdict, /^ok/);
    }
  });

  it('no daemon saw both ways of asking for work', () => {
    for (const one of aux) {
      const ways = ['createauxblock', 'getauxblock'].filter((method) => one.count(method) > 0);
      assert.equal(ways.length, 1);
    }
    assert.ok(aux[2]!.count('getauxblock') > 0);
  });

  it("the ledger's rows are the daemons' blocks", async () => {
    const read = (): readonly ReportedBlock[] => {
      const file = join(pool.folder, 'config.yml');
      const run = spawnSync(
        process.execPath,
        [LAUNCHER, 'report', file, '--json', '--blocks', '1000'],
        { encoding: 'utf8' },
      );
      assert.equal(run.status, 0, run.stderr);
      return (JSON.parse(run.stdout) as { blocks: ReportedBlock[] }).blocks;
    };
    await eventually('every aux block is settled', () => {
      const merged = read().filter((block) => block.merged);
      return merged.every(({ state }) => state !== 'pending');
    });
    const rows = read();
    for (const [at, key] of ['ONE', 'TWO', 'OLD'].entries()) {
      const daemon = aux[at]!;
      const taken = rows.filter((block) => block.chain === key && block.state === 'accepted');
      const own = new Map(daemon.blocks.map((block) => [block.hash, block]));
      assert.ok(taken.length >= BLOCKS);
      for (const row of taken) {
        const block = own.get(row.hashHexBE)!;
        assert.ok(daemon.bestHashes.has(row.hashHexBE));
        assert.equal(row.height, block.height);
        assert.equal(row.totalSubsidy, String(block.value));
        assert.equal(row.fees, null);
        assert.ok(row.merged);
        assert.deepEqual(row.answers.at(-1), {
          ...row.answers.at(-1),
          daemon: daemon.key,
          answer: 'true',
        });
      }
    }
  });

  it('the monitor shows each aux chain', async () => {
    const view = await pool.view('/ONE/');
    const stats = view['block_stats'] as Record<string, number>;
    assert.ok(stats['accepts']! >= BLOCKS);
    assert.equal(stats['rejects'], 0);
    assert.ok('stale' in stats);
    const work = view['last_work'] as Record<string, unknown>;
    assert.equal(work['chain_id'], 1);
    assert.equal(work['height'], aux[0]!.height + 1);
    assert.equal(view['currency'], 'ONE');
    const main = await pool.view<{ merged: Record<string, { in_job: boolean }> }>('/BTC/');
    assert.deepEqual(
      Object.values(main.merged).map((one) => one.in_job),
      [true, true, true],
    );
  });
});
