/**
 * The ledger's one writer, without its thread: commits batches of records into the day's file, keeps
 * the open minute, hands finished minutes to the index and applies what blocks and cursors need.
 * Synchronous throughout; thread.ts drives it, tests drive it with a clock of their own.
 *
 * Order within a commit: names (main file, synced), then shares (day file). A crash in between leaves a
 * name without shares, never a share without a name. Order of the minute: the batches carry the time at
 * which they were received, so replaying those past the watermark gives the same minutes again.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../clock.ts';
import type { ShareSource } from '../ports.ts';
import { newestBlockEvent, placeBlockEvents } from './block-events.ts';
import { applyBlockOperations } from './block-table.ts';
import type { AppliedBlocks } from './block-table.ts';
import { applyCursor, highestSeq } from './cursors.ts';
import { DayFile, batchesFrom, dayOf, dayPath, endOf, listDays } from './day-file.ts';
import type { Batch } from './day-file.ts';
import { isBusy, openError } from './errors.ts';
import { expirySteps } from './expire.ts';
import type { BlockOperation, CursorOperation, CursorPosition } from './messages.ts';
import { MinuteTable } from './minute-table.ts';
import { Names } from './names.ts';
import type { WorkerName } from './names.ts';
import { MINUTE_MS } from './options.ts';
import type { RetentionOptions, StoreSettings } from './options.ts';
import { RECORD_BYTES, RecordView } from './record.ts';
import { BUSY_TIMEOUT_MS, openMain, openShares } from './schema.ts';
import { SliceIndex } from './slice-index.ts';

/**
 * Added to the sequence after a run that did not close the ledger: a loss of power may have taken
 * records that a sink already confirmed, and a number must not be given out twice.
 */
const UNCLEAN_SEQ_GAP = 2 ** 32;
/** A cursor at 0 stands before everything. */
const FIRST_SEQ = 1;
/** A clock that steps back by less is smoothed over; by more, it is followed. */
const MAX_CLOCK_STEP_MS = 600_000;
/** After a minute's end, as the contract has it (§5). */
const GROUP_DELAY_MS = 1000;
/**
 * From a change of a block's state to its place behind the shares: the share that solved it comes from
 * another thread and may be behind by a turn of that thread's loop (tens of ms; this has room).
 */
const BLOCK_EVENT_DELAY_MS = 1000;
/** Finished minutes that could not be written; beyond it no more shares are taken. */
const MAX_UNWRITTEN_MINUTES = 10;

export interface StoreOptions extends StoreSettings {
  readonly clock: Clock;
  /** The writer has moved to the file of `day`; `previous` is to be closed by releaseDay(). */
  readonly onRolled?: (day: string, previous: string | null) => void;
  readonly onUnlink?: (day: string) => void;
  readonly warn: (message: string) => void;
}

interface FinishedMinute {
  readonly minute: number;
  readonly nextSeq: number;
  readonly table: MinuteTable;
}

