/**
 * Which of several daemons serves templates, on fake ones (test/support/fake-daemon.ts) that fail as they
 * are told: failover and return, hangs, refusal of templates, daemons that are behind or disagree. The
 * real daemons are in daemon-litecoind and daemon-bcoin.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { onTip, startFakePair } from '../support/daemon-group.ts';
import { fakeHash } from '../support/fake-daemon.ts';
import { eventually } from '../support/servers.ts';

describe('which daemon serves templates', () => {
  it('the highest priority, the next when it dies, and the highest again when it is back', async (t) => {
    const { high, low, pool, keyOf } = await startFakePair(t);
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
    const { high, low, pool, keyOf } = await startFakePair(t);
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

  it('a call that hangs on the daemon before does not delay polling the next', async (t) => {
    const { high, low, pool, keyOf } = await startFakePair(t, {}, () => {}, { timeoutMs: 8000 });
    const template = await pool.until('from high', (one) => one.from === keyOf(high));
    high.faults.set('getbestblockhash', { kind: 'hang' });
    const before = high.count('getbestblockhash');
    // One is the poll, the other keeps the connection for blocks warm.
    await eventually('both hang', () => high.count('getbestblockhash') === before + 2);
    pool.group.refuse(template.raw, 'not wanted');
    await pool.until('from low', (one) => one.from === keyOf(low));
    const tip = fakeHash('while a call hangs');
    const startedAt = performance.now();
    low.newTip(tip);
    await pool.until('polled from low', onTip(tip));
    assert.ok(performance.now() - startedAt < 1000);
  });

  it('one that stays down is said to be down once', async (t) => {
    const { high, pool, keyOf } = await startFakePair(t);
    await pool.until('from high', (template) => template.from === keyOf(high));
    high.faults.set('*', { kind: 'status', status: 503 });
    const before = high.count('getblockchaininfo');
    await eventually('pinged again and again', () => high.count('getblockchaininfo') > before + 4);
    assert.equal(pool.logged('warn', /is down/).length, 1);
    high.faults.clear();
    await pool.until('from high', (template) => template.from === keyOf(high));
    assert.equal(pool.logged('info', /is live/).length, 3);
  });

  it('one that is still downloading the chain, or has no peers, only while there is no better one', async (t) => {
    const { high, low, pool, keyOf } = await startFakePair(t, {}, (first) => {
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
    const { high, low, pool, keyOf } = await startFakePair(t, { agreeMs: 500 });
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
    const { high, low, pool, keyOf } = await startFakePair(t);
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
    const { high, low, pool, keyOf } = await startFakePair(t);
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
    const { high, low, pool, keyOf } = await startFakePair(t, {}, (first) => {
      first.faults.set('getblocktemplate', { kind: 'rpc', code: -9, message: 'not connected!' });
    });
    await pool.until('from low', (template) => template.from === keyOf(low));
    await eventually('both live', () => pool.group.live.length === 2);
    await eventually('high was asked', () => high.count('getblocktemplate') > 0);
    high.faults.clear();
    await pool.until('from high', (template) => template.from === keyOf(high));
    assert.ok(high.count('getblocktemplate') < 10, 'it was not asked all the time');
  });

  it('one that answers everything but getblocktemplate is not asked at every ping', async (t) => {
    const { high, low, pool, keyOf } = await startFakePair(t, {}, (first) => {
      first.faults.set('getblocktemplate', { kind: 'status', status: 502 });
    });
    await pool.until('from low', (template) => template.from === keyOf(low));
    await eventually('high was asked', () => high.count('getblocktemplate') === 1);
    const pings = high.count('getblockchaininfo');
    await eventually('it answers', () => high.count('getblockchaininfo') > pings + 5);
    assert.equal(high.count('getblocktemplate'), 1);
  });

  it('what it demands of the request is learned from its error', async (t) => {
    const message = 'must be called with (call with {"rules": ["mweb", "segwit"]})';
    const { high, pool } = await startFakePair(t, {}, (first, second) => {
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

it('status has the shapes of the monitor', async (t) => {
  const { high, low, pool, keyOf } = await startFakePair(t);
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
