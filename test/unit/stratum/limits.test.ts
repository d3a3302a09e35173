/** What one peer may take: places, connects, nonsense; and a table that cannot grow without end. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { fullBucket, peerKey, PeerLimits, peerRules, spend } from '../../../src/stratum/limits.ts';
import type { PeerRules } from '../../../src/stratum/limits.ts';

const rules: PeerRules = {
  connections: 3,
  connects: { burst: 5, perSecond: 1 },
  badRequests: { burst: 10, perSecond: 0.5 },
  banMs: 60_000,
  maxPeers: 4,
};

describe('a peer', () => {
  it('holds no more than its connections at a time', () => {
    const limits = new PeerLimits(rules);
    for (let i = 0; i < 3; i++) assert.equal(limits.connect('a', 0), undefined);
    assert.equal(limits.connect('a', 0), 'tooManyConnections');
    assert.equal(limits.connectionsOf('a'), 3);
    limits.disconnect('a');
    assert.equal(limits.connect('a', 0), undefined);
    assert.equal(limits.connect('b', 0), undefined);
  });

  it('connects no faster than its budget, which time fills again', () => {
    const limits = new PeerLimits(rules);
    for (let i = 0; i < 5; i++) {
      assert.equal(limits.connect('a', 0), undefined);
      limits.disconnect('a');
    }
    assert.equal(limits.connect('a', 0), 'connectsTooFast');
    assert.equal(limits.connect('a', 999), 'connectsTooFast');
    assert.equal(limits.connect('a', 1000), undefined);
  });

  it('is banned once its purse of bad requests is empty, and free again after banMs', () => {
    const limits = new PeerLimits(rules);
    limits.connect('a', 0);
    for (let i = 0; i < 10; i++) assert.equal(limits.spendBad('a', 0), true);
    assert.equal(limits.spendBad('a', 0), false);
    limits.disconnect('a');
    assert.equal(limits.connect('a', 59_999), 'banned');
    assert.equal(limits.connect('a', 60_000), undefined);
  });

  it('fills no purse by connecting again', () => {
    const limits = new PeerLimits(rules);
    limits.connect('a', 0);
    for (let i = 0; i < 10; i++) limits.spendBad('a', 0);
    limits.disconnect('a');
    limits.connect('a', 0);
    assert.equal(limits.spendBad('a', 0), false);
  });

  it('may stay within its rate of bad requests for ever', () => {
    const limits = new PeerLimits(rules);
    limits.connect('a', 0);
    for (let i = 0; i < 1000; i++) assert.equal(limits.spendBad('a', i * 2000), true);
  });

  it('that is not connected has nothing to spend', () => {
    assert.equal(new PeerLimits(rules).spendBad('a', 0), false);
  });

  it('with as many connections as limits.connections_per_address may open them all at once', () => {
    const limits = new PeerLimits(
      peerRules({
        connections: 100,
        connections_per_address: 50,
        bad_per_minute: 120,
        ban_seconds: 300,
      }),
    );
    for (let i = 0; i < 50; i++) assert.equal(limits.connect('farm', 0), undefined);
    assert.equal(limits.connect('farm', 0), 'tooManyConnections');
  });
});

describe('the table of peers', () => {
  it('forgets the peer that went first, never one that is connected', () => {
    const limits = new PeerLimits(rules);
    for (const key of ['a', 'b', 'c', 'd']) limits.connect(key, 0);
    assert.equal(limits.connect('e', 0), 'tableFull');
    limits.disconnect('b');
    limits.disconnect('a');
    assert.equal(limits.connect('e', 0), undefined);
    assert.equal(limits.size, 4);
    assert.equal(limits.connectionsOf('c'), 1);
  });

  it('never exceeds maxPeers and counts connections as a plain map would', () => {
    const action = fc.record({
      connect: fc.boolean(),
      key: fc.integer({ min: 0, max: 9 }).map(String),
      waitMs: fc.integer({ min: 0, max: 3000 }),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
        const limits = new PeerLimits(rules);
        const model = new Map<string, number>();
        let now = 0;
        for (const { connect, key, waitMs } of actions) {
          now += waitMs;
          const before = model.get(key) ?? 0;
          if (!connect) {
            limits.disconnect(key);
            model.set(key, Math.max(before - 1, 0));
          } else if (limits.connect(key, now) === undefined) model.set(key, before + 1);
          assert.ok(limits.size <= rules.maxPeers);
          assert.equal(limits.connectionsOf(key), model.get(key) ?? 0);
          assert.ok(limits.connectionsOf(key) <= rules.connections);
        }
      }),
    );
  });
});

describe('a bucket', () => {
  it('says how long to wait for the next token', () => {
    const budget = { burst: 1, perSecond: 4 };
    const bucket = fullBucket(budget, 0);
    assert.equal(spend(bucket, budget, 0), 0);
    assert.equal(spend(bucket, budget, 0), 250);
    assert.equal(Math.round(spend(bucket, budget, 249)), 1);
    assert.equal(spend(bucket, budget, 250), 0);
  });

  it('is neither filled nor emptied by a clock that goes back', () => {
    const budget = { burst: 2, perSecond: 1 };
    const bucket = fullBucket(budget, 10_000);
    spend(bucket, budget, 10_000);
    assert.equal(spend(bucket, budget, 5000), 0);
    assert.ok(spend(bucket, budget, 10_000) > 0);
  });
});

describe('the key of a peer', () => {
  it('is an IPv4 address, also where it is mapped into IPv6', () => {
    assert.equal(peerKey('192.0.2.7'), '192.0.2.7');
    assert.equal(peerKey('::ffff:192.0.2.7'), '192.0.2.7');
    assert.equal(peerKey('::ffff:c000:207'), '192.0.2.7');
    assert.equal(peerKey('0:0:0:0:0:FFFF:192.0.2.7'), '192.0.2.7');
  });

  it('is the /64 of an IPv6 address, however it is written', () => {
    const expected = '2001:db8:0:1::/64';
    for (const ip of [
      '2001:db8:0:1::1',
      '2001:DB8:0:1:ffff:ffff:ffff:ffff',
      '2001:0db8:0000:0001::',
      '2001:db8:0:1:0:0:192.0.2.7',
    ]) {
      assert.equal(peerKey(ip), expected, ip);
    }
    assert.notEqual(peerKey('2001:db8:0:2::1'), expected);
    assert.equal(peerKey('::1'), '0:0:0:0::/64');
    assert.equal(peerKey('fe80::1%eth0'), 'fe80:0:0:0::/64');
  });

  it('is one for everything else', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        assert.equal(typeof peerKey(text), 'string');
      }),
    );
    assert.equal(peerKey(''), 'unknown');
    assert.equal(peerKey('pipe'), 'unknown');
  });
});
