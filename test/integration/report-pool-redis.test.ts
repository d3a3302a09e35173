/**
 * The whole product reports into a real redis-server: under load, Redis and the pool are killed with
 * SIGKILL at seeded moments and started again, blocks are found; at the end every share of the ledger
 * stands in Redis exactly once (totals by address in rounds, slices and minutes; difficulties of 1, so sums
 * are exact), blocks are reported once, and a Redis that was away for a whole run has cost no memory.
 * The ledger is read by the test's own decoder, Redis by redis-cli.
 *
 * needs: redis-server
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bech32 } from '@scure/base';
import { poolConfig } from '../support/pool-config.ts';
import type { PoolConfig } from '../support/pool-config.ts';
import { readShares } from '../support/pool-ledger.ts';
import { PoolProcess } from '../support/pool-process.ts';
import { seededRandom } from '../support/random.ts';
import { hashOf, startRedis } from '../support/redis.ts';
import type { RedisServer } from '../support/redis.ts';
import { ScriptMiner } from '../support/script-miner.ts';
import type { SentShare } from '../support/script-miner.ts';
import { eventually, removeFolder, temporaryFolder } from '../support/servers.ts';
import { startTemplateDaemon } from '../support/template-daemon.ts';
import type { TemplateDaemon } from '../support/template-daemon.ts';

const SEED = Number(process.env['REPORT_SEED'] ?? 20261123);
const ROUNDS = Number(process.env['REPORT_ROUNDS'] ?? 5);
/** Blocks of real Bitcoin's first difficulty: no miner here finds one. */
const NO_BLOCKS = 0x1d00ffff;
const EASY_BLOCKS = 0x207fffff;
const WINDOW = 16;

interface Rig {
  readonly daemon: TemplateDaemon;
  readonly redis: RedisServer;
  readonly config: PoolConfig;
  readonly folder: string;
  readonly start: () => PoolProcess;
}

async function rig(t: TestContext, bits: number): Promise<Rig> {
  const folder = temporaryFolder('report');
  t.after(() => removeFolder(folder));
  const daemon = await startTemplateDaemon({ bits });
  t.after(() => daemon.stop());
  const redis = await startRedis();
  t.after(() => redis.stop());
  const config = await poolConfig({
    algo: 'sha256',
    currency: 'BTC',
    poolAddress: bech32.encode('bcrt', [0, ...bech32.toWords(new Uint8Array(20))]),
    daemons: [{ port: daemon.port, user: daemon.user, password: daemon.password }],
    difficulty: 1,
    chain: { diff1: `0x${'f'.repeat(64)}` },
    stratum: { reporter: 'redis', limits: { requests_per_second: 1e6 } },
  });
  const reporters = { redis: { type: 'redis', redis: { port: redis.port } } };
  // A 256-bit number is one only without quotes.
  const text = JSON.stringify({ ...JSON.parse(config.text), ...reporters }).replace(
    /"(0xf+)"/,
    '$1',
  );
  const env = { NODE_COMPILE_CACHE: join(folder, 'compiled') };
  const start = (): PoolProcess => {
    const pool = new PoolProcess({ config: text, monitorPort: config.monitorPort, folder, env });
    t.after(() => pool.kill('SIGKILL'));
    return pool;
  };
  return { daemon, redis, config, folder, start };
}

/** Accepted difficulty by address: from the slices, and from the minutes. */
async function totals(redis: RedisServer) {
  const slices: Record<string, number> = {};
  const minutes: Record<string, number> = {};
  for (const key of await redis.ask<string[]>('keys', 'chain_1_slice*')) {
    if (key === 'chain_1_slice_index') continue;
    for (const entry of await redis.ask<string[]>('lrange', key, '0', '-1')) {
      const [address = '', difficulty] = entry.split(':');
      slices[address] = (slices[address] ?? 0) + Number(difficulty);
    }
  }
  for (const key of await redis.ask<string[]>('keys', 'min_acc_sha256_*')) {
    for (const [field, sum] of Object.entries(await hashOf(redis, key))) {
      const address = field.slice(0, field.indexOf('.'));
      minutes[address] = (minutes[address] ?? 0) + Number(sum);
    }
  }
  return { slices, minutes };
}

async function mine(config: PoolConfig): Promise<ScriptMiner[]> {
  const miners = await Promise.all(
    ['donate.0', 'donate.1'].map((user) => ScriptMiner.open(config.stratumPort, { user })),
  );
  for (const miner of miners) miner.run(WINDOW, { repeatEvery: 20, solves: false });
  return miners;
}

