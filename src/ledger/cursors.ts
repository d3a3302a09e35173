/**
 * Where each sink stands, in the main file. The cursor of a configured sink holds retention back: nothing
 * it has not passed is deleted. A back end that keeps the position in its own transaction still reports
 * it here; for one that cannot, the end of the batch under way stands here too.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { LedgerPosition } from '../ports.ts';
import type { CursorOperation, CursorPosition } from './messages.ts';

/** The lowest position of the cursors that hold; undefined when there is none. */
export function heldPosition(db: DatabaseSync): LedgerPosition | undefined {
  const row = db
    .prepare(
      `SELECT min(seq) AS seq, min(group_id) AS minute, min(block_event) AS block FROM cursors
       WHERE held = 1`,
    )
    .get();
  if (row === undefined || row['seq'] === null) return undefined;
  return { seq: Number(row['seq']), minute: Number(row['minute']), block: Number(row['block']) };
}

/** No cursor stands beyond it: sequence numbers go on from there. */
export function highestSeq(db: DatabaseSync): number {
  const row = db.prepare('SELECT max(seq, coalesce(until_seq, 0)) AS s FROM cursors').all();
  return row.reduce((highest, { s }) => Math.max(highest, Number(s)), 0);
}

export function readCursor(db: DatabaseSync, name: string): CursorPosition | undefined {
  const row = db
    .prepare(
      `SELECT seq, group_id, block_event, until_seq, until_group, until_event FROM cursors
       WHERE name = ?`,
    )
    .get(name);
  if (row === undefined) return undefined;
  const position = {
    seq: Number(row['seq']),
    minute: Number(row['group_id']),
    block: Number(row['block_event']),
  };
  if (row['until_seq'] === null) return position;
  const until = {
    seq: Number(row['until_seq']),
    minute: Number(row['until_group']),
    block: Number(row['until_event']),
  };
  return { ...position, until };
}

/**
 * Carries out one operation; `newest` is where a cursor begins that is to see only what comes. Returns
 * the position the cursor then has, undefined once dropped. A cursor never moves back.
 */
export function applyCursor(
  db: DatabaseSync,
  operation: CursorOperation,
  newest: LedgerPosition,
  nowMs: number,
): CursorPosition | undefined {
  const time = Math.round(nowMs);
  switch (operation.op) {
    case 'open': {
      const from = operation.from === 'newest' ? newest : { seq: 0, minute: 0, block: 0 };
      db.prepare(
        `INSERT OR IGNORE INTO cursors(name, seq, group_id, block_event, time_ms)
         VALUES(?, ?, ?, ?, ?)`,
      ).run(operation.name, from.seq, from.minute, from.block, time);
      break;
    }
    case 'move': {
      const { name, position, until } = operation;
      db.prepare(
        `UPDATE cursors SET seq = max(seq, ?), group_id = max(group_id, ?),
           block_event = max(block_event, ?), until_seq = ?, until_group = ?, until_event = ?,
           time_ms = ? WHERE name = ?`,
      ).run(
        position.seq,
        position.minute,
        position.block,
        until?.seq ?? null,
        until?.minute ?? null,
        until?.block ?? null,
        time,
        name,
      );
      break;
    }
    case 'hold':
      db.prepare('UPDATE cursors SET held = name IN (SELECT value FROM json_each(?))').run(
        JSON.stringify(operation.names),
      );
      return undefined;
    case 'drop':
      db.prepare('DELETE FROM cursors WHERE name = ?').run(operation.name);
  }
  return readCursor(db, operation.name);
}
