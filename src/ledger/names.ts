/**
 * Workers and share sources as small numbers that stay the same over restarts. New ones are inserted
 * with the disk synced even where shares are not: an id must never come to mean someone else after a
 * loss of power.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { ShareSource } from '../ports.ts';
import { rollback } from './schema.ts';

/** Names kept in memory; beyond it the map starts over and the table is asked. */
const CACHE_ENTRIES = 200_000;

class NameTable {
  readonly #ids = new Map<string, number>();
  readonly #select: StatementSync;
  readonly #insert: StatementSync;

  constructor(select: StatementSync, insert: StatementSync) {
    this.#select = select;
    this.#insert = insert;
  }

  find(key: string, values: readonly SQLInputValue[]): number | undefined {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const row = this.#select.get(...values);
    return row === undefined ? undefined : this.#remember(key, Number(row['id']));
  }

  insert(values: readonly SQLInputValue[]): void {
    this.#insert.run(...values);
  }

  #remember(key: string, id: number): number {
    if (this.#ids.size >= CACHE_ENTRIES) this.#ids.clear();
    this.#ids.set(key, id);
    return id;
  }
}

export interface WorkerName {
  readonly address: string;
  readonly worker: string;
}

export class Names {
  readonly #db: DatabaseSync;
  readonly #workers: NameTable;
  readonly #sources: NameTable;

  /** `db` commits with synchronous = FULL when insert() is called. */
  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#workers = new NameTable(
      db.prepare('SELECT id FROM workers WHERE address = ? AND worker = ?'),
      db.prepare('INSERT OR IGNORE INTO workers(address, worker) VALUES(?, ?)'),
    );
    this.#sources = new NameTable(
      db.prepare(
        'SELECT id FROM sources WHERE server = ? AND chain = ? AND currency = ? AND algorithm = ?',
      ),
      db.prepare(
        'INSERT OR IGNORE INTO sources(server, chain, currency, algorithm) VALUES(?, ?, ?, ?)',
      ),
    );
  }

  workerId(name: WorkerName): number | undefined {
    return this.#workers.find(`${name.address}\0${name.worker}`, [name.address, name.worker]);
  }

  sourceId(source: ShareSource): number | undefined {
    const values = [source.server, source.chain, source.currency, source.algorithm];
    return this.#sources.find(values.join('\0'), values);
  }

  /** Inserts what has no id yet, all in one transaction. */
  insert(workers: readonly WorkerName[], sources: readonly ShareSource[]): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      for (const { address, worker } of workers) this.#workers.insert([address, worker]);
      for (const { server, chain, currency, algorithm } of sources) {
        this.#sources.insert([server, chain, currency, algorithm]);
      }
      this.#db.exec('COMMIT');
    } catch (error) {
      rollback(this.#db);
      throw error;
    }
  }
}
