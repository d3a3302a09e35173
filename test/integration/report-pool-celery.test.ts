/**
 * The whole product reports to Celery over RabbitMQ and to Postgres at the same time (a fanout): under
 * load, the pool, the broker, the worker and Postgres are killed at seeded moments and started again. At
 * the end each address's total is that of the ledger, in Postgres row by row, at the Celery worker once
 * repeated task ids are dropped. Then a block, of which the worker hears after its shares. The ledger is
 * read by the test's own decoder.
 *
 * needs: rabbitmq-server, python3-celery, postgresql
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bech32 } from '@scure/base';

import { CeleryWorker } from '../support/celery-peer.ts';
import type { ReceivedTask } from '../support/celery-peer.ts';
import { poolConfig } from '../support/pool-config.ts';
import { readShares } from '../support/pool-ledger.ts';
import { PoolProcess } from '../support/pool-process.ts';
import { startPostgres } from '../support/postgres.ts';
import type { Postgres } from '../support/postgres.ts';
import { startRabbit } from '../support/rabbitmq.ts';
import type { Rabbit } from '../support/rabbitmq.ts';
import { seededRandom } from '../support/random.ts';
import { ScriptMiner } from '../support/script-miner.ts';
import { eventually, removeFolder, temporaryFolder } from '../support/servers.ts';
import { startTemplateDaemon } from '../support/template-daemon.ts';

const SEED = Number(process.env['REPORT_SEED'] ?? 20261123);
const ROUNDS = Number(process.env['REPORT_ROUNDS'] ?? 3);
/** Blocks of real Bitcoin's first difficulty: no miner here finds one. */
const NO_BLOCKS = 0x1d00ffff;
const EASY_BLOCKS = 0x207fffff;
const WINDOW = 4;

let rabbit: Rabbit;
let postgres: Postgres;
before(async () => {
  [rabbit, postgres] = await Promise.all([startRabbit(), startPostgres()]);
});
after(() => Promise.all([rabbit.stop(), postgres.stop()]));

/** `name`: of the queue and of the schema. */
async function rig(t: TestContext, name: string, bits: number) {
  const folder = temporaryFolder('report');
  t.after(() => removeFolder(folder));
  const daemon = await startTemplateDaemon({ bits });
  t.after(() => daemon.stop());
  const config = await poolConfig({
    algo: 'sha256',
    currency: 'BTC',
    poolAddress: bech32.encode('bcrt', [0, ...bech32.toWords(new Uint8Array(20))]),
    daemons: [{ port: daemon.port, user: daemon.user, password: daemon.password }],
    difficulty: 1,
    chain: { diff1: `0x${'f'.repeat(64)}` },
    stratum: { reporter: 'both', limits: { requests_per_second: 1e6 } },
  });
  const celery = {
    BROKER_URL: rabbit.url,
    CELERY_DEFAULT_QUEUE: name,
    CELERY_DEFAULT_EXCHANGE: name,
    CELERY_DEFAULT_ROUTING_KEY: name,
  };
  const reporters = {
    both: { type: 'fanout', reporters: ['celery', 'postgres'] },
    celery: { type: 'celery', share_batch_interval: 0.2, celery },
    postgres: { type: 'postgres', url: postgres.url, schema: name },
  };
  const text = JSON.stringify({ ...JSON.parse(config.text), ...reporters }).replace(
    // A 256-bit number is one only without quotes.
    /"(0xf+)"/,
    '$1',
  );
  const env = { NODE_COMPILE_CACHE: join(folder, 'compiled') };
  const worker = new CeleryWorker(rabbit.url, name);
  t.after(() => worker.stop());
  worker.start();
  const start = (): PoolProcess => {
    const pool = new PoolProcess({ config: text, monitorPort: config.monitorPort, folder, env });
    t.after(() => pool.kill('SIGKILL'));
    return pool;
  };
  return { daemon, config, folder, worker, start };
}

function distinct(tasks: readonly ReceivedTask[]): readonly ReceivedTask[] {
  return [...new Map(tasks.map((task) => [task.id, task])).values()];
}