test('what miners were told stands in Redis exactly once, over kills of Redis and pool', async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const next = seededRandom(SEED);
  const { redis, config, folder, start } = await rig(t, NO_BLOCKS);
  let told = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const pool = start();
    await pool.ready();
    const miners = await mine(config);
    await sleep(200 + next() * 600);
    await redis.kill();
    await sleep(next() * 400);
    await redis.start();
    await sleep(next() * 800);
    pool.kill('SIGKILL');
    await Promise.all([pool.exited, ...miners.map((miner) => miner.closed)]);
    told += miners.flatMap((miner) => miner.told).filter(({ answer }) => answer === true).length;
  }
  const last = start();
  await last.ready();
  await last.stop({ keep: true });
  const recorded = readShares(folder).filter(({ kind }) => kind === 0).length;
  t.diagnostic(`told ${told}, recorded ${recorded}`);
  assert.ok(told > ROUNDS * 100, 'hardly any load');
  assert.ok(recorded >= told);
  const { slices, minutes } = await totals(redis);
  assert.deepEqual(slices, { donate: recorded });
  assert.deepEqual(minutes, { donate: recorded });
  assert.deepEqual(await hashOf(redis, 'current_block_BTC_sha256'), {
    chain_1_shares: String(recorded),
  });
});

test('each accepted block is reported once, after its share; slices rotate with it', async (t) => {
  const { redis, config, daemon, start } = await rig(t, EASY_BLOCKS);
  const pool = start();
  await pool.ready();
  const miner = await ScriptMiner.open(config.stratumPort, { user: 'donate.rig' });
  const solved: SentShare[] = [];
  for (let count = 1; count <= 3; count += 1) {
    const { prevHash } = miner.job;
    assert.equal((await miner.share(false)).answer, true);
    solved.push(await miner.share(true));
    await miner.untilJob((job) => job.prevHash !== prevHash);
    await eventually(`block ${count} is reported`, async () => {
      return (await redis.ask<string[]>('keys', 'unproc_block_*')).length === count;
    });
  }
  await miner.close();
  await pool.stop({ keep: true });
  const accepted = daemon.submitted.filter(({ answer }) => answer === null).map(({ hash }) => hash);
  assert.deepEqual(
    accepted,
    solved.map(({ blockHash }) => blockHash),
  );
  for (const [at, hash] of accepted.entries()) {
    const found = await hashOf(redis, `unproc_block_${hash}`);
    assert.deepEqual(
      [found['hash'], found['worker'], found['merged'], found['chain_1_shares']],
      [hash, 'rig', '0', '2'],
    );
    assert.equal(found['chain_1_solve_index'], String(at + 1));
    const slice = await redis.ask('lrange', `chain_1_slice_${at + 1}`, '0', '-1');
    assert.deepEqual(slice, ['donate:1', 'donate:1'], 'the solving share stands before its block');
  }
  assert.deepEqual((await totals(redis)).minutes, { donate: 6 });
});

test('a Redis that is down for the whole run costs no memory, and is told all once it is up', async (t) => {
  const { redis, config, folder, start } = await rig(t, NO_BLOCKS);
  await redis.kill();
  const pool = start();
  await pool.ready();
  const miners = await mine(config);
  const memory: number[] = [];
  for (let i = 0; i < 8; i += 1) {
    await sleep(1000);
    const status = readFileSync(`/proc/${pool.pid}/status`, 'utf8');
    memory.push(Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024);
  }
  await Promise.all(miners.map((miner) => miner.close()));
  const status = await pool.view('/redis/');
  const recorded = readShares(folder).filter(({ kind }) => kind === 0).length;
  t.diagnostic(`RSS ${memory.map(Math.round).join(' ')} MB, ${recorded} shares wait`);
  assert.ok(['connecting', 'retrying'].includes(String(status['state'])), JSON.stringify(status));
  assert.ok(Number(status['queue_size']) > 0, JSON.stringify(status));
  const settled = memory.slice(3);
  assert.ok(Math.max(...settled) - Math.min(...settled) < 40, 'memory grows with the backlog');
  await redis.start();
  await eventually(
    'the backlog is taken',
    async () => {
      return (await totals(redis)).slices['donate'] === recorded;
    },
    35_000,
  );
  await pool.stop({ keep: true });
});
