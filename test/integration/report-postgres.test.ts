/**
 * The Postgres sink against a real PostgreSQL: the contract of sinks, exactly once whatever is killed,
 * several servers into one data base, and the queries of docs/reporters.md as they stand there.
 * needs: postgresql
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { postgresSchema } from '../../src/config/schema/reporters.ts';
import { SinkRefused, SinkUnfit } from '../../src/report/errors.ts';
import { PostgresSink } from '../../src/report/postgres.ts';
import type { LedgerPosition, ShareKind, ShareRecord, Sink, SinkBatch } from '../../src/ports.ts';
import { sinkContract } from '../contract/sink.ts';
import type { SinkBackEnd } from '../contract/sink.ts';
import { startPostgres } from '../support/postgres.ts';
import type { Postgres } from '../support/postgres.ts';
import { seededRandom } from '../support/random.ts';
import { MINUTE, START, batch, block, share, sinkContext, slice } from '../support/sink-batch.ts';

const DAY = 86_400_000;

let postgres: Postgres;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres.stop());

function sinkOn(schema: string, cursorKey = 'ledger-1/0/sink', more: object = {}): PostgresSink {
  const settings = postgresSchema.parse({ url: postgres.url, schema, ...more });
  return new PostgresSink(sinkContext(settings, { cursorKey }));
}

async function sumsOf(sql: string): Promise<Record<string, number>> {
  const rows = await postgres.query(sql);
  return Object.fromEntries(rows.map((row) => [String(row['name']), Number(row['sum'])]));
}

async function accepted(schema: string): Promise<Record<string, number>> {
  return await sumsOf(
    `SELECT address AS name, sum(difficulty) AS sum FROM ${schema}.shares WHERE kind = 0 GROUP BY 1`,
  );
}

let schemas = 0;
sinkContract('postgres', async (): Promise<SinkBackEnd> => {
  const schema = `contract${++schemas}`;
  // The tables are there before the first sink connects.
  const first = sinkOn(schema, 'nobody');
  await first.open();
  await first.stop();
  return {
    sink: (key) => sinkOn(schema, key),
    contents: async () => ({
      shares: await accepted(schema),
      minutes: await sumsOf(
        `SELECT kind || ' ' || extract(epoch FROM time)::bigint || ' ' || address || '.' || worker AS name,
           sum(difficulty) AS sum FROM ${schema}.minute_slices GROUP BY 1`,
      ),
      blocks: (
        await postgres.query(
          `SELECT hash FROM ${schema}.blocks WHERE reported_at IS NOT NULL ORDER BY reported_at, hash`,
        )
      ).map((row) => String(row['hash'])),
    }),
    close: () => Promise.resolve(),
  };
});

describe('what is written', () => {
  it('is every field of a share, in the partition of its day', async () => {
    const sink = sinkOn('fields');
    await sink.open();
    const one = {
      ...share(5, "o'nil\\", 'ünï "x",{}', 0.25, 3),
      count: 4_000_000_000,
      solved: true,
    };
    const two = { ...share(6, 'alice', '', 8), time: MINUTE + DAY, hashDifficulty: 12.5 };
    await sink.deliver(batch(START, { shares: [one, two] }));
    await sink.stop();
    const rows = await postgres.query(
      `SELECT shares.tableoid::regclass::text AS part, extract(epoch FROM time)::float8 AS time, seq, address, worker,
         kind, difficulty, hash_difficulty, count, height, solved, server, chain, currency, algorithm
       FROM fields.shares JOIN fields.sources ON sources.id = source_id ORDER BY seq`,
    );
    const source = { server: 'stratum', chain: 'LTC', currency: 'LTC', algorithm: 'scrypt' };
    assert.deepEqual(rows, [
      {
        part: 'fields.shares_20260101',
        time: (MINUTE + 30_000) / 1000,
        seq: '5',
        address: "o'nil\\",
        worker: 'ünï "x",{}',
        kind: 3,
        difficulty: 0.25,
        hash_difficulty: 0,
        count: '4000000000',
        height: '7',
        solved: true,
        ...source,
      },
      {
        part: 'fields.shares_20260102',
        time: (MINUTE + DAY) / 1000,
        seq: '6',
        address: 'alice',
        worker: '',
        kind: 0,
        difficulty: 8,
        hash_difficulty: 12.5,
        count: '1',
        height: '7',
        solved: false,
        ...source,
      },
    ]);
  });

  it('follows a block through its states, amounts in every digit', async () => {
    const sink = sinkOn('states');
    await sink.open();
    const { block: solved, ...event } = block(1, 'aa');
    const rich = { ...solved, totalSubsidy: 2n ** 64n, fees: null };
    await sink.deliver(batch(START, { blocks: [{ ...event, block: rich }] }));
    const orphaned = { ...event, id: 2, state: 'orphaned' as const, report: false, block: rich };
    await sink.deliver(batch({ ...START, block: 1, seq: 1 }, { blocks: [orphaned] }));
    await sink.stop();
    const rows = await postgres.query(
      `SELECT state, total_subsidy::text, fees, reported_at IS NOT NULL AS reported FROM states.blocks`,
    );
    assert.deepEqual(rows, [
      { state: 'orphaned', total_subsidy: '18446744073709551616', fees: null, reported: true },
    ]);
  });

  it('adds the two parts of a minute, and the sums of pool_report_configs', async () => {
    const sink = sinkOn('minutes', 'k', {
      pool_report_configs: [{ user: 'pool', worker_format_string: '{algo}' }],
    });
    await sink.open();
    const part = (id: number) => ({
      id,
      time: MINUTE,
      slices: [slice('alice', 'rig', 8), slice('bob', '', 2)],
    });
    await sink.deliver(batch(START, { minutes: [part(1), part(2)] }));
    await sink.deliver(batch({ ...START, minute: 2 }, { minutes: [part(3)] }));
    await sink.stop();
    assert.deepEqual(
      await sumsOf('SELECT address AS name, difficulty AS sum FROM minutes.minute_slices'),
      {
        alice: 24,
        bob: 6,
      },
    );
    assert.deepEqual(
      await sumsOf(
        `SELECT user_name || '.' || worker AS name, difficulty AS sum FROM minutes.minute_reports`,
      ),
      { 'pool.scrypt': 30 },
    );
  });
});

describe('what cannot be written', () => {
  it('is refused as data where it is the data', async () => {
    const sink = sinkOn('refused');
    await sink.open();
    await assert.rejects(
      sink.deliver(batch(START, { shares: [share(1, 'nul\0', '', 8)] })),
      (error) => error instanceof SinkRefused,
    );
    await sink.deliver(batch(START, { shares: [share(1, 'alice', '', 8)] }));
    await sink.stop();
    assert.deepEqual(await accepted('refused'), { alice: 8 });
  });

  it('is a batch that does not follow: nothing of it is there', async () => {
    const sink = sinkOn('follow');
    await sink.open();
    await sink.deliver(batch(START, { shares: [share(1, 'alice', '', 8)] }));
    const gap = batch({ ...START, seq: 7 }, { shares: [share(7, 'alice', '', 8)] });
    await assert.rejects(sink.deliver(gap), /begins at 7 0 0, the tables stand at 2 0 0/);
    await sink.stop();
    assert.deepEqual(await accepted('follow'), { alice: 8 });
  });

  it('are tables of a newer program: said, not touched', async () => {
    const sink = sinkOn('newer');
    await sink.open();
    await postgres.query('INSERT INTO newer.migrations(version) VALUES (999)');
    await assert.rejects(
      sink.open(),
      (error) => error instanceof SinkUnfit && /version 999/.test(error.message),
    );
    await sink.stop();
  });

  it('names the server, never its password', async () => {
    const settings = postgresSchema.parse({ url: 'postgres://u:S01-secret@127.0.0.1:1/x' });
    const sink = new PostgresSink(sinkContext(settings));
    await assert.rejects(sink.open(), (error: Error) => !/secret/.test(error.message));
    await sink.stop();
  });

  it('does not hold up a stop where the server hangs', async () => {
    const sink = sinkOn('hang');
    await sink.open();
    const [row] = await postgres.query(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'powerpool' AND state = 'idle'`,
    );
    const pid = Number(row?.['pid']);
    process.kill(pid, 'SIGSTOP');
    try {
      const failed = assert.rejects(sink.deliver(batch(START, { shares: [share(1, 'a', '', 8)] })));
      const from = performance.now();
      await sink.stop();
      await failed;
      assert.ok(performance.now() - from < 3000);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});

/** Batches one after the other of random shares. */
function* batches(seed: number, count: number): Generator<SinkBatch> {
  const next = seededRandom(seed);
  const below = (limit: number) => Math.floor(next() * limit);
  let from: LedgerPosition = START;
  for (let n = 0; n < count; n++) {
    const shares: ShareRecord[] = [];
    for (let i = below(200); i > 0; i--) {
      const kind = below(4) as ShareKind;
      const made = share(from.seq + shares.length, `miner${below(9)}`, 'rig', 2 ** below(10), kind);
      shares.push({ ...made, time: MINUTE + n * (DAY / 8) });
    }
    const slices = shares.map((one) => slice(one.address, 'rig', one.difficulty, one.kind));
    const minutes = [{ id: from.minute + 1, time: MINUTE + n * 60_000, slices }];
    const made = batch(from, { shares, minutes });
    yield made;
    from = made.to;
  }
}

