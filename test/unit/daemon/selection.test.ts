import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { DaemonError } from '../../../src/daemon/error.ts';
import {
  decodeHealth,
  disagree,
  holdTip,
  isBehind,
  whyUnsynced,
} from '../../../src/daemon/health.ts';
import type { TipHeld } from '../../../src/daemon/health.ts';
import { preferred } from '../../../src/daemon/node.ts';
import type { Candidate } from '../../../src/daemon/node.ts';

const node = (name: string, more: Partial<Candidate> = {}): Candidate & { name: string } => ({
  name,
  live: true,
  unsynced: undefined,
  refusedUntil: -1,
  priority: 0,
  ...more,
});

describe('the daemon to take templates from', () => {
  const pick = (...nodes: (Candidate & { name: string })[]): string | undefined =>
    preferred(nodes, 1000)?.name;

  it('is the live one with the highest priority', () => {
    const low = node('low', { priority: 1 });
    const high = node('high', { priority: 5 });
    assert.equal(pick(low, high), 'high');
    assert.equal(pick(low, { ...high, live: false }), 'low');
    assert.equal(pick({ ...low, live: false }, { ...high, live: false }), undefined);
  });

  it('is the first of the settings among equals', () => {
    assert.equal(pick(node('a'), node('b')), 'a');
  });

  it('is an unsynced one only while no synced one lives', () => {
    const unsynced = node('unsynced', { priority: 9, unsynced: 'no peers' });
    assert.equal(pick(unsynced, node('synced')), 'synced');
    assert.equal(pick(unsynced, node('synced', { live: false })), 'unsynced');
  });

  it('is not one that was refused, until its time has passed', () => {
    assert.equal(pick(node('a', { refusedUntil: 1001 }), node('b')), 'b');
    assert.equal(pick(node('a', { refusedUntil: 1000 }), node('b')), 'a');
    assert.equal(pick(node('a', { refusedUntil: 1001 })), undefined);
  });
});

describe('health', () => {
  const info = { chain: 'main', blocks: 5, bestblockhash: 'AB'.repeat(32), chainwork: '0f' };

  it('is read from getblockchaininfo and getnetworkinfo', () => {
    const health = decodeHealth('d', info, { connections: 3, localaddresses: ['1.2.3.4'] });
    assert.equal(health.tip, 'ab'.repeat(32));
    assert.equal(health.work, 15n);
    assert.equal(health.peers, 3);
    assert.equal(health.initialDownload, false);
    assert.ok(!('localaddresses' in health.info));
  });

  it('is refused without a tip and a height', () => {
    for (const broken of [{}, { ...info, blocks: -1 }, { ...info, bestblockhash: 'zz' }]) {
      assert.throws(() => decodeHealth('d', broken, {}), DaemonError);
    }
  });

  it('initial download, and no peers off regtest, make a daemon unsynced', () => {
    const why = (more: object, network: object): string | undefined =>
      whyUnsynced(decodeHealth('d', { ...info, ...more }, { ...network }));
    assert.match(why({ initialblockdownload: true }, { connections: 8 }) ?? '', /downloading/);
    assert.match(why({}, { connections: 0 }) ?? '', /peers/);
    assert.equal(why({ chain: 'regtest' }, { connections: 0 }), undefined);
    assert.equal(why({}, {}), undefined);
  });
});

describe('tips of several daemons', () => {
  const held = (tip: string, height: number, since: number, confirmedAt: number): TipHeld => ({
    chain: 'main',
    tip,
    height,
    work: BigInt(height),
    since,
    confirmedAt,
  });

  it('a tip is held from when it was first seen', () => {
    const health = decodeHealth('d', { blocks: 1, bestblockhash: 'aa'.repeat(32) }, {});
    const first = holdTip(undefined, health, 100);
    const second = holdTip(first, health, 300);
    assert.deepEqual([second.since, second.confirmedAt], [100, 300]);
    const other = holdTip(second, { ...health, tip: 'bb' }, 400);
    assert.deepEqual([other.since, other.confirmedAt], [400, 400]);
  });

  it('a daemon is behind once it stayed on less work for the whole time', () => {
    const ahead = held('b', 11, 1000, 1500);
    assert.equal(isBehind(held('a', 10, 0, 5999), ahead, 5000), false);
    assert.equal(isBehind(held('a', 10, 0, 6000), ahead, 5000), true);
    assert.equal(isBehind(ahead, held('a', 10, 0, 6000), 5000), false);
  });

  it('work decides, not height; height where work is not known', () => {
    const mine = held('a', 10, 0, 9000);
    assert.equal(isBehind(mine, { ...held('b', 12, 0, 9000), work: 9n }, 5000), false);
    assert.equal(isBehind(mine, { ...held('b', 12, 0, 9000), work: undefined }, 5000), true);
  });

  it('daemons disagree when they held different tips together for the time; not while one is late', () => {
    assert.equal(disagree(held('a', 1, 0, 9000), held('b', 1, 3000, 9000), 5000), true);
    assert.equal(disagree(held('a', 1, 0, 9000), held('b', 1, 5000, 9000), 5000), false);
    assert.equal(disagree(held('a', 1, 0, 9000), held('a', 1, 0, 9000), 5000), false);
  });

  it('daemons of different networks disagree at once and are never behind each other', () => {
    const other = { ...held('b', 99, 0, 9000), chain: 'test' };
    assert.equal(disagree(held('a', 1, 9000, 9000), other, 5000), true);
    assert.equal(isBehind(held('a', 1, 0, 9000), other, 5000), false);
  });
});
