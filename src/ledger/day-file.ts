/**
 * A day's shares: `<path>.shares-YYYYMMDD` (UTC), packed batches in the order they were committed, no
 * secondary index. Names and listing of the files, the writer's connection to the newest, and reading
 * batches in order. What a day means for retention is in expire.ts.
 */
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { openShares, rollback } from './schema.ts';

const DAY_NAME = /^\d{8}$/;

export interface Batch {
  /** Sequence number of the first record. */
  readonly seq: number;
  /** Unix ms at which the writer received it. */
  readonly timeMs: number;
  readonly count: number;
  readonly data: Uint8Array;
}

/** `YYYYMMDD` in UTC. */
export function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10).replaceAll('-', '');
}

export function dayPath(path: string, day: string): string {
  return `${path}.shares-${day}`;
}

/** Days whose file stands beside the main file, oldest first. */
export function listDays(path: string): string[] {
  const prefix = `${basename(path)}.shares-`;
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix) && DAY_NAME.test(name.slice(prefix.length)))
    .map((name) => name.slice(prefix.length))
    .toSorted();
}

/** Every file that belongs to a day: the database and SQLite's own companions, companions first. */
export function dayFiles(path: string, day: string): string[] {
  const file = join(dirname(path), basename(dayPath(path, day)));
  return [`${file}-wal`, `${file}-shm`, file];
}

/** First sequence number after the last batch of a file, undefined if it holds none. */
export function endOf(db: DatabaseSync): number | undefined {
  const row = db.prepare('SELECT seq + count AS n FROM batches ORDER BY seq DESC LIMIT 1').get();
  return row === undefined ? undefined : Number(row['n']);
}

/** The batches that hold records from `seq` on, in order; the first may begin before `seq`. */
export function* batchesFrom(db: DatabaseSync, seq: number): Generator<Batch> {
  const rows = db
    .prepare(
      `SELECT seq, time_ms, count, data FROM batches
       WHERE seq >= coalesce((SELECT max(seq) FROM batches WHERE seq <= ?), 0) ORDER BY seq`,
    )
    .iterate(seq);
  for (const row of rows) {
    const batch: Batch = {
      seq: Number(row['seq']),
      timeMs: Number(row['time_ms']),
      count: Number(row['count']),
      data: row['data'] as Uint8Array,
    };
    if (batch.seq + batch.count > seq) yield batch;
  }
}

/** As batchesFrom, without the data. */
export function* extentFrom(
  db: DatabaseSync,
  seq: number,
): Generator<Omit<Batch, 'data' | 'timeMs'>> {
  const rows = db
    .prepare(
      `SELECT seq, count FROM batches
       WHERE seq >= coalesce((SELECT max(seq) FROM batches WHERE seq <= ?), 0) ORDER BY seq`,
    )
    .iterate(seq);
  for (const row of rows) {
    const extent = { seq: Number(row['seq']), count: Number(row['count']) };
    if (extent.seq + extent.count > seq) yield extent;
  }
}

export interface Backlog {
  readonly records: number;
  /** Unix ms at which the first of them was received; null if there is none. */
  readonly oldestMs: number | null;
}

/** What a file holds from `seq` on. */
export function backlogOf(db: DatabaseSync, seq: number): Backlog {
  const row = db
    .prepare(
      `SELECT coalesce(sum(min(count, seq + count - ?1)), 0) AS records, min(time_ms) AS oldest
       FROM batches WHERE seq >= coalesce((SELECT max(seq) FROM batches WHERE seq <= ?1), 0)
       AND seq + count > ?1`,
    )
    .get(seq);
  const oldest = row?.['oldest'] ?? null;
  return { records: Number(row?.['records']), oldestMs: oldest === null ? null : Number(oldest) };
}

export interface DayFileOptions {
  readonly path: string;
  readonly day: string;
  readonly ledgerId: string;
  readonly synchronous: 'normal' | 'full';
  readonly maxBytes?: number;
}

/** The writer's connection to one day's file. */
export class DayFile {
  readonly day: string;
  readonly db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;

  constructor(options: DayFileOptions) {
    this.day = options.day;
    this.db = openShares(dayPath(options.path, options.day), options.ledgerId);
    this.db.exec(`PRAGMA synchronous = ${options.synchronous}`);
    if (options.maxBytes !== undefined) {
      const pageSize = Number(this.db.prepare('PRAGMA page_size').get()?.['page_size']);
      this.db.exec(
        `PRAGMA max_page_count = ${Math.max(1, Math.floor(options.maxBytes / pageSize))}`,
      );
    }
    this.#insert = this.db.prepare('INSERT INTO batches VALUES(?, ?, ?, ?)');
    this.#begin = this.db.prepare('BEGIN IMMEDIATE');
    this.#commit = this.db.prepare('COMMIT');
  }

  /** Commits the batches in one transaction; on an error nothing of them is in the file. */
  append(batches: readonly Batch[]): void {
    if (batches.length === 1) {
      this.#put(batches[0]!);
      return;
    }
    this.#begin.run();
    try {
      for (const batch of batches) this.#put(batch);
      this.#commit.run();
    } catch (error) {
      rollback(this.db);
      throw error;
    }
  }

  close(): void {
    this.db.close();
  }

  #put(batch: Batch): void {
    this.#insert.run(batch.seq, batch.timeMs, batch.count, batch.data);
  }
}
