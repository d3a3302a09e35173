/**
 * From finished minutes to the tables that answer questions. A minute is written at once as one packed
 * group with the sequence number up to which shares are counted in (the watermark); its rows then go
 * into `slices`, `totals` and `best_shares` in small transactions between those of shares. Each moves
 * the mark of progress with it, so that after a crash nothing is left out and nothing counted twice.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../clock.ts';
import { SHARE_KIND } from '../ports.ts';
import { rollback } from './schema.ts';
import { SLICE_ROW_BYTES, sliceRow } from './minute-table.ts';
import type { SliceRow } from './minute-table.ts';

/** Rows of one transaction: as many as fit in about a millisecond. */
const MIN_CHUNK = 16;
const MAX_CHUNK = 512;
const CHUNK_MS = 1;

export interface Progress {
  /** Every group up to this id is in the index … */
  readonly group: number;
  /** … and so many rows of the next. */
  readonly row: number;
}

/** Progress and watermark as they stand in the main file. */
export function readProgress(db: DatabaseSync): Progress & { readonly nextSeq: number } {
  const meta = db.prepare('SELECT value FROM meta WHERE name = ?');
  const last = db.prepare('SELECT next_seq FROM slice_groups ORDER BY id DESC LIMIT 1').get();
  return {
    group: Number(meta.get('slices_group')?.['value'] ?? 0),
    row: Number(meta.get('slices_row')?.['value'] ?? 0),
    nextSeq: Number(last?.['next_seq'] ?? 0),
  };
}

interface OpenGroup {
  readonly id: number;
  readonly minute: number;
  readonly data: Uint8Array;
}

export class SliceIndex {
  readonly #db: DatabaseSync;
  readonly #clock: Clock;
  readonly #insertGroup: StatementSync;
  readonly #nextGroup: StatementSync;
  readonly #slice: StatementSync;
  readonly #total: StatementSync;
  readonly #best: StatementSync;
  readonly #mark: StatementSync;
  #progress: Progress;
  #watermark: number;
  #groupsLeft: number;
  #open: OpenGroup | undefined;
  #chunk = MIN_CHUNK;

  constructor(db: DatabaseSync, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
    this.#insertGroup = db.prepare(
      'INSERT INTO slice_groups(minute, next_seq, data) VALUES(?, ?, ?)',
    );
    this.#nextGroup = db.prepare(
      'SELECT id, minute, data FROM slice_groups WHERE id > ? ORDER BY id LIMIT 1',
    );
    this.#slice = db.prepare(`INSERT INTO slices VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
      difficulty = difficulty + excluded.difficulty, count = count + excluded.count`);
    this.#total = db.prepare(`INSERT INTO totals VALUES(?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
      difficulty = difficulty + excluded.difficulty, count = count + excluded.count`);
    this.#best = db.prepare(`INSERT INTO best_shares VALUES(?, ?, ?, ?) ON CONFLICT DO UPDATE SET
      difficulty = excluded.difficulty, minute = excluded.minute
      WHERE excluded.difficulty > difficulty`);
    this.#mark = db.prepare('UPDATE meta SET value = ? WHERE name = ?');
    const { group, row, nextSeq } = readProgress(db);
    this.#progress = { group, row };
    this.#watermark = nextSeq;
    const left = db.prepare('SELECT count(*) AS n FROM slice_groups WHERE id > ?').get(group);
    this.#groupsLeft = Number(left?.['n']);
  }

  /** Shares before this sequence number are in a group. */
  get watermark(): number {
    return this.#watermark;
  }

  get groupsLeft(): number {
    return this.#groupsLeft;
  }

  get indexedGroup(): number {
    return this.#progress.group;
  }

  /** Writes a finished minute; the connection must be in synchronous = FULL (see store.ts). */
  addGroup(minute: number, nextSeq: number, packed: Uint8Array): void {
    this.#insertGroup.run(minute, nextSeq, packed);
    this.#watermark = nextSeq;
    this.#groupsLeft++;
  }

  /** Moves a few rows into the index; true while there is more to do. */
  step(): boolean {
    this.#open ??= this.#nextOpenGroup();
    if (this.#open === undefined) return false;
    const startedAt = this.#clock.monotonic();
    const rows = this.#open.data.length / SLICE_ROW_BYTES;
    const from = this.#progress.row;
    const to = Math.min(rows, from + this.#chunk);
    const next =
      to < rows ? { group: this.#progress.group, row: to } : { group: this.#open.id, row: 0 };
    this.#indexRows(this.#open, from, to, next);
    this.#progress = next;
    if (next.row === 0) {
      this.#open = undefined;
      this.#groupsLeft--;
    }
    const tookMs = this.#clock.monotonic() - startedAt;
    if (tookMs > CHUNK_MS) this.#chunk = Math.max(MIN_CHUNK, this.#chunk >> 1);
    else if (tookMs < CHUNK_MS / 2) this.#chunk = Math.min(MAX_CHUNK, this.#chunk * 2);
    return this.#groupsLeft > 0;
  }

  #nextOpenGroup(): OpenGroup | undefined {
    const row = this.#nextGroup.get(this.#progress.group);
    if (row === undefined) return undefined;
    return {
      id: Number(row['id']),
      minute: Number(row['minute']),
      data: row['data'] as Uint8Array,
    };
  }

  #indexRows(group: OpenGroup, from: number, to: number, next: Progress): void {
    const totals = new Map<number, { difficulty: number; count: number; row: SliceRow }>();
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      for (let i = from; i < to; i++) {
        const row = sliceRow(group.data, i);
        const { worker, source, kind, difficulty, count, best } = row;
        this.#slice.run(worker, group.minute, source, kind, difficulty, count);
        if (kind === SHARE_KIND.accepted && best > 0)
          this.#best.run(worker, source, best, group.minute);
        const key = (source << 8) | kind;
        const sum = totals.get(key);
        if (sum === undefined) totals.set(key, { difficulty, count, row });
        else {
          sum.difficulty += difficulty;
          sum.count += count;
        }
      }
      for (const { difficulty, count, row } of totals.values()) {
        this.#total.run(group.minute, row.source, row.kind, difficulty, count);
      }
      if (next.group !== this.#progress.group) this.#mark.run(next.group, 'slices_group');
      this.#mark.run(next.row, 'slices_row');
      this.#db.exec('COMMIT');
    } catch (error) {
      rollback(this.#db);
      throw error;
    }
  }
}
