/**
 * Merge mining end to end under Litecoin: the product on real litecoind (scrypt, segwit and MWEB active)
 * with five aux daemons (test/support/aux-daemon.ts, which verify proofs by the rules of consensus), mined
 * by the built-in miner until every chain has grown by 20 blocks. One of the daemons is the second choice
 * of its chain. Every proof that was taken is shown to auxpow_check.py.
 *
 * needs: litecoind python3
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { AuxDaemon } from '../support/aux-daemon.ts';
import { auxPoolConfig, startAuxDaemons, startMiner } from '../support/aux-pool.ts';
import { pythonVerdicts } from '../support/auxpow-python.ts';
import { startLitecoinPair } from '../support/litecoind.ts';
import type { Litecoind } from '../support/litecoind.ts';
import { PoolProcess } from '../support/pool-process.ts';
import { eventually } from '../support/servers.ts';

const BLOCKS = 20;
/** BIP9 on regtest: active after three windows of 144 blocks. */
const MWEB_HEIGHT = 432;

describe('litecoind with five aux chains', () => {
  let nodes: readonly [Litecoind, Litecoind];
  let aux: readonly AuxDaemon[];
  let pool: PoolProcess;
  let port: number;
  let address: string;

  before(async () => {
    nodes = await startLitecoinPair();
    const [node] = nodes;
    await node.cli('createwallet', ['pool']);
    address = (await node.cli('getnewaddress')) as string;
    await node.mine(MWEB_HEIGHT - 1, address);
    await node.cli('sendtoaddress', [await node.cli('getnewaddress', ['', 'mweb']), 1]);
    aux = await startAuxDaemons([
      { name: 'doge', chainId: 0x62, pow: 'scrypt', style: 'dogecoin' },
      { name: 'pep', chainId: 0x3f, pow: 'scrypt' },
      // An id that rolled versions of the parent could carry.
      { name: 'bells', chainId: 0x2010, pow: 'scrypt', style: 'dogecoin' },
      { name: 'lky', chainId: 0x2030, pow: 'scrypt' },
      { name: 'old', chainId: 0xa, pow: 'scrypt', style: 'old' },
    ]);
    const [doge, pep, bells, lky, old] = aux;
    const nobody = { port: 1, user: 'x', password: 'y' };
    const config = await auxPoolConfig(
      {
        algo: 'scrypt',
        currency: 'LTC',
        poolAddress: address,
        daemons: [{ port: node.rpcPort, user: node.user, password: node.password }],
        difficulty: 2 ** -6,
        chain: { job_refresh: 1 },
      },
      [
        { key: 'DOGE', daemons: [doge!] },
        { key: 'PEP', daemons: [nobody, pep!] },
        { key: 'BEL', daemons: [bells!], settings: { flush: true } },
        { key: 'LKY', daemons: [lky!] },
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
    await Promise.all(nodes.map((node) => node.stop()));
  });

  it('every chain grows by twenty blocks, the parents with MWEB', async () => {
    const [node] = nodes;
    const grown = async (): Promise<number> =>
      ((await node.cli('getblockcount')) as number) - MWEB_HEIGHT + 1;
    const miner = await startMiner(port, 'scrypt', `${address}.rig`);
    try {
      await eventually(
        'twenty blocks of every chain',
        async () => aux.every((one) => one.grown >= BLOCKS) && (await grown()) >= BLOCKS,
        50_000,
      );
    } finally {
      await miner.stop();
    }
    const tip = (await node.cli('getblock', [await node.cli('getbestblockhash')])) as {
      tx: string[];
    };
    assert.ok(tip.tx.length >= 2, 'the HogEx');
  });

  it('another checker takes every proof that the daemons took', () => {
    for (const one of aux) {
      assert.deepEqual(one.refusals, []);
      for (const verdict of pythonVerdicts(one.accepted)) assert.match(verdict, /^ok/);
    }
  });

  it('the monitor names every aux chain and what it counted', async () => {
    for (const [at, key] of ['DOGE', 'PEP', 'BEL', 'LKY', 'OLD'].entries()) {
      const view = await pool.view<{ block_stats: Record<string, number> }>(`/${key}/`);
      assert.equal(view.block_stats['accepts'], aux[at]!.accepted.length);
      assert.equal(view.block_stats['rejects'], 0);
    }
  });
});
