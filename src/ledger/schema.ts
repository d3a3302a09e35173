/**
 * The tables of the ledger's two kinds of files and the steps that bring an older file up to date.
 * The version stands in `user_version`, the kind in `application_id`, the ledger's own id in `meta`.
 * A step once released is never edited; a change is a new step. Entry points: openMain, openShares.
 */
import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { LedgerError, openError } from './errors.ts';

interface FileKind {
  readonly name: string;
  /** `application_id` of SQLite's header, so that another program's file is recognised. */
  readonly applicationId: number;
  /** steps[n] leads from version n to n + 1. */
  readonly steps: readonly string[];
}

const MAIN_1 = `
  CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  INSERT INTO meta VALUES('slices_group', 0), ('slices_row', 0);
  CREATE TABLE workers(id INTEGER PRIMARY KEY, address TEXT NOT NULL, worker TEXT NOT NULL,
    UNIQUE(address, worker));
  CREATE TABLE sources(id INTEGER PRIMARY KEY, server TEXT NOT NULL, chain TEXT NOT NULL,
    currency TEXT NOT NULL, algorithm TEXT NOT NULL, UNIQUE(server, chain, currency, algorithm));
  CREATE TABLE days(day TEXT PRIMARY KEY, first_seq INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE cursors(name TEXT PRIMARY KEY, seq INTEGER NOT NULL, group_id INTEGER NOT NULL,
    time_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE slice_groups(id INTEGER PRIMARY KEY AUTOINCREMENT, minute INTEGER NOT NULL,
    next_seq INTEGER NOT NULL, data BLOB NOT NULL);
  CREATE TABLE slices(worker_id INTEGER, minute INTEGER, source_id INTEGER, kind INTEGER,
    difficulty REAL NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY(worker_id, minute, source_id, kind)) WITHOUT ROWID;
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
`;

/** Sums over all workers, so that a pool's own chart need not read every slice; each worker's best hash. */
const MAIN_2 = `
  CREATE TABLE totals(minute INTEGER, source_id INTEGER, kind INTEGER, difficulty REAL NOT NULL,
    count INTEGER NOT NULL, PRIMARY KEY(minute, source_id, kind)) WITHOUT ROWID;
  INSERT INTO totals SELECT minute, source_id, kind, sum(difficulty), sum(count) FROM slices
    GROUP BY minute, source_id, kind;
  CREATE TABLE best_shares(worker_id INTEGER, source_id INTEGER, difficulty REAL NOT NULL,
    minute INTEGER NOT NULL, PRIMARY KEY(worker_id, source_id)) WITHOUT ROWID;
`;

/**
 * Changes of blocks' states in their order among the shares, for sinks (block-events.ts); cursors know of
 * them, of the batch under way, and whether their sink is configured. What was known before is no news.
 */
const MAIN_3 = `
  CREATE TABLE block_events(id INTEGER PRIMARY KEY AUTOINCREMENT, block_id INTEGER NOT NULL,
    state TEXT NOT NULL, time_ms INTEGER NOT NULL, report INTEGER NOT NULL, seq INTEGER);
  CREATE INDEX block_events_by_block ON block_events(block_id);
  CREATE INDEX block_events_unplaced ON block_events(id) WHERE seq IS NULL;
  ALTER TABLE blocks ADD COLUMN reported INTEGER NOT NULL DEFAULT 0;
  UPDATE blocks SET reported = 1 WHERE state <> 'pending' AND state <> 'rejected';
  ALTER TABLE cursors ADD COLUMN block_event INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE cursors ADD COLUMN held INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE cursors ADD COLUMN until_seq INTEGER;
  ALTER TABLE cursors ADD COLUMN until_group INTEGER;
  ALTER TABLE cursors ADD COLUMN until_event INTEGER;
`;

const SHARES_1 = `
  CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE batches(seq INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, count INTEGER NOT NULL,
    data BLOB NOT NULL);
`;

const MAIN: FileKind = {
  name: 'ledger',
  applicationId: 0x50504c31,
  steps: [MAIN_1, MAIN_2, MAIN_3],
};
const SHARES: FileKind = { name: 'share file', applicationId: 0x50505331, steps: [SHARES_1] };

