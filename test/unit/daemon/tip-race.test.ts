import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { pauseMs } from '../../../src/daemon/longpoll.ts';
import { TipRace } from '../../../src/daemon/tip-race.ts';
import { hashOf } from '../../../src/daemon/zmq.ts';

describe('the race of tip sources', () => {
  it('the first source of a tip gets its lead over the second, the others their lag', () => {
    const race = new TipRace();
    race.saw('a', 'zmq', 100);
    race.saw('a', 'longpoll', 110);
    race.saw('a', 'poll', 180);
    race.saw('b', 'zmq', 1000);
    race.saw('b', 'poll', 1050);
    assert.deepEqual(race.status(), {
      zmq: { first: 2, seen: 2, lead_ms: 30, lag_ms: null },
      longpoll: { first: 0, seen: 1, lead_ms: null, lag_ms: 10 },
      poll: { first: 0, seen: 2, lead_ms: null, lag_ms: 65 },
    });
  });

  it('repeats count nothing', () => {
    const race = new TipRace();
    for (const at of [1, 2, 3]) race.saw('a', 'poll', at);
    assert.deepEqual(race.status(), { poll: { first: 1, seen: 1, lead_ms: null, lag_ms: null } });
  });

  it('a tip of long ago starts a new race: old ones are forgotten', () => {
    const race = new TipRace();
    for (let tip = 0; tip < 17; tip += 1) race.saw(`t${tip}`, 'poll', tip);
    race.saw('t0', 'push', 100);
    race.saw('t16', 'push', 100);
    assert.deepEqual(race.status().push, { first: 1, seen: 2, lead_ms: null, lag_ms: 84 });
  });
});

describe('long poll pauses', () => {
  it('there is none after news, and they double up to half a minute', () => {
    assert.deepEqual(
      [0, 1, 2, 3, 5, 6, 60].map(pauseMs),
      [0, 1000, 2000, 4000, 16_000, 30_000, 30_000],
    );
  });
});

describe('ZMQ messages', () => {
  it('only a hashblock message with 32 bytes is a hash, in the order published', () => {
    const hash = Buffer.from('00'.repeat(31) + 'ff', 'hex');
    const topic = Buffer.from('hashblock');
    assert.equal(hashOf([topic, hash, Buffer.alloc(4)]), hash.toString('hex'));
    assert.equal(hashOf([Buffer.from('hashtx'), hash]), undefined);
    assert.equal(hashOf([topic, hash.subarray(1)]), undefined);
    assert.equal(hashOf([topic]), undefined);
    assert.equal(hashOf([]), undefined);
  });
});
