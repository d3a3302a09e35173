/**
 * The Redis sink by itself on a real redis-server: the contract of sinks, the keys of the original to the
 * letter, one script a batch. Expected keys are those of contract §5, written out by hand.
 *
 * needs: redis-server
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { redisSchema } from '../../src/config/schema/reporters.ts';
import type { RedisSettings } from '../../src/config/schema/reporters.ts';
import type { Log } from '../../src/log.ts';
import { silentLog } from '../../src/log.ts';
import { RedisSink } from '../../src/report/redis.ts';
import { sinkContract } from '../contract/sink.ts';
import type { SinkContents } from '../contract/sink.ts';
import { hashOf, startRedis } from '../support/redis.ts';
import type { RedisServer } from '../support/redis.ts';
import { MINUTE, START, batch, block, share, sinkContext, slice } from '../support/sink-batch.ts';

let redis: RedisServer;
before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

function settings(more: object = {}): RedisSettings {
  return redisSchema.parse({
    redis: { port: redis.port },
    ...more,
  });
}

async function contents(): Promise<SinkContents> {
  const shares: Record<string, number> = {};
  const keys = await redis.ask<string[]>('keys', '*');
  for (const key of keys.filter((name) => /^chain_1_slice(_\d+)?$/.test(name))) {
    for (const entry of await redis.ask<string[]>('lrange', key, '0', '-1')) {
      const [address = '', difficulty] = entry.split(':');
      shares[address] = (shares[address] ?? 0) + Number(difficulty);
    }
  }
  const minutes: Record<string, number> = {};
  for (const key of keys.filter((name) => name.startsWith('min_'))) {
    const [, kind = '', , minute] = key.split('_');
    for (const [field, sum] of Object.entries(await hashOf(redis, key))) {
      minutes[`${['acc', 'dup', 'low', 'stale'].indexOf(kind)} ${minute} ${field}`] = Number(sum);
    }
  }
  const blocks = await Promise.all(
    keys.filter((name) => name.startsWith('unproc_block_')).map((name) => hashOf(redis, name)),
  );
  return {
    shares,
    minutes,
    blocks: blocks
      .toSorted((a, b) => Number(a['chain_1_solve_index']) - Number(b['chain_1_solve_index']))
      .map((fields) => fields['hash']!),
  };
}

sinkContract('redis', async () => {
  await redis.ask('flushall');
  return {
    sink: (cursorKey) => new RedisSink(sinkContext(settings(), cursorKey ? { cursorKey } : {})),
    contents,
    close: () => Promise.resolve(),
  };
});

async function deliver(context: object, parts: Parameters<typeof batch>[1]): Promise<RedisSink> {
  await redis.ask('flushall');
  const sink = new RedisSink(sinkContext(settings(), context));
  await sink.open();
  await sink.deliver(batch(START, parts));
  return sink;
}

test('a block rotates the round and its slices; the keys are those of the original', async () => {
  const sink = await deliver(
    { merged: { LTC: ['DOGE'] } },
    {
      shares: [share(1, 'alice', 'rig', 8), share(2, 'bob', '', 0.5), share(3, 'bob', '', 4, 2)],
      blocks: [block(1, 'aa')],
    },
  );
  const hash = 'aa'.padStart(64, '0');
  const seconds = String(MINUTE / 1000 + 30);
  assert.deepEqual(await redis.ask('lrange', 'chain_1_slice_1', '0', '-1'), ['alice:8', 'bob:0.5']);
  assert.equal(await redis.ask('exists', 'chain_1_slice'), 0);
  assert.equal(await redis.ask('get', 'chain_1_slice_index'), '1');
  assert.deepEqual(await hashOf(redis, 'current_block_LTC_scrypt'), {
    chain_1_start_index: '1',
    start_time: seconds,
  });
  assert.deepEqual(await hashOf(redis, 'current_block_DOGE_scrypt'), { chain_1_shares: '8.5' });
  assert.deepEqual(await hashOf(redis, `unproc_block_${hash}`), {
    address: 'alice',
    algo: 'scrypt',
    chain_1_shares: '8.5',
    chain_1_solve_index: '1',
    currency: 'LTC',
    fees: '123',
    hash,
    height: '7',
    hex_bits: '1e0fffff',
    merged: '0',
    solve_time: seconds,
    total_subsidy: '5000000123',
    worker: 'rig',
  });
  await sink.stop();
});

test("a merged block: fees are the text None, bits upper-case, the aux chain's own round", async () => {
  const merged = block(1, 'dd');
  const aux = { ...merged.block, chain: 'DOGE', currency: 'DOGE', merged: true, fees: null };
  const sink = await deliver(
    { merged: { LTC: ['DOGE'] } },
    { shares: [share(1, 'alice', 'rig', 8)], blocks: [{ ...merged, block: aux }] },
  );
  const found = await hashOf(redis, `unproc_block_${'dd'.padStart(64, '0')}`);
  assert.equal(found['fees'], 'None');
  assert.equal(found['hex_bits'], '1E0FFFFF');
  assert.equal(found['merged'], '1');
  assert.equal(found['chain_1_shares'], '8');
  assert.deepEqual(await hashOf(redis, 'current_block_LTC_scrypt'), { chain_1_shares: '8' });
  await sink.stop();
});

test('minutes go to a hash a kind; an empty worker keeps its dot; pool_report_configs adds up', async () => {
  const own = settings({
    pool_report_configs: [{ user: 'pool', worker_format_string: '{server_name}' }],
  });
  const slices = [slice('alice', 'rig', 8), slice('bob', '', 16), slice('bob', '', 2, 1)];
  const sink = await deliver({ settings: own }, { minutes: [{ id: 1, time: MINUTE, slices }] });
  const minute = MINUTE / 1000;
  assert.deepEqual(await hashOf(redis, `min_acc_scrypt_${minute}`), {
    'alice.rig': '8',
    'bob.': '16',
    'pool.powerpool_0': '24',
  });
  assert.deepEqual(await hashOf(redis, `min_dup_scrypt_${minute}`), {
    'bob.': '2',
    'pool.powerpool_0': '2',
  });
  await sink.stop();
});

test('what Redis refuses is logged with its data and left out, the rest is written', async () => {
  await redis.ask('flushall');
  await redis.ask('set', 'chain_1_slice', 'not a list');
  const errors: string[] = [];
  const log: Log = { ...silentLog, error: (text) => errors.push(text) };
  const sink = new RedisSink(sinkContext(settings(), { log }));
  await sink.open();
  const first = batch(START, { shares: [share(1, 'alice', 'rig', 8)] });
  await sink.deliver(first);
  assert.match(errors.join(), /WRONGTYPE.*RPUSH chain_1_slice alice:8/);
  assert.equal((await hashOf(redis, 'current_block_LTC_scrypt'))['chain_1_shares'], '8');
  assert.deepEqual(await sink.open(), first.to);
  await sink.stop();
});

test('a Redis that is out of memory has written nothing: the batch is for another time', async () => {
  await redis.ask('flushall');
  const sink = new RedisSink(sinkContext(settings()));
  await sink.open();
  await redis.ask('config', 'set', 'maxmemory', '1');
  try {
    const first = batch(START, { shares: [share(1, 'alice', 'rig', 8)] });
    await assert.rejects(sink.deliver(first), /OOM/);
    await redis.ask('config', 'set', 'maxmemory', '0');
    assert.deepEqual(await redis.ask('keys', '*'), []);
    assert.equal(await sink.open(), undefined);
    await sink.deliver(first);
    assert.deepEqual((await contents()).shares, { alice: 8 });
  } finally {
    await redis.ask('config', 'set', 'maxmemory', '0');
    await sink.stop();
  }
});

test('two sinks of one name: the one whose position is not the stored one writes nothing', async () => {
  await redis.ask('flushall');
  const one = new RedisSink(sinkContext(settings()));
  const two = new RedisSink(sinkContext(settings()));
  await Promise.all([one.open(), two.open()]);
  const first = batch(START, { shares: [share(1, 'alice', 'rig', 8)] });
  await one.deliver(first);
  await assert.rejects(two.deliver(first), /stands at '2 0 0'/);
  assert.deepEqual((await contents()).shares, { alice: 8 });
  await Promise.all([one.stop(), two.stop()]);
});

test('a Redis Cluster is refused when it is opened, with what to use instead', async () => {
  const cluster = await startRedis(['--cluster-enabled', 'yes']);
  const sink = new RedisSink(sinkContext(settings({ redis: { port: cluster.port } })));
  try {
    await assert.rejects(sink.open(), /is a Redis Cluster.*use a Redis without cluster mode/);
  } finally {
    await sink.stop();
    await cluster.stop();
  }
});