/** How long a connection waits for another's lock: a checkpoint that restarts the WAL holds it briefly. */
export const BUSY_TIMEOUT_MS = 5000;

/** Opens or creates the main file; returns the connection and the ledger's id. */
export function openMain(path: string, serverNumber: number): { db: DatabaseSync; id: string } {
  return opening(path, () => {
    const db = openWritable(path, MAIN);
    db.prepare(`INSERT OR IGNORE INTO meta VALUES('id', ?)`).run(randomUUID());
    db.prepare(`INSERT OR REPLACE INTO meta VALUES('server_number', ?)`).run(serverNumber);
    return { db, id: ledgerId(db, path) };
  });
}

/** Opens or creates a day's share file that belongs to the ledger `id`. */
export function openShares(path: string, id: string): DatabaseSync {
  return opening(path, () => {
    const db = openWritable(path, SHARES);
    db.prepare(`INSERT OR IGNORE INTO meta VALUES('id', ?)`).run(id);
    checkOwner(db, path, id);
    return db;
  });
}

/** Opens an existing file to read only; refuses one of another version, kind or (shares) ledger. */
export function openForReading(path: string, kind: 'main' | 'shares', id?: string): DatabaseSync {
  return opening(path, () => {
    const db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    const fileKind = kind === 'main' ? MAIN : SHARES;
    const version = checkedVersion(db, path, fileKind);
    if (version < fileKind.steps.length) {
      throw new LedgerError(
        'VERSION',
        `ledger: ${path} has version ${version}, this PowerPool reads ${fileKind.steps.length}: ` +
          `start the pool once to bring it up to date`,
      );
    }
    if (id !== undefined) checkOwner(db, path, id);
    return db;
  });
}

/** The id of the ledger a file belongs to. */
export function ledgerId(db: DatabaseSync, path: string): string {
  const row = db.prepare(`SELECT value FROM meta WHERE name = 'id'`).get();
  if (typeof row?.['value'] === 'string') return row['value'];
  throw new LedgerError('CORRUPT', `ledger: ${path} has no id: move it aside and start again`);
}

function opening<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw openError(path, error);
  }
}

function openWritable(path: string, kind: FileKind): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    // Another program's file must not even change its journal mode.
    const empty = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] === 0;
    const version = empty ? 0 : checkedVersion(db, path, kind);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL;');
    for (let step = version; step < kind.steps.length; step++) migrate(db, kind, step);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Takes a file from version `step` to the next, whole or not at all. */
function migrate(db: DatabaseSync, kind: FileKind, step: number): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    db.exec(kind.steps[step]!);
    db.exec(`PRAGMA application_id = ${kind.applicationId}`);
    db.exec(`PRAGMA user_version = ${step + 1}`);
    db.exec('COMMIT');
  } catch (error) {
    rollback(db);
    throw error;
  }
}

/** Ends a failed transaction; SQLite has already done so itself after some errors. */
export function rollback(db: DatabaseSync): void {
  if (db.isTransaction) db.exec('ROLLBACK');
}

function checkedVersion(db: DatabaseSync, path: string, kind: FileKind): number {
  const application = Number(db.prepare('PRAGMA application_id').get()?.['application_id']);
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  if (application !== kind.applicationId) {
    throw new LedgerError(
      'FOREIGN',
      `ledger: ${path} is a database, but not a PowerPool ${kind.name}; nothing was changed. ` +
        `Choose another path or move it aside`,
    );
  }
  if (version > kind.steps.length) {
    throw new LedgerError(
      'VERSION',
      `ledger: ${path} has version ${version}, this PowerPool knows ${kind.steps.length}: ` +
        `start the newer PowerPool that wrote it`,
    );
  }
  return version;
}

function checkOwner(db: DatabaseSync, path: string, id: string): void {
  const owner = ledgerId(db, path);
  if (owner === id) return;
  throw new LedgerError(
    'FOREIGN',
    `ledger: ${path} belongs to the ledger ${owner}, not to ${id}: its main file is gone or was ` +
      `replaced. Put it back, or move this file aside; nothing was changed`,
  );
}