/** Accepted difficulty of all shares, and of all minutes, as the worker was told. */
function workerTotals(tasks: readonly ReceivedTask[]) {
  let shares = 0;
  let minutes = 0;
  for (const { task, args, kwargs } of distinct(tasks)) {
    if (task === 'add_share') shares += Number(args[1]);
    if (task === 'add_one_minute') minutes += Number(kwargs['valid_shares']);
  }
  return { shares, minutes };
}

async function postgresTotals(schema: string) {
  const [row] = await postgres.query(
    `SELECT (SELECT count(*) FROM shares WHERE kind = 0) AS rows,
       (SELECT sum(difficulty) FROM shares WHERE kind = 0) AS shares,
       (SELECT sum(difficulty) FROM minute_slices WHERE kind = 0) AS minutes`,
    schema,
  );
  return {
    rows: Number(row?.['rows']),
    shares: Number(row?.['shares']),
    minutes: Number(row?.['minutes']),
  };
}

test('what miners were told arrives, whatever is killed', async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const next = seededRandom(SEED);
  const { config, folder, worker, start } = await rig(t, 'chaos', NO_BLOCKS);
  let told = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const pool = start();
    await pool.ready();
    const miner = await ScriptMiner.open(config.stratumPort, { user: 'donate.rig' });
    miner.run(WINDOW, { repeatEvery: 20, solves: false });
    await sleep(400 + next() * 600);
    await postgres.kill();
    if (round === 1) await rabbit.kill();
    if (round === 2) await worker.kill();
    await sleep(next() * 400);
    await postgres.start();
    if (round === 1) await rabbit.start();
    if (round === 2) worker.start();
    await sleep(400 + next() * 800);
    pool.kill('SIGKILL');
    await Promise.all([pool.exited, miner.closed]);
    told += miner.told.filter(({ answer }) => answer === true).length;
  }
  const last = start();
  await last.ready();
  const recorded = readShares(folder).filter(({ kind }) => kind === 0).length;
  await eventually(
    'postgres has it all',
    async () => {
      return (await postgresTotals('chaos')).shares === recorded;
    },
    30_000,
  );
  await last.stop({ keep: true });
  assert.deepEqual(await postgresTotals('chaos'), {
    rows: recorded,
    shares: recorded,
    minutes: recorded,
  });
  await eventually(
    'the worker has it all',
    () => {
      const { shares, minutes } = workerTotals(worker.received());
      return shares === recorded && minutes === recorded;
    },
    30_000,
  ).catch(() => {});
  assert.deepEqual(workerTotals(worker.received()), { shares: recorded, minutes: recorded });
  t.diagnostic(`told ${told}, recorded ${recorded}, ${worker.received().length} tasks`);
  assert.ok(told > ROUNDS * 100, 'hardly any load');
  assert.ok(recorded >= told);
});

test('a block arrives after its shares', async (t) => {
  const { daemon, config, worker, start } = await rig(t, 'block', EASY_BLOCKS);
  const pool = start();
  await pool.ready();
  const miner = await ScriptMiner.open(config.stratumPort, { user: 'donate.rig' });
  assert.equal((await miner.share(false)).answer, true);
  const { blockHash } = await miner.share(true);
  await eventually('the worker hears of it', () =>
    worker.received().some(({ task }) => task === 'add_block'),
  );
  const tasks = worker.received();
  const at = tasks.findIndex(({ task }) => task === 'add_block');
  assert.equal(workerTotals(tasks.slice(0, at)).shares, 2, 'the solving share stands before it');
  const { hash_hex: hash, user, worker: name, total_value: value } = tasks[at]!.kwargs;
  assert.deepEqual([hash, user, name], [blockHash, 'donate', 'rig']);
  const rows = () => postgres.query('SELECT hash, total_subsidy::text, state FROM blocks', 'block');
  await eventually('postgres has it', async () => (await rows()).length > 0);
  assert.deepEqual(await rows(), [
    { hash: blockHash, total_subsidy: String(value), state: 'accepted' },
  ]);
  const accepted = daemon.submitted.filter(({ answer }) => answer === null);
  assert.deepEqual(
    accepted.map((one) => one.hash),
    [blockHash],
  );
  await miner.close();
  await pool.stop({ keep: true });
});