async function told(made: Iterable<SinkBatch>, into: Record<string, number>): Promise<void> {
  for (const part of made) {
    for await (const page of part.shares()) {
      for (const { address, difficulty, kind } of page) {
        if (kind === 0) into[address] = (into[address] ?? 0) + difficulty;
      }
    }
  }
}

describe('exactly once', () => {
  /** The runner's part: after a failure it goes on from where the tables stand. */
  async function run(sink: Sink, all: readonly SinkBatch[]): Promise<number> {
    let failures = 0;
    for (;;) {
      try {
        const position = (await sink.open()) ?? START;
        for (const made of all)
          if (made.from.seq >= position.seq && made.to.minute > position.minute)
            await sink.deliver(made);
        return failures;
      } catch {
        failures++;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  it('from three servers at the same time, over kills of the server', async (t) => {
    const seed = Number(process.env['SEED'] ?? 7);
    t.diagnostic(`SEED=${seed}`);
    const expected: Record<string, number> = {};
    const runs: Promise<number>[] = [];
    const sinks: Sink[] = [];
    for (let server = 0; server < 3; server++) {
      await told(batches(seed + server, 150), expected);
      const sink = sinkOn('chaos', `ledger-${server}/${server}/sink`);
      sinks.push(sink);
      runs.push(run(sink, [...batches(seed + server, 150)]));
    }
    const ended = Promise.all(runs);
    const kills = 4;
    for (let n = 0; n < kills; n++) {
      await new Promise((resolve) => setTimeout(resolve, 400));
      await postgres.kill();
      await postgres.start();
    }
    const failures = (await ended).reduce((sum, n) => sum + n, 0);
    for (const sink of sinks) await sink.stop();
    t.diagnostic(`${kills} kills, ${failures} failures`);
    assert.ok(failures > 0, 'no kill hit anything');
    assert.deepEqual(await accepted('chaos'), expected);
    const minutes = await sumsOf(
      `SELECT address AS name, sum(difficulty) AS sum FROM chaos.minute_slices WHERE kind = 0 GROUP BY 1`,
    );
    assert.deepEqual(minutes, expected);
    const twice = await postgres.query(
      'SELECT origin_id, seq FROM chaos.shares GROUP BY 1, 2 HAVING count(*) > 1',
    );
    assert.deepEqual(twice, []);
  });
});

describe('the queries of docs/reporters.md', () => {
  const docs = readFileSync(new URL('../../docs/reporters.md', import.meta.url), 'utf8');
  const queryOf = (title: string): string => {
    const found = new RegExp(`-- ${title}\\n([\\s\\S]*?)\`\`\``).exec(docs)?.[1];
    assert.ok(found !== undefined, `no query '${title}'`);
    return found;
  };

  /** Two rounds: a block at 30 s of the first minute and one ten minutes later. */
  before(async () => {
    const sink = sinkOn('queries');
    await sink.open();
    const at = (
      seconds: number,
      seq: number,
      address: string,
      difficulty: number,
      kind: ShareKind = 0,
    ) => ({
      ...share(seq, address, '', difficulty, kind),
      time: MINUTE + seconds * 1000,
    });
    const solved = (id: number, hash: string, seconds: number) => {
      const { block: data, ...event } = block(id, hash);
      return { ...event, block: { ...data, time: MINUTE + seconds * 1000 } };
    };
    await sink.deliver(
      batch(START, {
        shares: [
          at(1, 1, 'old', 64),
          at(30, 2, 'alice', 8),
          at(60, 3, 'alice', 16),
          at(70, 4, 'bob', 32),
          at(80, 5, 'bob', 512, 3),
          at(630, 6, 'carol', 16),
          at(640, 7, 'late', 1024),
        ],
        blocks: [solved(1, 'aa', 30), solved(2, 'bb', 630)],
      }),
    );
    await sink.stop();
  });

  /** As psql fills in its variables. */
  const answer = (title: string, values: Readonly<Record<string, string>>) => {
    let sql = queryOf(title);
    for (const [name, value] of Object.entries(values)) {
      sql = sql.replaceAll(`:'${name}'`, `'${value}'`).replaceAll(`:${name}`, value);
    }
    return postgres.query(sql, 'queries');
  };
  const byAddress = (rows: readonly Record<string, unknown>[]) =>
    Object.fromEntries(rows.map((row) => [String(row['address']), Number(row['part'])]));

  it('proportional: the shares of the round, up to its block', async () => {
    const rows = await answer('proportional', { hash: 'bb'.padStart(64, '0') });
    assert.deepEqual(byAddress(rows), { alice: 0.25, bob: 0.5, carol: 0.25 });
  });

  it('PPLNS: the last N of work before the block, the oldest share cut', async () => {
    const rows = await answer('pplns', { hash: 'bb'.padStart(64, '0'), n: '60' });
    assert.deepEqual(byAddress(rows), { alice: 12 / 60, bob: 32 / 60, carol: 16 / 60 });
  });
});
