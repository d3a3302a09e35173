/**
 * Retention, in steps short enough to stand between two commits of shares. Shares go by whole days:
 * when every cursor that holds has passed the day (or the limit of the backlog has), its minutes are in groups, and it is old enough. The row in
 * `days` goes first; the file is then unlinked by the reader thread (a crash in between leaves a file
 * that the next start takes up again).
 */
import type { DatabaseSync } from 'node:sqlite';
import { heldPosition } from './cursors.ts';
import type { RetentionOptions } from './options.ts';
import { rollback } from './schema.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MINUTES_OF_A_STEP = 1440;
const GROUPS_OF_A_STEP = 16;
const BLOCKS_OF_A_STEP = 4;

export interface ExpiryOptions {
  readonly db: DatabaseSync;
  readonly path: string;
  readonly retention: RetentionOptions;
  readonly nowMs: number;
  readonly minuteMs: number;
  /** The day being written, never dropped. */
  readonly currentDay: string;
  readonly watermark: number;
  readonly indexedGroup: number;
  readonly durably: (work: () => unknown) => void;
  readonly unlink: (day: string) => void;
  readonly warn: (message: string) => void;
}

/** One pass; every `next()` does one step. */
export function* expirySteps(options: ExpiryOptions): Generator<void, void> {
  yield* expireShares(options);
  yield* expireGroups(options);
  yield* expireSlices(options);
  yield* expireBlocks(options);
}

function* expireShares(options: ExpiryOptions): Generator<void, void> {
  const { db } = options;
  const days = db
    .prepare('SELECT day, first_seq FROM days ORDER BY day')
    .all()
    .map((row) => ({ day: String(row['day']), firstSeq: Number(row['first_seq']) }));
  for (const [index, { day }] of days.entries()) {
    const next = days[index + 1];
    if (next === undefined || day === options.currentDay) return;
    const endMs = dayStart(next.day);
    if (endMs + options.retention.sharesHours * HOUR_MS > options.nowMs) return;
    const isOverdue = endMs + backlogMs(options) <= options.nowMs;
    const taken = isOverdue ? Infinity : (heldPosition(db)?.seq ?? Infinity);
    const passed = Math.min(options.watermark, taken);
    if (passed < next.firstSeq) return;
    if ((heldPosition(db)?.seq ?? Infinity) < next.firstSeq) {
      options.warn(
        `the shares of ${day} are older than ledger.retention.backlog allows and are deleted, ` +
          `though a reporter has not taken them: its back end will never have them`,
      );
    }
    options.durably(() => db.prepare('DELETE FROM days WHERE day = ?').run(day));
    options.unlink(day);
    yield;
  }
}

function backlogMs({ retention }: ExpiryOptions): number {
  return (retention.backlogHours ?? Infinity) * HOUR_MS;
}

/** The first moment at which a day's file is no longer written: the beginning of the next one. */
function dayStart(day: string): number {
  return Date.UTC(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6)));
}

function* expireGroups(options: ExpiryOptions): Generator<void, void> {
  const { db, retention, nowMs, minuteMs } = options;
  const before = Math.floor((nowMs - retention.sharesHours * HOUR_MS) / minuteMs);
  const taken = Math.min(options.indexedGroup, heldPosition(db)?.minute ?? Infinity);
  const overdue = Math.ceil((nowMs - backlogMs(options)) / minuteMs) - 1;
  // The newest group holds the watermark and stays.
  const remove = db.prepare(
    `DELETE FROM slice_groups WHERE id IN (SELECT id FROM slice_groups WHERE id <= ?1
     AND (id <= ?3 OR minute < ?4)
     AND id < (SELECT max(id) FROM slice_groups) AND minute < ?2 ORDER BY id LIMIT ${GROUPS_OF_A_STEP})`,
  );
  while (Number(remove.run(options.indexedGroup, before, taken, overdue).changes) > 0) yield;
}

function* expireSlices(options: ExpiryOptions): Generator<void, void> {
  const { db, retention, nowMs, minuteMs } = options;
  if (retention.slicesDays === null) return;
  const before = Math.floor((nowMs - retention.slicesDays * DAY_MS) / minuteMs);
  db.prepare('DELETE FROM totals WHERE minute < ?').run(before);
  yield;
  const nextWorker = db.prepare('SELECT min(id) AS id FROM workers WHERE id > ?');
  const oldest = db.prepare('SELECT min(minute) AS minute FROM slices WHERE worker_id = ?');
  const remove = db.prepare('DELETE FROM slices WHERE worker_id = ? AND minute < ?');
  for (let worker = nextId(nextWorker.get(0)); worker !== undefined;) {
    for (;;) {
      const first = oldest.get(worker)?.['minute'] ?? null;
      if (first === null || Number(first) >= before) break;
      remove.run(worker, Math.min(before, Number(first) + MINUTES_OF_A_STEP));
      yield;
    }
    worker = nextId(nextWorker.get(worker));
    yield;
  }
}

function nextId(row: Record<string, unknown> | undefined): number | undefined {
  const id = row?.['id'] ?? null;
  return id === null ? undefined : Number(id);
}

function* expireBlocks(options: ExpiryOptions): Generator<void, void> {
  const { db, retention, nowMs } = options;
  if (retention.blocksDays === null) return;
  const before = Math.round(nowMs - retention.blocksDays * DAY_MS);
  const overdue = Math.max(Math.round(nowMs - backlogMs(options)), 0);
  const old = `SELECT id FROM blocks WHERE time_ms < ?1 AND state NOT IN ('pending', 'accepted')
    AND NOT EXISTS (SELECT 1 FROM block_events WHERE block_id = blocks.id AND time_ms >= ?2
      AND (seq IS NULL OR id > (SELECT min(block_event) FROM cursors WHERE held = 1)))
    ORDER BY id LIMIT ${BLOCKS_OF_A_STEP}`;
  const removeEvents = db.prepare(
    'DELETE FROM block_events WHERE block_id NOT IN (SELECT id FROM blocks)',
  );
  const removeAnswers = db.prepare(`DELETE FROM block_answers WHERE block_id IN (${old})`);
  const remove = db.prepare(`DELETE FROM blocks WHERE id IN (${old})`);
  for (;;) {
    db.exec('BEGIN IMMEDIATE');
    try {
      removeAnswers.run(before, overdue);
      const { changes } = remove.run(before, overdue);
      removeEvents.run();
      db.exec('COMMIT');
      if (Number(changes) === 0) return;
    } catch (error) {
      rollback(db);
      throw error;
    }
    yield;
  }
}
