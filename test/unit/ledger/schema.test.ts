import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openForReading } from '../../../src/ledger/schema.ts';
import { openStore, rowsOf, slices, tempLedger } from './support.ts';

/**
 * A main file as version 1 wrote it: its tables literally, two workers with slices of two minutes, and a
 * group of which one row of two is in the index. Never to be brought up to date with the code.
 */
function buildVersion1(path: string): void {
  const db = new DatabaseSync(path);
  db.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    INSERT INTO meta VALUES('slices_group', 6), ('slices_row', 1), ('id', 'the-old-id');
    CREATE TABLE workers(id INTEGER PRIMARY KEY, address TEXT NOT NULL, worker TEXT NOT NULL,
      UNIQUE(address, worker));
    INSERT INTO workers VALUES(1, 'addr', 'w1'), (2, 'addr', 'w2');
    CREATE TABLE sources(id INTEGER PRIMARY KEY, server TEXT NOT NULL, chain TEXT NOT NULL,
      currency TEXT NOT NULL, algorithm TEXT NOT NULL, UNIQUE(server, chain, currency, algorithm));
    INSERT INTO sources VALUES(1, 's1', 'BTC', 'BTC', 'sha256d');
    CREATE TABLE days(day TEXT PRIMARY KEY, first_seq INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE cursors(name TEXT PRIMARY KEY, seq INTEGER NOT NULL, group_id INTEGER NOT NULL,
      time_ms INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE slice_groups(id INTEGER PRIMARY KEY AUTOINCREMENT, minute INTEGER NOT NULL,
      next_seq INTEGER NOT NULL, data BLOB NOT NULL);
    CREATE TABLE slices(worker_id INTEGER, minute INTEGER, source_id INTEGER, kind INTEGER,
      difficulty REAL NOT NULL, count INTEGER NOT NULL,
      PRIMARY KEY(worker_id, minute, source_id, kind)) WITHOUT ROWID;
    INSERT INTO slices VALUES(1, 100, 1, 0, 32, 4), (1, 100, 1, 3, 8, 1), (2, 100, 1, 0, 16, 2),
      (1, 101, 1, 0, 64, 1);
    CREATE TABLE blocks(id INTEGER PRIMARY KEY, chain TEXT NOT NULL, hash TEXT NOT NULL,
      currency TEXT NOT NULL, algorithm TEXT NOT NULL, height INTEGER NOT NULL, address TEXT NOT NULL,
      worker TEXT NOT NULL, server TEXT NOT NULL, time_ms INTEGER NOT NULL, total_subsidy INTEGER,
      fees INTEGER, bits TEXT NOT NULL, merged INTEGER NOT NULL, network_difficulty REAL NOT NULL,
      submit_kind TEXT NOT NULL, submit_work_id TEXT, submit_daemon TEXT, submit_data BLOB NOT NULL,
      state TEXT NOT NULL, state_ms INTEGER NOT NULL, UNIQUE(chain, hash));
    CREATE INDEX blocks_by_state ON blocks(state, chain);
    CREATE TABLE block_answers(id INTEGER PRIMARY KEY, block_id INTEGER NOT NULL, daemon TEXT NOT NULL,
      time_ms INTEGER NOT NULL, answer TEXT NOT NULL);
    CREATE INDEX block_answers_by_block ON block_answers(block_id);
    PRAGMA application_id = 1347439665; -- "PPL1"
    PRAGMA user_version = 1;
  `);
  const rows = Buffer.alloc(64);
  [1, 2].forEach((worker, index) => {
    rows.writeDoubleLE(64, index * 32);
    rows.writeDoubleLE(1000 * worker, index * 32 + 8);
    rows.writeUInt32LE(worker, index * 32 + 16);
    rows.writeUInt32LE(1, index * 32 + 20);
    rows.writeUInt16LE(1, index * 32 + 24);
  });
  db.prepare('INSERT INTO slice_groups VALUES(7, 101, 12, ?)').run(rows);
  db.close();
}

test('a ledger of version 1 is brought up to date: totals of all slices, the half-indexed group too', (t) => {
  const path = tempLedger(t);
  buildVersion1(path);
  const { store, settle } = openStore(path);
  assert.equal(store.id, 'the-old-id');
  settle();
  store.close();
  assert.deepEqual(slices(path), [
    [1, 100, 0, 32, 4],
    [1, 100, 3, 8, 1],
    [1, 101, 0, 64, 1],
    [2, 100, 0, 16, 2],
    [2, 101, 0, 64, 1],
  ]);
  assert.deepEqual(rowsOf(path, 'SELECT minute, kind, difficulty, count FROM totals'), [
    [100, 0, 48, 6],
    [100, 3, 8, 1],
    [101, 0, 128, 2],
  ]);
  assert.deepEqual(rowsOf(path, 'SELECT worker_id, difficulty FROM best_shares'), [[2, 2000]]);
  assert.deepEqual(rowsOf(path, 'PRAGMA user_version'), [[3]]);
});

test('a reader does not touch an old ledger but says that the pool has to', (t) => {
  const path = tempLedger(t);
  buildVersion1(path);
  assert.throws(() => openForReading(path, 'main'), { code: 'VERSION', message: /start the pool/ });
  assert.deepEqual(rowsOf(path, 'PRAGMA user_version'), [[1]]);
});

test('a ledger of a newer PowerPool is refused and not changed', (t) => {
  const path = tempLedger(t);
  openStore(path).store.close();
  const db = new DatabaseSync(path);
  db.exec('PRAGMA user_version = 99');
  db.close();
  assert.throws(() => openStore(path), { code: 'VERSION', message: /version 99/ });
  assert.deepEqual(rowsOf(path, 'PRAGMA user_version'), [[99]]);
});
