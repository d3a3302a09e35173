/**
 * A group of two Litecoin Core nodes on regtest (scrypt, segwit and MWEB rules), both connected to a third
 * (a node without a peer serves no template, on regtest too): templates with rules learned from the daemon's refusal, new tips by poll and by long poll, failover when the first is
 * killed and return when it is back with a new cookie, a node that fell behind, a node without peers.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { GroupOptions } from '../../src/daemon/group.ts';
import { Daemon } from '../../src/daemon/rpc.ts';
import type { DaemonOptions } from '../../src/daemon/rpc.ts';
import { GroupUnderTest, daemonOptions } from '../support/daemon-group.ts';
import { startLitecoind } from '../support/litecoind.ts';
import type { Litecoind } from '../support/litecoind.ts';
import { eventually, removeFolder, temporaryFolder } from '../support/servers.ts';

const folder = temporaryFolder('litecoind');
let first: Litecoind;
let second: Litecoind;
/** In no group: the peer that each of the two still has when the other is gone. */
let peer: Litecoind;
const pools: GroupUnderTest[] = [];

function settings(node: Litecoind, more: Partial<DaemonOptions>): DaemonOptions {
  return daemonOptions({ port: node.rpcPort, user: node.user, password: node.password }, more);
}

async function startPool(
  daemons: readonly DaemonOptions[],
  more: Partial<GroupOptions> = {},
): Promise<GroupUnderTest> {
  const pool = new GroupUnderTest(daemons, more);
  pools.push(pool);
  await pool.group.start();
  return pool;
}

const keyOf = (node: Litecoind): string => `127.0.0.1:${node.rpcPort}`;
const firstSettings = (): DaemonOptions =>
  settings(first, { priority: 2, cookieFile: first.cookieFile });
const secondSettings = (): DaemonOptions => settings(second, { priority: 1 });

before(async () => {
  peer = await startLitecoind();
  const [hash] = await peer.mine(1);
  [first, second] = await Promise.all([
    startLitecoind({ cookie: true, folder, peer }),
    startLitecoind({ peer }),
  ]);
  for (const node of [first, second]) {
    await eventually('it has the block', async () => (await node.cli('getbestblockhash')) === hash);
  }
});

after(async () => {
  await Promise.all(pools.map((pool) => pool.group.stop()));
  await first.kill();
  await second.stop();
  await peer.stop();
  removeFolder(folder);
});

