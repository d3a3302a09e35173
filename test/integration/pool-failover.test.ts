/**
 * Failover while mining, on the whole product with real litecoinds: two serve the pool and are peers of a
 * third, so that each keeps a peer when the other dies. The preferred one is killed under load and comes
 * back: no miner is disconnected, every accepted share is in the ledger, templates come from the second
 * meanwhile and from the first again afterwards, and blocks reach all that live.
 *
 * needs: litecoind
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startLitecoind } from '../support/litecoind.ts';
import type { Litecoind } from '../support/litecoind.ts';
import { poolConfig } from '../support/pool-config.ts';
import type { PoolConfig } from '../support/pool-config.ts';
import { readShares } from '../support/pool-ledger.ts';
import { PoolProcess } from '../support/pool-process.ts';
import { ScriptMiner } from '../support/script-miner.ts';
import { eventually, removeFolder, temporaryFolder } from '../support/servers.ts';

/** Every hash is a share. */
const ANY_HASH = 2 ** -30;
const MINERS = 3;

interface ChainView {
  readonly live_coinservers: number;
  readonly coinservers: Readonly<
    Record<string, { readonly status: string; readonly templates: string }>
  >;
}

describe('failover while mining', () => {
  const folders = { first: temporaryFolder('litecoind'), ledger: temporaryFolder('failover') };
  let hub: Litecoind;
  let first: Litecoind;
  let second: Litecoind;
  let config: PoolConfig;
  let pool: PoolProcess;
  let miners: ScriptMiner[];

  const stateOf = async (node: Litecoind): Promise<{ status: string; templates: string }> => {
    const view = await pool.view<ChainView>('/LTC/');
    return view.coinservers[`127.0.0.1:${node.rpcPort}`]!;
  };
  const serves = async (node: Litecoind): Promise<boolean> =>
    (await stateOf(node)).templates === 'serving';
  const has = async (node: Litecoind, hash: string): Promise<boolean> =>
    (await node.cli('getbestblockhash')) === hash;
  /** A block of the pool's, while the load goes on. */
  const findBlock = async (on: readonly Litecoind[]): Promise<string> => {
    const [miner] = miners;
    const share = await miner!.share(true);
    assert.equal(share.answer, true);
    for (const node of on) await eventually('a node has it', () => has(node, share.blockHash));
    return share.blockHash;
  };

  before(async () => {
    hub = await startLitecoind();
    [first, second] = await Promise.all([
      startLitecoind({ peer: hub, folder: folders.first }),
      startLitecoind({ peer: hub }),
    ]);
    await hub.mine(10);
    const tip = (await hub.cli('getbestblockhash')) as string;
    for (const node of [first, second]) {
      await eventually('the nodes are in step', () => has(node, tip), 30_000);
    }
    await first.cli('createwallet', ['pool']);
    config = await poolConfig({
      algo: 'scrypt',
      currency: 'LTC',
      poolAddress: (await first.cli('getnewaddress')) as string,
      daemons: [first, second].map(({ rpcPort, user, password }, i) => ({
        port: rpcPort,
        user,
        password,
        priority: 2 - i,
      })),
      difficulty: ANY_HASH,
      chain: { rpc_ping_int: 0.3, job_refresh: 1 },
    });
    pool = new PoolProcess({
      config: config.text,
      monitorPort: config.monitorPort,
      folder: folders.ledger,
    });
    await pool.ready();
    miners = await Promise.all(
      Array.from({ length: MINERS }, (_, i) =>
        ScriptMiner.open(config.stratumPort, { algo: 'scrypt', user: `donate.${i}` }),
      ),
    );
    // Shares that are no blocks: every other hash is one on regtest.
    for (const miner of miners) miner.run(2, { solves: false });
  });

  after(async () => {
    pool.kill('SIGKILL');
    await pool.exited;
    await Promise.all([hub, second].map((node) => node.stop()));
    await first.kill();
    Object.values(folders).forEach(removeFolder);
  });

  it('the daemon of the highest priority serves, and a block goes to both', async () => {
    await eventually('the first serves', () => serves(first));
    await findBlock([first, second]);
  });

  it('the second serves when the first is killed, and blocks go on', async () => {
    await first.kill();
    await eventually('the second serves', () => serves(second));
    assert.equal((await stateOf(first)).status, 'down');
    await findBlock([second, hub]);
    await findBlock([second, hub]);
  });

  it('the first serves again once it is back and in step', async () => {
    const { rpcPort, p2pPort } = first;
    first = await startLitecoind({ peer: hub, folder: folders.first, rpcPort, p2pPort });
    await eventually('the first serves again', () => serves(first), 30_000);
    const hash = await findBlock([first, second, hub]);
    await pool.logged(new RegExp(`"hash":"${hash}"`));
  });

  it('no miner was disconnected and no accepted share is lost', async () => {
    for (const miner of miners) {
      assert.equal(miner.isClosed, false);
      await miner.pause();
    }
    const told = miners.flatMap((miner) => miner.told.map(({ fingerprint }) => fingerprint));
    assert.ok(told.length > 100, 'hardly any load');
    const recorded = readShares(folders.ledger).map(({ fingerprint }) => fingerprint);
    assert.deepEqual(recorded.toSorted(), told.toSorted());
    const refused = miners.flatMap(({ shares }) => shares.map(({ answer }) => answer));
    assert.deepEqual(
      new Set(refused.filter((answer) => answer !== true && answer !== 21)),
      new Set(),
      'a share was refused for another reason than being stale',
    );
    await pool.stop({ keep: true });
  });
});
