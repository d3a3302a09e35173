/**
 * For the ledger's unit tests: a store in a temp directory under a clock that stands still, records
 * built and read byte by byte from the documented layout (not with src/ledger/record.ts), sums read with
 * plain SQL.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { ManualClock } from '../../../src/clock.ts';
import { LedgerStore } from '../../../src/ledger/store.ts';
import type { StoreOptions } from '../../../src/ledger/store.ts';

/** 2026-11-23 23:50:00 UTC: ten minutes before a day's end. */
export const START_MS = Date.UTC(2026, 10, 23, 23, 50);

export const SOURCE = { server: 's1', chain: 'BTC', currency: 'BTC', algorithm: 'sha256d' };

export interface TestRecord {
  readonly worker?: number;
  readonly source?: number;
  readonly kind?: number;
  readonly difficulty?: number;
  readonly best?: number;
  readonly fingerprint?: number;
  readonly count?: number;
}

export function records(...list: readonly TestRecord[]): Uint8Array {
  const bytes = Buffer.alloc(list.length * 48);
  list.forEach((record, index) => {
    const at = index * 48;
    bytes.writeDoubleLE(START_MS, at);
    bytes.writeDoubleLE(record.difficulty ?? 1, at + 8);
    bytes.writeDoubleLE(record.best ?? 0, at + 16);
    bytes.writeUInt32LE(record.worker ?? 1, at + 24);
    bytes.writeUInt32LE(700_000, at + 28);
    bytes.writeUInt32LE(record.fingerprint ?? 0, at + 32);
    bytes.writeUInt32LE(record.count ?? 1, at + 40);
    bytes.writeUInt16LE(record.source ?? 1, at + 44);
    bytes.writeUInt8(record.kind ?? 0, at + 46);
  });
  return new Uint8Array(bytes);
}

export function tempLedger(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'powerpool-ledger-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'ledger.db');
}

export interface TestStore {
  readonly store: LedgerStore;
  readonly clock: ManualClock;
  readonly rolled: string[];
  readonly unlinked: string[];
  readonly warnings: string[];
  /** Commits and absorbs. */
  readonly take: (...list: readonly TestRecord[]) => void;
  /** Runs idle work to its end. */
  readonly settle: () => void;
}

export function openStore(
  path: string,
  clock = new ManualClock(START_MS),
  options: Partial<StoreOptions> = {},
): TestStore {
  const rolled: string[] = [];
  const unlinked: string[] = [];
  const warnings: string[] = [];
  const store = new LedgerStore({
    path,
    synchronous: 'normal',
    serverNumber: 0,
    clock,
    onRolled: (day) => rolled.push(day),
    onUnlink: (day) => unlinked.push(day),
    warn: (message) => warnings.push(message),
    ...options,
  });
  store.insertNames(
    ['w1', 'w2', 'w3'].map((worker) => ({ address: 'addr', worker })),
    [SOURCE],
  );
  return {
    store,
    clock,
    rolled,
    unlinked,
    warnings,
    take: (...list) => {
      store.commit([records(...list)]);
      store.absorb();
    },
    settle: () => {
      while (store.idle());
    },
  };
}

/** All rows of a query, as plain arrays. */
export function rowsOf(path: string, sql: string): unknown[][] {
  const db = new DatabaseSync(path);
  try {
    return db
      .prepare(sql)
      .all()
      .map((row) => Object.values(row));
  } finally {
    db.close();
  }
}

/** worker, minute, kind, difficulty, count of every slice, in the order of the key. */
export function slices(path: string): unknown[][] {
  return rowsOf(
    path,
    `SELECT worker_id, minute, kind, difficulty, count FROM slices
     ORDER BY worker_id, minute, source_id, kind`,
  );
}
