/**
 * The whole product on real Litecoin Core (regtest, scrypt), mined by `powerpool mine`: shares and blocks
 * are accepted before MWEB, its activation block with a peg-in, and blocks after it with wallet
 * transactions and fees. The pool signs in with the daemon's cookie file. A pool_address of another
 * network is a clear error and nothing is mined. What is expected comes from litecoind.
 *
 * needs: litecoind
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bech32 } from '@scure/base';
import { startLitecoinPair } from '../support/litecoind.ts';
import type { Litecoind } from '../support/litecoind.ts';
import { mineShares, poolConfig } from '../support/pool-config.ts';
import type { PoolConfig } from '../support/pool-config.ts';
import { PoolProcess } from '../support/pool-process.ts';
import { eventually } from '../support/servers.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/powerpool.js', import.meta.url));
/** About 64 hashes a share; every hash that meets it is a block on regtest. */
const DIFFICULTY = 2 ** -10;
/** BIP9 on regtest: active after three windows of 144 blocks. */
const MWEB_HEIGHT = 432;

interface Block {
  readonly height: number;
  readonly confirmations: number;
  readonly tx: readonly { readonly txid: string; readonly vout: readonly { value: number }[] }[];
}

interface ReportedBlock {
  readonly hashHexBE: string;
  readonly height: number;
  readonly state: string;
  readonly totalSubsidy: string;
  readonly fees: string | null;
}

interface ChainView {
  readonly net_state: { readonly height: number; readonly transactions: number };
}

/** The cookie file is set instead of user and password. */
function withCookie(config: PoolConfig, node: Litecoind): PoolConfig {
  const all = JSON.parse(config.text) as { LTC: { coinservs: object[] } };
  all.LTC.coinservs = [{ port: node.rpcPort, cookie_file: node.cookieFile }];
  return { ...config, text: JSON.stringify(all) };
}

