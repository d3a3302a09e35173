import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MINUTE_MS } from '../../../src/ledger/options.ts';
import { hashrate } from '../../../src/ledger/queries.ts';
import { LedgerReader } from '../../../src/ledger/reader.ts';
import { ledgerReport } from '../../../src/ledger/report.ts';
import { openStore, SOURCE, START_MS, tempLedger } from './support.ts';

const ALL = { fromMs: START_MS - 86_400_000, toMs: START_MS + 86_400_000 };
const NONE = { difficulty: 0, count: 0 };

/** worker → accepted difficulty and count, and the sum of what was refused. */
function byWorker(reader: LedgerReader, window = ALL, address?: string) {
  const rows = reader
    .workerTotals(window, address)
    .map((row) => [
      `${row.address}.${row.worker}`,
      row.accepted.difficulty,
      row.accepted.count,
      row.stale.difficulty + row.duplicate.difficulty + row.lowDifficulty.difficulty,
    ]);
  return rows.toSorted((a, b) => String(a[0]).localeCompare(String(b[0])));
}

test('every share counts once, whether indexed, in a group, half of both, or in the open minute', (t) => {
  const path = tempLedger(t);
  const { store, clock, take, settle } = openStore(path);
  const many = Array.from({ length: 200 }, (_, i) => ({ address: 'many', worker: `m${i}` }));
  store.insertNames(many, []);
  const reader = new LedgerReader({ path });
  t.after(() => reader.close());
  const round = () =>
    take(
      { worker: 1, difficulty: 8, best: 9 },
      { worker: 2, kind: 3, difficulty: 4, count: 7 },
      ...many.map((_, i) => ({ worker: 4 + i, difficulty: 2 })),
    );
  const check = (rounds: number, where: string) => {
    const rows = byWorker(reader);
    assert.equal(rows.length, 202, where);
    assert.deepEqual(rows[0], ['addr.w1', 8 * rounds, rounds, 0], where);
    assert.deepEqual(rows[1], ['addr.w2', 0, 0, 4 * rounds], where);
    for (const row of rows.slice(2)) assert.deepEqual(row.slice(1), [2 * rounds, rounds, 0], where);
    const [total] = reader.sourceTotals(ALL);
    assert.deepEqual(total?.accepted, { difficulty: 408 * rounds, count: 201 * rounds }, where);
    assert.deepEqual(total.stale, { difficulty: 4 * rounds, count: 7 * rounds }, where);
    assert.deepEqual(byWorker(reader, ALL, 'addr').length, 2, where);
    const series = reader.minuteSeries(ALL);
    const sum = series.reduce((difficulty, point) => difficulty + point.accepted.difficulty, 0);
    assert.equal(sum, 408 * rounds, where);
  };
  round();
  check(1, 'open minute');
  round();
  check(2, 'open minute, read on');
  clock.advance(61_000);
  store.tick();
  check(2, 'group');
  store.idle();
  check(2, 'half indexed');
  settle();
  check(2, 'indexed');
  round();
  check(3, 'indexed and open minute');
  store.close();
  check(3, 'closed');
});

test('a window takes whole minutes, its end excluded; the series has one point a minute', (t) => {
  const path = tempLedger(t);
  const { store, clock, take } = openStore(path);
  for (let i = 0; i < 4; i++) {
    take({ difficulty: 2 ** i });
    clock.advance(MINUTE_MS);
  }
  store.close();
  const reader = new LedgerReader({ path });
  t.after(() => reader.close());
  const window = { fromMs: START_MS + MINUTE_MS + 500, toMs: START_MS + 3 * MINUTE_MS };
  assert.deepEqual(byWorker(reader, window), [['addr.w1', 6, 2, 0]]);
  for (const address of [undefined, 'addr']) {
    assert.deepEqual(reader.minuteSeries(window, address), [
      {
        minuteMs: START_MS + MINUTE_MS,
        ...SOURCE,
        accepted: { difficulty: 2, count: 1 },
        duplicate: NONE,
        lowDifficulty: NONE,
        stale: NONE,
      },
      {
        minuteMs: START_MS + 2 * MINUTE_MS,
        ...SOURCE,
        accepted: { difficulty: 4, count: 1 },
        duplicate: NONE,
        lowDifficulty: NONE,
        stale: NONE,
      },
    ]);
  }
  assert.deepEqual(reader.minuteSeries(window, 'nobody'), []);
});

test('the best share of a worker is the highest accepted hash, from the index and the open minute', (t) => {
  const path = tempLedger(t);
  const { store, clock, take, settle } = openStore(path);
  take({ worker: 1, best: 500 }, { worker: 2, best: 900 }, { worker: 3, kind: 3, best: 5000 });
  clock.advance(61_000);
  store.tick();
  settle();
  take({ worker: 1, best: 1000 }, { worker: 2, best: 10 });
  const reader = new LedgerReader({ path });
  t.after(() => reader.close());
  const best = () =>
    reader.bestShares(5).map(({ worker, difficulty, minuteMs }) => [worker, difficulty, minuteMs]);
  const expected = [
    ['w1', 1000, START_MS + MINUTE_MS],
    ['w2', 900, START_MS],
  ];
  assert.deepEqual(best(), expected);
  store.finishMinutes();
  settle();
  assert.deepEqual(best(), expected);
  assert.equal(reader.bestShares(5, 'nobody').length, 0);
  store.close();
});

