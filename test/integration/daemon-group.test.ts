/**
 * A group of daemons against fake ones (test/support/fake-daemon.ts), for what needs faults or an exact
 * order of events: failover and return, refusal of templates, one call at a time, long polls that spin,
 * daemons that disagree. The real daemons are in daemon-litecoind and daemon-bcoin.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';

import type { GroupOptions } from '../../src/daemon/group.ts';
import type { Cancel, Timers } from '../../src/daemon/timers.ts';
import { GroupUnderTest, daemonOptions } from '../support/daemon-group.ts';
import { FakeDaemon, fakeHash } from '../support/fake-daemon.ts';
import { eventually, rpcCall } from '../support/servers.ts';
import { startZmqPublisher } from '../support/zmq-publisher.ts';

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

interface SetUp {
  readonly high: FakeDaemon;
  readonly low: FakeDaemon;
  readonly pool: GroupUnderTest;
  readonly keyOf: (fake: FakeDaemon) => string;
}

/** Two daemons with the same tip, the first with the higher priority, and a started group. */
async function setUp(
  t: TestContext,
  more: Partial<GroupOptions> = {},
  prepare: (high: FakeDaemon, low: FakeDaemon) => void = () => {},
  zmq?: string,
): Promise<SetUp> {
  const high = await new FakeDaemon().start();
  const low = await new FakeDaemon().start();
  prepare(high, low);
  const pool = new GroupUnderTest(
    [
      daemonOptions(low, { priority: 1, timeoutMs: 400 }),
      daemonOptions(high, { priority: 2, timeoutMs: 400, ...(zmq === undefined ? {} : { zmq }) }),
    ],
    more,
  );
  t.after(async () => {
    await pool.group.stop();
    await high.stop().catch(() => {});
    await low.stop().catch(() => {});
  });
  await pool.group.start();
  return { high, low, pool, keyOf: (fake) => `127.0.0.1:${fake.port}` };
}

const onTip = (tip: string) => (template: { tip: string }) => template.tip === tip;

