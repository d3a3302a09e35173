/**
 * How a new tip is heard of and its template fetched, on fake daemons (test/support/fake-daemon.ts) for an
 * exact order of events: one call at a time, long polls that spin or come late, ZMQ from a real publisher.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { ManualClock } from '../../src/clock.ts';
import type { Cancel, Timers } from '../../src/daemon/timers.ts';
import { onTip, startFakePair } from '../support/daemon-group.ts';
import { fakeHash } from '../support/fake-daemon.ts';
import type { FakeDaemon } from '../support/fake-daemon.ts';
import { eventually, rpcCall } from '../support/servers.ts';
import { startZmqPublisher } from '../support/zmq-publisher.ts';

/** Does something again and again, with time for a call to the daemon in between. */
async function repeat(fake: FakeDaemon, times: number, act: () => Promise<void>): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    await act();
    await rpcCall(fake.port, `${fake.user}:${fake.password}`, 'submitblock', []);
  }
}

/** Timers that run when they are told to. */
class ManualTimers implements Timers {
  readonly #tasks = new Map<() => void, number>();

  after(ms: number, task: () => void): Cancel {
    this.#tasks.set(task, ms);
    return () => this.#tasks.delete(task);
  }

  /** Runs every timer that was set to this time. */
  fire(ms: number): void {
    for (const [task, at] of Array.from(this.#tasks)) {
      if (at === ms && this.#tasks.delete(task)) task();
    }
  }
}

describe('asking for templates', () => {
  it('the same tip told by many sources is fetched once; one more tip meanwhile, once more', async (t) => {
    const { high, pool } = await startFakePair(t, { poll: false });
    await pool.until('from high', (one) => one.from === `127.0.0.1:${high.port}`);
    const before = high.count('getblocktemplate');
    const tip = fakeHash('pushed');
    high.newTip(tip);
    for (let index = 0; index < 20; index += 1) pool.group.look('push');
    const template = await pool.until('pushed', onTip(tip));
    assert.equal(template.raw.source, 'push');
    await eventually('every look is done', () => high.count('getbestblockhash') >= 2);
    assert.equal(high.count('getblocktemplate'), before + 1);
    assert.ok(high.count('getbestblockhash') < 20, 'looks are combined');
  });

  it('signals during a call make no second one, unless they tell of another tip', async (t) => {
    const { high, pool, keyOf } = await startFakePair(t, { poll: false }, () => {}, {
      timeoutMs: 8000,
    });
    await pool.until('from high', (template) => template.from === keyOf(high));
    const before = high.count('getblocktemplate');
    const gate = Promise.withResolvers<void>();
    high.gates.set('getblocktemplate', gate.promise);
    const push = async (): Promise<void> => {
      await repeat(high, 5, async () => pool.group.look('push'));
    };
    high.newTip(fakeHash('first'));
    await push();
    const second = fakeHash('second');
    high.newTip(second);
    await push();
    const third = fakeHash('third');
    high.newTip(third);
    await push();
    assert.equal(high.count('getblocktemplate'), before + 1, 'one at a time');
    high.gates.clear();
    gate.resolve();
    await pool.until('the first, as the call was answered', onTip(fakeHash('first')));
    await pool.until('the third', onTip(third));
    await push();
    assert.equal(high.count('getblocktemplate'), before + 2, 'and one for the newest tip');
    assert.equal(pool.seen.filter(onTip(second)).length, 0);
  });

  it('a slow daemon is not asked again while a poll is under way', async (t) => {
    const timers = new ManualTimers();
    const { high, pool } = await startFakePair(t, { timers });
    await pool.until('from high', (template) => template.from === `127.0.0.1:${high.port}`);
    await eventually('the ping is over', () => high.count('getbestblockhash') === 1);
    high.faults.set('getbestblockhash', { kind: 'hang' });
    for (let polls = 0; polls < 20; polls += 1) timers.fire(50);
    await eventually('a poll arrived', () => high.count('getbestblockhash') === 2);
    await rpcCall(high.port, `${high.user}:${high.password}`, 'submitblock', []);
    assert.equal(high.count('getbestblockhash'), 2);
  });

  it('every job_refresh there is one on the same tip', async (t) => {
    const { high, pool } = await startFakePair(t, { jobRefreshMs: 100 });
    await pool.until('from high', (one) => one.from === `127.0.0.1:${high.port}`);
    const again = await pool.until('a refresh', (one) => one.raw.source === 'refresh');
    assert.equal(again.raw.newTip, false);
  });

  it('a longer answer than a parse is worth goes through untouched', async (t) => {
    const { high, pool } = await startFakePair(t, {}, (first, second) => {
      first.padding = 3_000_000;
      second.faults.set('*', { kind: 'hang' });
    });
    const template = await pool.until('from high', () => true);
    assert.ok(template.raw.body.length > 3_000_000);
    assert.equal(template.tip, high.tip);
  });
});

describe('long polling', () => {
  it('the answer is the template: no other call is made', async (t) => {
    const { high, pool } = await startFakePair(t, { poll: false, longpoll: true });
    await pool.until('from high', (one) => one.from === `127.0.0.1:${high.port}`);
    await eventually('the long poll waits', () => high.count('getblocktemplate') >= 2);
    const before = high.count('getblocktemplate');
    const tip = fakeHash('long polled');
    high.newTip(tip);
    const template = await pool.until('long polled', onTip(tip));
    assert.equal(template.raw.source, 'longpoll');
    assert.equal(template.raw.newTip, true);
    await eventually('it waits again', () => high.count('getblocktemplate') === before + 1);
    assert.equal(pool.seen.filter(onTip(tip)).length, 1);
  });

  it('a tip that poll and long poll both tell of is delivered once, and the race is counted', async (t) => {
    const { high, pool } = await startFakePair(t, { longpoll: true, blockPollMs: 20 });
    await pool.until('from high', (one) => one.from === `127.0.0.1:${high.port}`);
    await eventually('the long poll waits', () => high.count('getblocktemplate') >= 2);
    const tip = fakeHash('both');
    high.newTip(tip);
    await pool.until('both', onTip(tip));
    await eventually('both told', () => {
      const { poll, longpoll } = pool.group.status().tip_sources;
      return poll?.seen === 1 && longpoll?.seen === 1;
    });
    assert.equal(pool.seen.filter(onTip(tip)).length, 1);
  });

  it('an answer that comes after another source told of the tip is not delivered again', async (t) => {
    const { high, pool } = await startFakePair(t, { longpoll: true });
    await pool.until('from high', (one) => one.from === `127.0.0.1:${high.port}`);
    await eventually('the long poll waits', () => high.count('getblocktemplate') >= 2);
    high.longpollsAreLate = true;
    const tip = fakeHash('polled before');
    high.newTip(tip);
    assert.equal((await pool.until('polled', onTip(tip))).raw.source, 'poll');
    const before = high.count('getblocktemplate');
    high.answerLongpolls();
    await eventually('it waits again', () => high.count('getblocktemplate') === before + 1);
    assert.equal(pool.seen.filter(onTip(tip)).length, 1);
    assert.equal(pool.group.status().tip_sources.longpoll?.first ?? 0, 0);
  });

  it('new transactions on the same tip are delivered', async (t) => {
    const clock = new ManualClock();
    const { high, pool } = await startFakePair(t, { poll: false, longpoll: true, clock });
    await pool.until('from high', (one) => one.from === `127.0.0.1:${high.port}`);
    await eventually('the long poll waits', () => high.count('getblocktemplate') >= 2);
    clock.advance(60_000);
    high.newTransactions();
    const template = await pool.until('more transactions', () => true);
    assert.equal(template.raw.source, 'longpoll');
    assert.equal(template.raw.newTip, false);
  });

  it('a daemon that answers at once with the same work is not asked in a spin', async (t) => {
    const { high, pool } = await startFakePair(t, { poll: false, longpoll: true }, (first) => {
      first.longpollSpins = true;
    });
    await pool.until('from high', (one) => one.from === `127.0.0.1:${high.port}`);
    await eventually('a second long poll after a pause', () => high.count('getblocktemplate') >= 3);
    assert.ok(high.count('getblocktemplate') < 6);
    assert.ok(pool.seen.length < 3, 'repetitions are not delivered');
  });

  it('a long poll that breaks does not take the daemon down', async (t) => {
    const { high, pool, keyOf } = await startFakePair(t, { longpoll: true });
    await pool.until('from high', (template) => template.from === keyOf(high));
    await eventually('the long poll waits', () => high.count('getblocktemplate') >= 2);
    high.asked.findLast((one) => one.method === 'getblocktemplate')?.socket.destroy();
    await eventually('it is asked again', () => high.count('getblocktemplate') >= 3);
    assert.equal(pool.logged('warn', /is down/).length, 0);
    assert.equal(pool.group.preferred()?.key, keyOf(high));
  });
});

describe('ZMQ', () => {
  it('hashblock brings the new tip; other messages bring nothing', async (t) => {
    const publisher = await startZmqPublisher();
    t.after(() => publisher.close());
    const { high, pool, keyOf } = await startFakePair(t, { poll: false }, () => {}, {
      zmq: publisher.endpoint,
    });
    await pool.until('from high', (template) => template.from === keyOf(high));
    await publisher.subscribed;
    await publisher.raw(['hashblock', Buffer.alloc(7)]);
    await publisher.raw(['hashtx', Buffer.alloc(32)]);
    const tip = fakeHash('published');
    high.newTip(tip);
    await eventually('the subscription is known to the publisher', async () => {
      await publisher.hashblock(tip);
      return pool.seen.some(onTip(tip));
    });
    const template = pool.seen.find(onTip(tip));
    assert.equal(template?.raw.source, 'zmq');
    assert.equal(pool.group.status().tip_sources.zmq?.first, 1);
  });

  it('a tip that the daemon in use does not have brings nothing, and few questions', async (t) => {
    const publisher = await startZmqPublisher();
    t.after(() => publisher.close());
    const { high, pool, keyOf } = await startFakePair(t, { poll: false }, () => {}, {
      zmq: publisher.endpoint,
    });
    await pool.until('from high', (template) => template.from === keyOf(high));
    await publisher.subscribed;
    const before = high.count('getblocktemplate');
    const seen = pool.seen.length;
    const unknown = fakeHash('nobody has it');
    await eventually('it asks', async () => {
      await publisher.hashblock(unknown);
      return high.count('getblocktemplate') > before;
    });
    await repeat(high, 20, () => publisher.hashblock(unknown));
    assert.ok(high.count('getblocktemplate') <= before + 2);
    const tip = fakeHash('and then a block');
    high.newTip(tip);
    await publisher.hashblock(tip);
    await pool.until('the block', onTip(tip));
    assert.equal(pool.seen.length, seen + 1);
  });

  it('a daemon that downloads the chain does not disturb the one in use with every block', async (t) => {
    const publisher = await startZmqPublisher();
    t.after(() => publisher.close());
    const { high, low, pool, keyOf } = await startFakePair(t, { poll: false }, () => {}, {
      zmq: publisher.endpoint,
    });
    await pool.until('from high', (template) => template.from === keyOf(high));
    await publisher.subscribed;
    const tip = fakeHash('published');
    low.newTip(tip);
    high.newTip(tip);
    await eventually('it is heard', async () => {
      await publisher.hashblock(tip);
      return pool.seen.some(onTip(tip));
    });
    high.initialDownload = true;
    await pool.until('from low', (template) => template.from === keyOf(low));
    const before = low.count('getblocktemplate');
    let block = 0;
    await repeat(low, 10, () => publisher.hashblock(fakeHash(`old block ${(block += 1)}`)));
    assert.equal(low.count('getblocktemplate'), before);
  });

  it('an endpoint where nobody publishes is one warning, and polling goes on', async (t) => {
    const publisher = await startZmqPublisher();
    publisher.close();
    const { high, pool } = await startFakePair(t, {}, () => {}, { zmq: publisher.endpoint });
    await pool.until('from high', (one) => one.from === `127.0.0.1:${high.port}`);
    await eventually('it is said', () => pool.logged('warn', /nothing publishes/).length === 1);
    const tip = fakeHash('polled');
    high.newTip(tip);
    assert.equal((await pool.until('polled', onTip(tip))).raw.source, 'poll');
  });

  it('an endpoint that is none is a warning', async (t) => {
    const { pool } = await startFakePair(t, {}, () => {}, { zmq: 'http://nonsense' });
    await eventually('it is said', () => pool.logged('warn', /no usable endpoint/).length === 1);
    await pool.until('a template', () => true);
  });
});