export class LedgerStore {
  readonly id: string;
  readonly #options: StoreOptions;
  readonly #minuteMs: number;
  readonly #main: DatabaseSync;
  readonly #names: Names;
  readonly #index: SliceIndex;
  #day: DayFile | undefined;
  readonly #retired = new Map<string, DayFile>();
  #nextSeq = FIRST_SEQ;
  #lastTimeMs = 0;
  #minute = -1;
  #table = new MinuteTable();
  #finished: FinishedMinute[] = [];
  /** Committed, not yet in the open minute: the answer to the miners goes first. */
  #unabsorbed: Batch[] = [];
  #expiry: Iterator<void> | undefined;
  /** Some may wait for their place among the shares. */
  #hasBlockEvents = true;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#minuteMs = options.minuteMs ?? MINUTE_MS;
    const { db, id } = openMain(options.path, options.serverNumber);
    this.id = id;
    this.#main = db;
    try {
      db.exec('PRAGMA synchronous = NORMAL');
      this.#names = new Names(db);
      this.#index = new SliceIndex(db, options.clock);
      this.#recover();
    } catch (error) {
      db.close();
      throw openError(options.path, error);
    }
  }

  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** Minutes that are not all in the index. */
  get minutesToIndex(): number {
    return this.#finished.length + this.#index.groupsLeft;
  }

  workerId(name: WorkerName): number | undefined {
    return this.#names.workerId(name);
  }

  sourceId(source: ShareSource): number | undefined {
    return this.#names.sourceId(source);
  }

  /** Gives new workers and sources an id, synced to disk. */
  insertNames(workers: readonly WorkerName[], sources: readonly ShareSource[]): void {
    this.#durably(() => this.#names.insert(workers, sources));
  }

  /**
   * Commits batches of records (refs already row ids) in one transaction; throws, with nothing of them
   * recorded, when that fails. absorb() has to follow.
   */
  commit(batches: readonly Uint8Array[]): void {
    if (this.#finished.length > MAX_UNWRITTEN_MINUTES) this.#writeFinished(true);
    const timeMs = this.#receiveTime();
    const day = this.#currentDay(timeMs);
    let seq = this.#nextSeq;
    const rows = batches.map((data): Batch => {
      const count = data.length / RECORD_BYTES;
      const row = { seq, timeMs, count, data };
      seq += count;
      return row;
    });
    day.append(rows);
    this.#nextSeq = seq;
    this.#lastTimeMs = timeMs;
    for (const row of rows) this.#unabsorbed.push(row);
  }

  /** Adds what was committed to the open minute. */
  absorb(): void {
    for (const batch of this.#unabsorbed) this.#count(batch, 0);
    this.#unabsorbed = [];
  }

  /** To be called a few times a second: finishes minutes, writes their groups. May throw. */
  tick(): void {
    this.absorb();
    const delayMs = Math.min(GROUP_DELAY_MS, this.#minuteMs / 4);
    const endMs = (this.#minute + 1) * this.#minuteMs + delayMs;
    if (this.#table.size > 0 && this.#options.clock.now() >= endMs) {
      this.#finishMinute(this.#nextSeq);
    }
    this.#writeFinished(false);
    this.#placeBlockEvents(BLOCK_EVENT_DELAY_MS);
  }

  /** Writes all there is as groups, the open minute too: before close(). */
  finishMinutes(): void {
    this.absorb();
    if (this.#table.size > 0) this.#finishMinute(this.#nextSeq);
    this.#writeFinished(true);
    this.#placeBlockEvents(0);
  }

  /**
   * One short piece of work that can wait; true while there is more. It waits for nobody: while a
   * checkpoint holds the main file, false says to come back later. May throw.
   */
  idle(): boolean {
    this.#main.exec('PRAGMA busy_timeout = 0');
    try {
      return this.#idleStep();
    } catch (error) {
      if (isBusy(error)) return false;
      throw error;
    } finally {
      this.#main.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    }
  }

  #idleStep(): boolean {
    if (this.#index.groupsLeft > 0) {
      this.#index.step();
      return true;
    }
    if (this.#expiry === undefined) return false;
    if (this.#expiry.next().done === true) this.#expiry = undefined;
    return this.#expiry !== undefined;
  }

  /** Starts deleting what retention no longer covers; the work is done by idle(). */
  expire(retention: RetentionOptions): void {
    this.#expiry ??= expirySteps({
      db: this.#main,
      path: this.#options.path,
      retention,
      nowMs: this.#options.clock.now(),
      minuteMs: this.#minuteMs,
      currentDay: this.#day?.day ?? '',
      watermark: this.#index.watermark,
      indexedGroup: this.#index.indexedGroup,
      durably: (work) => this.#durably(work),
      unlink: (day) => this.#options.onUnlink?.(day),
      warn: this.#options.warn,
    });
  }

  applyBlocks(operations: readonly BlockOperation[]): AppliedBlocks {
    const applied = this.#durably(() => applyBlockOperations(this.#main, operations));
    this.#hasBlockEvents = true;
    return applied;
  }

  applyCursor(operation: CursorOperation): CursorPosition | undefined {
    const last = this.#main.prepare('SELECT max(id) AS id FROM slice_groups').get();
    const newest = {
      seq: this.#nextSeq,
      minute: Number(last?.['id'] ?? 0),
      block: newestBlockEvent(this.#main),
    };
    const now = this.#options.clock.now();
    return this.#durably(() => applyCursor(this.#main, operation, newest, now));
  }

  /** Closes a day's file that the writer has left, once its WAL is empty. */
  releaseDay(day: string): void {
    this.#retired.get(day)?.close();
    this.#retired.delete(day);
  }

  /** Opens the day's file anew at the next commit: after repeated errors the connection may be spoilt. */
  reopenDay(): void {
    this.#day?.close();
    this.#day = undefined;
  }

  /** Writes what is open and closes the files. What is not in the index yet is put there at the next start. */
  close(): void {
    try {
      this.finishMinutes();
      this.#durably(() => this.#setMeta('clean_seq', this.#nextSeq));
    } finally {
      for (const day of this.#retired.keys()) this.releaseDay(day);
      this.reopenDay();
      this.#main.close();
    }
  }

  #recover(): void {
    const { path } = this.#options;
    this.#reconcileDays();
    let endSeq = FIRST_SEQ;
    for (const day of this.#daysFrom(this.#index.watermark)) {
      const db = openShares(dayPath(path, day), this.id);
      try {
        endSeq = Math.max(endSeq, endOf(db) ?? 0);
        for (const batch of batchesFrom(db, this.#index.watermark)) {
          this.#count(batch, Math.max(0, this.#index.watermark - batch.seq));
          this.#lastTimeMs = batch.timeMs;
        }
      } catch (error) {
        throw openError(dayPath(path, day), error);
      } finally {
        db.close();
      }
    }
    endSeq = Math.max(endSeq, this.#index.watermark, highestSeq(this.#main));
    const row = this.#main.prepare(`SELECT value FROM meta WHERE name = 'clean_seq'`).get();
    const cleanSeq = Number(row?.['value'] ?? FIRST_SEQ);
    this.#nextSeq = cleanSeq >= endSeq ? cleanSeq : endSeq + UNCLEAN_SEQ_GAP;
    this.#durably(() => this.#setMeta('clean_seq', -1));
    this.#writeFinished(true);
  }

  #placeBlockEvents(delayMs: number): void {
    if (!this.#hasBlockEvents) return;
    const now = this.#options.clock.now();
    this.#hasBlockEvents = placeBlockEvents(this.#main, this.#nextSeq, now, delayMs);
  }

  /** The newest day, and those before it that hold records from `seq` on. */
  #daysFrom(seq: number): string[] {
    return this.#main
      .prepare(
        `SELECT day FROM days WHERE first_seq >=
         coalesce((SELECT max(first_seq) FROM days WHERE first_seq <= ?), 0) ORDER BY day`,
      )
      .all(seq)
      .map((row) => String(row['day']));
  }

  /** Makes the table of days say what is on disk. */
  #reconcileDays(): void {
    const { path } = this.#options;
    const onDisk = listDays(path);
    const rows = this.#main.prepare('SELECT day FROM days').all();
    const known = new Set(rows.map((row) => String(row['day'])));
    for (const day of known) {
      if (onDisk.includes(day)) continue;
      this.#options.warn(
        `the share file ${dayPath(path, day)} is gone; its shares are lost to sinks`,
      );
      this.#durably(() => this.#main.prepare('DELETE FROM days WHERE day = ?').run(day));
    }
    for (const day of onDisk.filter((name) => !known.has(name))) {
      const db = openShares(dayPath(path, day), this.id);
      const first = db.prepare('SELECT min(seq) AS seq FROM batches').get();
      db.close();
      const firstSeq = first?.['seq'] ?? null;
      if (firstSeq !== null) this.#durably(() => this.#insertDay(day, Number(firstSeq)));
    }
  }

  #insertDay(day: string, firstSeq: number): void {
    this.#main.prepare('INSERT OR IGNORE INTO days VALUES(?, ?)').run(day, firstSeq);
  }

  #setMeta(name: string, value: number): void {
    this.#main.prepare('INSERT OR REPLACE INTO meta VALUES(?, ?)').run(name, value);
  }

  #receiveTime(): number {
    const now = Math.floor(this.#options.clock.now());
    const backMs = this.#lastTimeMs - now;
    return backMs > 0 && backMs < MAX_CLOCK_STEP_MS ? this.#lastTimeMs : now;
  }

  /** The file to write to; a day never gives way to an earlier one. */
  #currentDay(timeMs: number): DayFile {
    const newest = this.#day?.day ?? listDays(this.#options.path).at(-1) ?? '';
    const wanted = dayOf(timeMs) > newest ? dayOf(timeMs) : newest;
    if (this.#day?.day === wanted) return this.#day;
    const opened = new DayFile({
      path: this.#options.path,
      day: wanted,
      ledgerId: this.id,
      synchronous: this.#options.synchronous,
      ...(this.#options.maxShareFileBytes !== undefined && {
        maxBytes: this.#options.maxShareFileBytes,
      }),
    });
    try {
      this.#durably(() => this.#insertDay(wanted, this.#nextSeq));
    } catch (error) {
      opened.close();
      throw error;
    }
    const previous = this.#day;
    if (previous !== undefined) this.#retired.set(previous.day, previous);
    this.#day = opened;
    this.#options.onRolled?.(wanted, previous?.day ?? null);
    return opened;
  }

  #count(batch: Batch, fromRecord: number): void {
    const minute = Math.floor(batch.timeMs / this.#minuteMs);
    if (minute !== this.#minute) {
      if (this.#table.size > 0) this.#finishMinute(batch.seq + fromRecord);
      this.#minute = minute;
    }
    this.#table.addBatch(new RecordView(batch.data), fromRecord);
  }

  #finishMinute(nextSeq: number): void {
    this.#finished.push({ minute: this.#minute, nextSeq, table: this.#table });
    this.#table = new MinuteTable();
  }

  /** Writes finished minutes as groups, all of them or those whose second has passed. */
  #writeFinished(all: boolean): void {
    const dueMs = this.#options.clock.now() - Math.min(GROUP_DELAY_MS, this.#minuteMs / 4);
    while (this.#finished.length > 0) {
      const { minute, nextSeq, table } = this.#finished[0]!;
      if (!all && dueMs < (minute + 1) * this.#minuteMs) return;
      this.#durably(() => this.#index.addGroup(minute, nextSeq, table.pack()));
      this.#finished.shift();
    }
  }

  /** Runs `work` so that its commit is synced to disk, whatever is set for shares. */
  #durably<T>(work: () => T): T {
    this.#main.exec('PRAGMA synchronous = FULL');
    try {
      return work();
    } finally {
      this.#main.exec('PRAGMA synchronous = NORMAL');
    }
  }
}