test('a sink reads every record once and in order, from anywhere, in pages, over days', (t) => {
  const path = tempLedger(t);
  const { store, clock, take } = openStore(path);
  let n = 0;
  for (let batch = 0; batch < 40; batch++) {
    take(...Array.from({ length: 1 + (batch % 7) }, () => ({ fingerprint: n++ })));
    clock.advance(30_000);
  }
  store.close();
  const reader = new LedgerReader({ path });
  t.after(() => reader.close());
  for (const start of [0, 1, 2, 5, 60, n, n + 1]) {
    const found: number[] = [];
    let seq = start;
    for (;;) {
      const page = reader.batchesSince(seq, 700);
      let expectedSeq = Math.max(1, seq);
      for (const batch of page.batches) {
        assert.equal(batch.seq, expectedSeq);
        assert.equal(batch.data.length, batch.count * 48);
        expectedSeq += batch.count;
        const data = Buffer.from(batch.data);
        for (let at = 0; at < data.length; at += 48) found.push(data.readUInt32LE(at + 32));
      }
      assert.ok(page.batches.length <= 15);
      seq = page.nextSeq;
      if (page.atEnd) break;
    }
    const first = Math.max(0, start - 1);
    assert.deepEqual(
      found,
      Array.from({ length: n - first }, (_, i) => first + i),
      `from ${start}`,
    );
  }
});

test('minute groups come oldest first after an id', (t) => {
  const path = tempLedger(t);
  const { store, clock, take } = openStore(path);
  for (let i = 0; i < 3; i++) {
    take({ difficulty: 4 });
    clock.advance(MINUTE_MS);
  }
  store.close();
  const reader = new LedgerReader({ path });
  t.after(() => reader.close());
  const groups = reader.groupsSince(1, 10);
  assert.deepEqual(
    groups.map(({ id, minuteMs, nextSeq, data }) => [id, minuteMs, nextSeq, data.length]),
    [
      [2, START_MS + MINUTE_MS, 3, 32],
      [3, START_MS + 2 * MINUTE_MS, 4, 32],
    ],
  );
  assert.deepEqual(reader.sources(), [{ id: 1, ...SOURCE }]);
  assert.deepEqual(reader.workers([2, 77]), [{ id: 2, address: 'addr', worker: 'w2' }]);
});

test('hashrate is the sum of difficulty times the hashes behind difficulty 1 over the seconds', () => {
  // 10 shares of difficulty 65536 in a minute on Bitcoin's diff1: 2^32 · 655360 / 60.
  assert.equal(hashrate(655_360, 2 ** 32, 60_000), (2 ** 32 * 655_360) / 60);
  assert.equal(hashrate(1, 1, 0), 0);
});

test('the report has hour, day, rejects and last share by worker and by address, also of an open pool', (t) => {
  const path = tempLedger(t);
  const { store, clock, take } = openStore(path);
  take({ worker: 1, difficulty: 512 });
  clock.advance(3 * 3_600_000);
  take({ worker: 1, difficulty: 256 }, { worker: 1, kind: 1, difficulty: 32, count: 2 });
  take({ worker: 2, difficulty: 128 }, { worker: 2, kind: 3, difficulty: 64 });
  const report = ledgerReport({
    path,
    now: clock.now() + 30_000,
    hashesPerDifficulty1: () => 3600,
  });
  const row = (values: object) => ({ address: 'addr', algorithm: 'sha256d', ...values });
  const lastShareMs = START_MS + 3 * 3_600_000;
  assert.deepEqual(report.workers, [
    row({
      worker: 'w1',
      accepted1h: 256,
      accepted24h: 768,
      rejected24h: { difficulty: 32, count: 2 },
      hashrate1h: 256,
      hashrate24h: 32,
      lastShareMs,
    }),
    row({
      worker: 'w2',
      accepted1h: 128,
      accepted24h: 128,
      rejected24h: { difficulty: 64, count: 1 },
      hashrate1h: 128,
      hashrate24h: 128 / 24,
      lastShareMs,
    }),
  ]);
  assert.deepEqual(report.addresses, [
    row({
      worker: '',
      accepted1h: 384,
      accepted24h: 896,
      rejected24h: { difficulty: 96, count: 3 },
      hashrate1h: 384,
      hashrate24h: 896 / 24,
      lastShareMs,
    }),
  ]);
  assert.deepEqual(report.blocks, []);
  store.close();
});

test('a report where there is no ledger says so and makes none', (t) => {
  const path = tempLedger(t);
  const options = { path, now: START_MS, hashesPerDifficulty1: () => 1 };
  assert.throws(() => ledgerReport(options), { code: 'IO', message: /there is none/ });
  assert.throws(() => ledgerReport(options), { code: 'IO' });
});