describe('which daemon serves templates', () => {
  it('the highest priority, the next when it dies, and the highest again when it is back', async (t) => {
    const { high, low, pool, keyOf } = await setUp(t);
    await pool.until('from high', (template) => template.from === keyOf(high));
    assert.equal(pool.group.preferred()?.key, keyOf(high));

    await high.stop();
    const moved = await pool.until('from low', (template) => template.from === keyOf(low));
    assert.equal(moved.raw.source, 'failover');
    assert.equal(moved.raw.newTip, false, 'the same tip: miners go on with what they have');
    assert.deepEqual(
      pool.group.live.map((daemon) => daemon.key),
      [keyOf(low)],
    );
    assert.equal(pool.group.status().coinservers[keyOf(high)]?.status, 'down');
    assert.equal(pool.logged('warn', /is down/).length, 1);

    await high.start();
    await pool.until('from high again', (template) => template.from === keyOf(high));
    assert.equal(pool.group.live.length, 2);
    assert.equal(pool.logged('warn', /is down/).length, 1, 'said once, not at every ping');
  });

  it('one that hangs is left after its timeout', async (t) => {
    const { high, low, pool, keyOf } = await setUp(t);
    await pool.until('from high', (template) => template.from === keyOf(high));
    high.faults.set('*', { kind: 'hang' });
    const hungAt = performance.now();
    await pool.until('from low', (template) => template.from === keyOf(low));
    assert.ok(performance.now() - hungAt < 1500);
    const tip = fakeHash('while the other hangs');
    low.newTip(tip);
    const started = performance.now();
    await pool.until('polled from low', onTip(tip));
    assert.ok(performance.now() - started < 300, 'the hanging daemon delays nothing');
  });

  it('one that is still downloading the chain, or has no peers, only while there is no better one', async (t) => {
    const { high, low, pool, keyOf } = await setUp(t, {}, (first) => {
      first.initialDownload = true;
    });
    await pool.until('from low', (template) => template.from === keyOf(low));
    await eventually('both live', () => pool.group.live.length === 2);
    assert.equal(pool.group.preferred()?.key, keyOf(low));
    assert.match(pool.group.status().coinservers[keyOf(high)]?.templates ?? '', /downloading/);
    high.initialDownload = false;
    await pool.until('from high', (template) => template.from === keyOf(high));
    high.peers = 0;
    await pool.until('from low', (template) => template.from === keyOf(low));
    await low.stop();
    await pool.until('from high for want of better', (one) => one.from === keyOf(high));
  });

  it('not one whose chain has less work for longer than daemons take to agree, and it is said once', async (t) => {
    const { high, low, pool, keyOf } = await setUp(t, { agreeMs: 500 });
    await pool.until('from high', (template) => template.from === keyOf(high));
    low.newTip(fakeHash('one more'));
    const moved = await pool.until('from low', (template) => template.from === keyOf(low));
    assert.equal(moved.raw.newTip, true);
    await eventually('it is said', () => pool.logged('warn', /disagree/).length === 1);
    assert.ok(pool.group.status().disagreement?.includes(keyOf(high)));
    high.newTip(fakeHash('one more'), low.height);
    await pool.until('from high', (template) => template.from === keyOf(high));
    await eventually('they agree', () => pool.group.status().disagreement === null);
    assert.equal(pool.logged('warn', /disagree/).length, 1);
    assert.equal(pool.logged('info', /agree .* again/).length, 1);
  });

  it('one that comes back behind its sibling takes over when it has caught up', async (t) => {
    const { high, low, pool, keyOf } = await setUp(t);
    await pool.until('from high', (template) => template.from === keyOf(high));
    await high.stop();
    const tip = fakeHash('missed');
    low.newTip(tip);
    await pool.until('from low', onTip(tip));
    const before = high.count('getblocktemplate');
    await high.start();
    await eventually('high is live', () => pool.group.live.length === 2);
    assert.match(pool.group.status().coinservers[keyOf(high)]?.templates ?? '', /longer chain/);
    assert.equal(high.count('getblocktemplate'), before);
    high.newTip(tip, low.height);
    const back = await pool.until('from high', (template) => template.from === keyOf(high));
    assert.equal(back.raw.newTip, false);
  });

  it('a template that is refused: the next daemon is asked at once, with the same news', async (t) => {
    const { high, low, pool, keyOf } = await setUp(t);
    await pool.until('from high', (template) => template.from === keyOf(high));
    pool.judge = (template) => (template.from === keyOf(high) ? 'it lacks bits' : undefined);
    const tip = fakeHash('refused');
    low.newTip(tip);
    high.newTip(tip);
    const used = await pool.until('from low', (one) => one.from === keyOf(low) && one.tip === tip);
    assert.equal(used.raw.newTip, true, 'the refused template does not count as delivered');
    assert.match(pool.group.status().coinservers[keyOf(high)]?.templates ?? '', /lacks bits/);
    pool.judge = () => undefined;
    await pool.until('high is tried again', (template) => template.from === keyOf(high));
    assert.equal(pool.logged('warn', /lacks bits/).length, 1);
  });

  it('one without a template (no peers: -9) stays live and is asked again later', async (t) => {
    const { high, low, pool, keyOf } = await setUp(t, {}, (first) => {
      first.faults.set('getblocktemplate', { kind: 'rpc', code: -9, message: 'not connected!' });
    });
    await pool.until('from low', (template) => template.from === keyOf(low));
    await eventually('both live', () => pool.group.live.length === 2);
    await eventually('high was asked', () => high.count('getblocktemplate') > 0);
    high.faults.clear();
    await pool.until('from high', (template) => template.from === keyOf(high));
    assert.ok(high.count('getblocktemplate') < 10, 'it was not asked all the time');
  });

  it('what it demands of the request is learned from its error', async (t) => {
    const message = 'must be called with (call with {"rules": ["mweb", "segwit"]})';
    const { high, pool } = await setUp(t, {}, (first, second) => {
      first.faults.set('getblocktemplate', { kind: 'rpc', code: -8, message });
      second.faults.set('*', { kind: 'hang' });
    });
    await eventually('asked twice', () => high.count('getblocktemplate') >= 2);
    high.faults.clear();
    await pool.until('a template', () => true);
    const asked = high.asked.filter((one) => one.method === 'getblocktemplate');
    const rules = asked.map((one) => (one.params[0] as { rules: string[] }).rules);
    assert.deepEqual(rules[0], ['segwit']);
    assert.deepEqual(rules[1], ['segwit', 'mweb']);
  });
});

