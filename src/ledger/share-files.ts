/**
 * The days' files as a reader sees them: one sequence of batches over all of them. Keeps a few
 * connections open and lets those go that retention has dropped.
 */
import type { DatabaseSync } from 'node:sqlite';
import { backlogOf, batchesFrom, dayPath, extentFrom } from './day-file.ts';
import type { Backlog, Batch } from './day-file.ts';
import { openForReading } from './schema.ts';

/** Connections to days' files kept open. */
const OPEN_DAYS = 3;

/** The records from a position on that a sink could take at once. */
export interface ShareRange {
  /** Behind the last of them; where the range began if there is none. */
  readonly end: number;
  readonly records: number;
  /** Nothing is left behind it, or nothing that is asked for. */
  readonly atEnd: boolean;
}

export class ShareFiles {
  readonly #main: DatabaseSync;
  readonly #path: string;
  readonly #id: string;
  readonly #days = new Map<string, DatabaseSync>();

  constructor(main: DatabaseSync, path: string, id: string) {
    this.#main = main;
    this.#path = path;
    this.#id = id;
  }

  /** Batches from `seq` on, in order; the first may begin before `seq`. */
  *batches(seq: number): Generator<Batch> {
    for (const day of this.#from(seq)) yield* batchesFrom(this.#day(day), seq);
  }

  /** At most `maxRecords` records from `seq` on and below `before`, without reading them. */
  range(seq: number, maxRecords: number, before = Infinity): ShareRange {
    let end = seq;
    let records = 0;
    for (const day of this.#from(seq)) {
      for (const batch of extentFrom(this.#day(day), seq)) {
        const first = Math.max(seq, batch.seq);
        const last = Math.min(batch.seq + batch.count, before);
        if (first >= last) break;
        if (records === maxRecords) return { end, records, atEnd: false };
        const taken = Math.min(last - first, maxRecords - records);
        records += taken;
        end = first + taken;
        if (end < last) return { end, records, atEnd: false };
      }
    }
    return { end, records, atEnd: true };
  }

  /** How much there is from `seq` on. Reads the head of every batch: not for every second. */
  backlog(seq: number): Backlog {
    let records = 0;
    let oldestMs: number | null = null;
    for (const day of this.#from(seq)) {
      const rest = backlogOf(this.#day(day), seq);
      records += rest.records;
      oldestMs ??= rest.oldestMs;
    }
    return { records, oldestMs };
  }

  /** Forgets a day's connection, before its file goes. */
  closeDay(day: string): void {
    this.#days.get(day)?.close();
    this.#days.delete(day);
  }

  close(): void {
    for (const day of this.#days.keys()) this.closeDay(day);
  }

  /** The days that hold records from `seq` on. */
  #from(seq: number): string[] {
    const days = this.#main
      .prepare(
        `SELECT day FROM days WHERE first_seq >=
         coalesce((SELECT max(first_seq) FROM days WHERE first_seq <= ?), 0) ORDER BY day`,
      )
      .all(seq)
      .map((row) => String(row['day']));
    for (const open of this.#days.keys()) if (open < (days[0] ?? '')) this.closeDay(open);
    return days;
  }

  #day(day: string): DatabaseSync {
    let db = this.#days.get(day);
    if (db === undefined) {
      const oldest = this.#days.keys().next().value;
      if (this.#days.size >= OPEN_DAYS && oldest !== undefined) this.closeDay(oldest);
      db = openForReading(dayPath(this.#path, day), 'shares', this.#id);
      this.#days.set(day, db);
    }
    return db;
  }
}