describe('a pool on litecoind', () => {
  let nodes: [Litecoind, Litecoind];
  let address: string;
  let config: PoolConfig;
  let pool: PoolProcess;

  const height = async (): Promise<number> => (await nodes[0].cli('getblockcount')) as number;
  /** Shares until the chain is that high: two of them may be blocks of one height. */
  const mineTo = async (target: number): Promise<void> => {
    for (let left = target - (await height()); left > 0; left = target - (await height())) {
      await mineShares(config.stratumPort, {
        shares: left,
        user: `${address}.rig`,
        algo: 'scrypt',
      });
      await eventually('the block is there', async () => (await height()) > target - left);
    }
  };
  const blockAt = async (at: number): Promise<Block> =>
    (await nodes[0].cli('getblock', [await nodes[0].cli('getblockhash', [at]), 2])) as Block;
  const configFor = async (poolAddress: string): Promise<PoolConfig> =>
    withCookie(
      await poolConfig({
        algo: 'scrypt',
        currency: 'LTC',
        poolAddress,
        daemons: [{ port: nodes[0].rpcPort, user: '', password: '' }],
        difficulty: DIFFICULTY,
        chain: { job_refresh: 0.3, rpc_ping_int: 0.5 },
      }),
      nodes[0],
    );
  const jobFor = (at: number, transactions: number): Promise<void> =>
    eventually(`a job for ${at} with ${transactions} transactions`, async () => {
      const { net_state } = await pool.view<ChainView>('/LTC/');
      return net_state.height === at && net_state.transactions >= transactions;
    });

  before(async () => {
    nodes = await startLitecoinPair({ cookie: true });
    await nodes[0].cli('createwallet', ['pool']);
    address = (await nodes[0].cli('getnewaddress')) as string;
    await nodes[0].mine(1, address);
    config = await configFor(address);
    pool = new PoolProcess({ config: config.text, monitorPort: config.monitorPort });
    await pool.ready();
  });
  after(async () => {
    await pool.stop();
    await Promise.all(nodes.map((node) => node.stop()));
  });

  it('mines blocks, signed in with the cookie file', async () => {
    const from = await height();
    await mineTo(from + 3);
    const { tx, confirmations } = await blockAt(from + 1);
    assert.ok(confirmations > 0);
    assert.equal(tx.length, 1);
  });

  it('mines the first MWEB block, with the peg-in in it', async () => {
    await nodes[0].mine(MWEB_HEIGHT - 1 - (await height()), address);
    const hidden = await nodes[0].cli('getnewaddress', ['', 'mweb']);
    const pegIn = await nodes[0].cli('sendtoaddress', [hidden, 1]);
    await jobFor(MWEB_HEIGHT, 1);
    await mineTo(MWEB_HEIGHT);
    const { tx } = await blockAt(MWEB_HEIGHT);
    assert.ok(tx.some(({ txid }) => txid === pegIn));
    assert.equal((await blockchainInfo(nodes[0])).mweb, true);
  });

  it('mines blocks after it, with wallet transactions and their fees', async () => {
    const sent: unknown[] = [];
    for (let count = 0; count < 3; count += 1) {
      sent.push(await nodes[0].cli('sendtoaddress', [address, 0.5]));
    }
    const at = (await height()) + 1;
    await jobFor(at, 2);
    await mineTo(at + 1);
    const seen = new Set((await blockAt(at)).tx.map(({ txid }) => txid));
    assert.ok(sent.some((txid) => seen.has(String(txid))));
    await eventually(
      'the other node agrees',
      async () => (await nodes[1].cli('getblockcount')) === (await height()),
    );
  });

  it('the ledger says what the daemon says', async () => {
    // A block beside the best chain is found out at the next tip.
    await nodes[0].mine(1);
    const file = join(pool.folder, 'config.yml');
    const args = [LAUNCHER, 'report', file, '--json', '--blocks', '1000'];
    let accepted: readonly ReportedBlock[] = [];
    await eventually('every accepted block is in the best chain', async () => {
      const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
      assert.equal(run.status, 0, run.stderr);
      const { blocks } = JSON.parse(run.stdout) as { blocks: ReportedBlock[] };
      accepted = blocks.filter(({ state }) => state === 'accepted' || state === 'matured');
      const hashes = accepted.map((block) => nodes[0].cli('getblockhash', [block.height]));
      const found = await Promise.all(hashes);
      return accepted.every((block, i) => block.hashHexBE === found[i]);
    });
    assert.ok(accepted.length >= 6);
    for (const block of accepted) {
      const known = await blockAt(block.height);
      const paid = known.tx[0]!.vout.reduce((sum, { value }) => sum + Math.round(value * 1e8), 0);
      assert.equal(String(paid), block.totalSubsidy);
    }
    assert.ok(accepted.some(({ fees }) => BigInt(fees ?? 0) > 0n));
  });

  it('a pool_address of another network is a clear error, and nothing is mined', async (t) => {
    const foreign = bech32.encode('ltc', [0, ...bech32.toWords(new Uint8Array(20))]);
    const wrong = await configFor(foreign);
    const other = new PoolProcess({ config: wrong.text, monitorPort: wrong.monitorPort });
    t.after(() => other.stop());
    await other.logged(new RegExp(`pool_address ${foreign}.*network regtest`));
    await eventually('its monitor', async () => {
      try {
        return (await fetch(`http://127.0.0.1:${wrong.monitorPort}/healthz`)).status === 503;
      } catch {
        return false;
      }
    });
    const view = await other.view<ChainView & { jobs_made: number }>('/LTC/');
    assert.equal(view.jobs_made, 0);
    assert.equal(view.net_state.height, null);
    await new Promise<void>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: wrong.stratumPort });
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        if (text.split('\n').length <= 2) return;
        socket.destroy();
        assert.doesNotMatch(text, /mining\.notify","params/);
        resolve();
      });
      socket.write('{"id":1,"method":"mining.subscribe","params":[]}\n');
      socket.write('{"id":2,"method":"mining.authorize","params":["donate.a","x"]}\n');
    });
  });
});

/** Whether MWEB is active. */
async function blockchainInfo(node: Litecoind): Promise<{ mweb: boolean }> {
  const info = (await node.cli('getblockchaininfo')) as {
    softforks: Record<string, { active: boolean }>;
  };
  return { mweb: info.softforks['mweb']?.active === true };
}