describe('asking for templates', () => {
  it('the same tip told by many sources is fetched once; one more tip meanwhile, once more', async (t) => {
    const { high, pool } = await setUp(t, { poll: false });
    await pool.until('the first', () => true);
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

  it('a slow daemon is not asked again while a poll is under way', async (t) => {
    const timers = new ManualTimers();
    const { high, pool } = await setUp(t, { timers });
    await pool.until('from high', (template) => template.from === `127.0.0.1:${high.port}`);
    await eventually('the ping is over', () => high.count('getbestblockhash') === 1);
    high.faults.set('getbestblockhash', { kind: 'hang' });
    for (let polls = 0; polls < 20; polls += 1) timers.fire(50);
    await eventually('a poll arrived', () => high.count('getbestblockhash') === 2);
    await rpcCall(high.port, `${high.user}:${high.password}`, 'submitblock', []);
    assert.equal(high.count('getbestblockhash'), 2);
  });

  it('every job_refresh there is one on the same tip', async (t) => {
    const { pool } = await setUp(t, { jobRefreshMs: 100 });
    await pool.until('the first', () => true);
    const again = await pool.until('a refresh', (one) => one.raw.source === 'refresh');
    assert.equal(again.raw.newTip, false);
  });

  it('a longer answer than a parse is worth goes through untouched', async (t) => {
    const { high, pool } = await setUp(t, {}, (first, second) => {
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
    const { high, pool } = await setUp(t, { poll: false, longpoll: true });
    await pool.until('the first', () => true);
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
    const { high, pool } = await setUp(t, { longpoll: true, blockPollMs: 20 });
    await pool.until('the first', () => true);
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

  it('a daemon that answers at once with the same work is not asked in a spin', async (t) => {
    const { high, pool } = await setUp(t, { poll: false, longpoll: true }, (first) => {
      first.longpollSpins = true;
    });
    await pool.until('the first', () => true);
    await eventually('a second long poll after a pause', () => high.count('getblocktemplate') >= 3);
    assert.ok(high.count('getblocktemplate') < 6);
    assert.ok(pool.seen.length < 3, 'repetitions are not delivered');
  });

  it('a long poll that breaks does not take the daemon down', async (t) => {
    const { high, pool, keyOf } = await setUp(t, { longpoll: true });
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
    const { high, pool, keyOf } = await setUp(t, { poll: false }, () => {}, publisher.endpoint);
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

  it('an endpoint where nobody publishes is one warning, and polling goes on', async (t) => {
    const publisher = await startZmqPublisher();
    publisher.close();
    const { high, pool } = await setUp(t, {}, () => {}, publisher.endpoint);
    await pool.until('the first', () => true);
    await eventually('it is said', () => pool.logged('warn', /nothing publishes/).length === 1);
    const tip = fakeHash('polled');
    high.newTip(tip);
    assert.equal((await pool.until('polled', onTip(tip))).raw.source, 'poll');
  });

  it('an endpoint that is none is a warning', async (t) => {
    const { pool } = await setUp(t, {}, () => {}, 'http://nonsense');
    await eventually('it is said', () => pool.logged('warn', /no usable endpoint/).length === 1);
    await pool.until('a template', () => true);
  });
});

it('status has the shapes of the monitor', async (t) => {
  const { high, low, pool, keyOf } = await setUp(t);
  await pool.until('from high', (template) => template.from === keyOf(high));
  await low.stop();
  await eventually('low is down', () => pool.group.status().down_coinservers === 1);
  const status = pool.group.status();
  assert.equal(status.live_coinservers, 1);
  const server = status.coinservers[keyOf(high)];
  assert.equal(server?.status, 'live');
  assert.equal(server.templates, 'serving');
  assert.equal(server.last_getinfo?.['blocks'], high.height);
  assert.ok(server.connections.length >= 2, 'one for calls, one kept for blocks');
  for (const connection of server.connections) {
    assert.ok(connection.last_rtt !== null && connection.last_rtt < 1);
    assert.ok(Number.isInteger(connection.connected_since));
  }
  assert.ok(!JSON.stringify(status).includes(high.password));
});
