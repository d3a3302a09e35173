/**
 * A group on bcoin (sha256d full node, regtest in memory, in a process of its own): templates with real
 * transactions, the rule it demands learned from its own words, new tips by poll and long poll, and the
 * node's death. Also the demo's chain itself: its wallet, and that it ends with its parent's wish.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { Daemon } from '../../src/daemon/rpc.ts';
import type { DaemonOptions } from '../../src/daemon/rpc.ts';
import { templateParams } from '../../src/daemon/template-request.ts';
import { startBcoin } from '../support/bcoin.ts';
import type { Bcoin } from '../support/bcoin.ts';
import { GroupUnderTest, daemonOptions } from '../support/daemon-group.ts';
import { eventually } from '../support/servers.ts';

interface Template {
  readonly result: {
    readonly transactions: readonly { readonly txid: string; readonly hash: string }[];
    readonly coinbasevalue: number;
    readonly default_witness_commitment: string;
    readonly rules: readonly string[];
  };
}

let chain: Bcoin;
const settings = (): DaemonOptions => daemonOptions(chain.rpc, { timeoutMs: 5000 });

before(async () => {
  chain = await startBcoin({ blocks: 105 });
});
after(() => chain.stop());

describe('bcoin', () => {
  it('serves templates with segwit active and wallet transactions in them', async (t) => {
    const txids = await chain.send(3);
    const pool = new GroupUnderTest([settings()], { templateParams: () => templateParams([]) });
    t.after(() => pool.group.stop());
    await pool.group.start();
    const template = await pool.until('a template', () => true);
    const { result } = JSON.parse(template.raw.body.toString()) as Template;
    assert.deepEqual(result.transactions.map((tx) => tx.txid).toSorted(), txids.toSorted());
    assert.ok(
      result.transactions.every((tx) => tx.hash !== tx.txid),
      'with witnesses',
    );
    assert.ok(result.coinbasevalue > 50e8, 'with fees');
    assert.match(result.default_witness_commitment, /^6a24aa21a9ed/);
    assert.ok(result.rules.includes('!segwit'));
  });

  it('tells of a new tip by poll and by long poll', async (t) => {
    const pool = new GroupUnderTest([settings()], { longpoll: true, blockPollMs: 200 });
    t.after(() => pool.group.stop());
    await pool.group.start();
    await pool.until('the first', () => true);
    for (let blocks = 0; blocks < 3; blocks += 1) {
      const [hash] = await chain.mine(1);
      const template = await pool.until('the new tip', (one) => one.tip === hash);
      assert.equal(template.raw.newTip, true);
      assert.equal(pool.seen.filter((one) => one.tip === hash).length, 1);
    }
    await eventually('both told of tips', () => {
      const { poll, longpoll } = pool.group.status().tip_sources;
      return (poll?.seen ?? 0) > 0 && (longpoll?.seen ?? 0) > 0;
    });
  });

  it('understands a block in parts: a known one is a duplicate, in words of its own', async () => {
    const daemon = new Daemon(settings());
    const hex = String(await chain.cli('getblock', [await chain.cli('getbestblockhash'), 0]));
    const parts = ['"', hex.slice(0, 160), hex.slice(160), '"'].map((part) => Buffer.from(part));
    assert.equal(await daemon.callParts('submitblock', parts), 'rejected: duplicate');
    await daemon.close();
  });

  it('its death is noticed at once by who asks it, and told by the chain', async (t) => {
    const mortal = await startBcoin();
    t.after(() => mortal.stop());
    const pool = new GroupUnderTest([daemonOptions(mortal.rpc)]);
    t.after(() => pool.group.stop());
    await pool.group.start();
    await pool.until('a template', () => true);
    const told = new Promise<string>((resolve) => {
      mortal.onExit(resolve);
    });
    process.kill(mortal.pid, 'SIGKILL');
    assert.match(await told, /SIGKILL/);
    await eventually('it is down', () => pool.group.live.length === 0);
    assert.equal(pool.group.preferred(), undefined);
    await assert.rejects(mortal.mine(1), /not running/);
  });

  it('ends when it is told to', async () => {
    const short = await startBcoin();
    await short.stop();
    assert.throws(() => process.kill(short.pid, 0), { code: 'ESRCH' });
  });
});