describe('litecoind', () => {
  it('a template comes although the rules it demands were not asked for at first', async () => {
    const pool = await startPool([secondSettings()]);
    const template = await pool.until('a template', () => true);
    assert.equal(template.raw.source, 'start');
    assert.equal(template.raw.newTip, true);
    assert.equal(template.tip, await second.cli('getbestblockhash'));
    const status = pool.group.status().coinservers[keyOf(second)];
    assert.equal(status?.last_getinfo?.['chain'], 'regtest');
    assert.match(String(status.last_getinfo['subversion']), /LitecoinCore/);
    await pool.group.stop();
  });

  it('a block is known by poll within a poll or two, from the daemon in use', async () => {
    const pool = await startPool([secondSettings()]);
    await pool.until('the first', () => true);
    const [hash] = await second.mine(1);
    const template = await pool.until('the new tip', (one) => one.tip === hash);
    assert.equal(template.raw.source, 'poll');
    assert.equal(template.raw.newTip, true);
    await pool.group.stop();
  });

  it('a block is known by long poll where nothing is polled', async () => {
    const pool = await startPool([secondSettings()], { poll: false, longpoll: true });
    await pool.until('the first', () => true);
    for (let blocks = 0; blocks < 3; blocks += 1) {
      const [hash] = await second.mine(1);
      const template = await pool.until('the new tip', (one) => one.tip === hash);
      assert.ok(['longpoll', 'start'].includes(template.raw.source), template.raw.source);
    }
    assert.ok((pool.group.status().tip_sources.longpoll?.first ?? 0) >= 2);
    await pool.group.stop();
  });

  it('the tip may fall: a block that is taken back is followed', async () => {
    const pool = await startPool([secondSettings()]);
    const [kept, dropped] = await second.mine(2);
    await pool.until('the new tip', (one) => one.tip === dropped);
    await second.cli('invalidateblock', [dropped]);
    const template = await pool.until('one less', (one) => one.tip === kept);
    assert.equal(template.raw.newTip, true);
    await second.cli('reconsiderblock', [dropped]);
    await pool.until('back again', (one) => one.tip === dropped);
    await pool.group.stop();
  });

  it('a block in parts is understood: a known one is a duplicate, garbage an error', async () => {
    const daemon = new Daemon(secondSettings());
    const hex = Buffer.from(
      String(await second.cli('getblock', [await second.cli('getbestblockhash'), 0])),
    );
    const quote = Buffer.from('"');
    const parts = [quote, hex.subarray(0, 160), hex.subarray(160), quote];
    assert.equal(await daemon.callParts('submitblock', parts), 'duplicate');
    await assert.rejects(daemon.callParts('submitblock', [quote, hex.subarray(0, 160), quote]), {
      code: 'RPC',
      rpcCode: -22,
    });
    await daemon.close();
  });

  it('the next one serves when the first is killed, and the first again when it is back', async () => {
    const pool = await startPool([firstSettings(), secondSettings()], { longpoll: true });
    await pool.until('from the first', (one) => one.from === keyOf(first));
    const cookieBefore = first.cookieFile;
    const { rpcPort, p2pPort } = first;
    await first.kill();
    await pool.until('from the second', (one) => one.from === keyOf(second));
    const [hash] = await second.mine(1);
    await pool.until('a block meanwhile', (one) => one.tip === hash && one.from === keyOf(second));

    first = await startLitecoind({ cookie: true, folder, rpcPort, p2pPort, peer });
    assert.equal(first.cookieFile, cookieBefore, 'the same file, another cookie in it');
    const back = await pool.until('from the first', (one) => one.from === keyOf(first));
    assert.equal(back.tip, hash, 'it takes over when it has the block that it missed');
    await pool.group.stop();
  });

  it('one that is cut off from the network while its sibling goes on is left', async () => {
    const pool = await startPool([firstSettings(), secondSettings()], { agreeMs: 500 });
    await pool.until('from the first', (one) => one.from === keyOf(first));
    await first.cli('setnetworkactive', [false]);
    await eventually('it has no peers', async () => (await first.peers()) === 0);
    const [hash] = await second.mine(1);
    await pool.until('from the second', (one) => one.from === keyOf(second) && one.tip === hash);
    await eventually('it is said', () => pool.logged('warn', /disagree/).length === 1);
    await first.cli('setnetworkactive', [true]);
    await first.cli('addnode', [`127.0.0.1:${peer.p2pPort}`, 'onetry']);
    await pool.until('from the first', (one) => one.from === keyOf(first) && one.tip === hash);
    await pool.group.stop();
  });

  it('one without peers has no template (-9): the next is used, and it stays live', async () => {
    await first.cli('setnetworkactive', [false]);
    await eventually('it has no peers', async () => (await first.peers()) === 0);
    const pool = await startPool([firstSettings(), secondSettings()]);
    await pool.until('from the second', (one) => one.from === keyOf(second));
    await eventually('both live', () => pool.group.live.length === 2);
    const why = pool.group.status().coinservers[keyOf(first)]?.templates ?? '';
    assert.match(why, /not connected/);
    await first.cli('setnetworkactive', [true]);
    await first.cli('addnode', [`127.0.0.1:${peer.p2pPort}`, 'onetry']);
    await pool.until('from the first', (one) => one.from === keyOf(first));
    await pool.group.stop();
  });
});
