/**
 * Where each sink stands, in the main file. A cursor holds retention back: nothing it has not passed is
 * deleted. A back end that keeps the position in its own transaction still reports it here.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { CursorOperation, CursorPosition } from './messages.ts';

/** The lowest position of all cursors; undefined when there is none. */
export function lowestCursor(db: DatabaseSync): CursorPosition | undefined {
  const row = db.prepare('SELECT min(seq) AS seq, min(group_id) AS g FROM cursors').get();
  if (row === undefined || row['seq'] === null) return undefined;
  return { seq: Number(row['seq']), group: Number(row['g']) };
}

export function readCursor(db: DatabaseSync, name: string): CursorPosition | undefined {
  const row = db.prepare('SELECT seq, group_id FROM cursors WHERE name = ?').get(name);
  if (row === undefined) return undefined;
  return { seq: Number(row['seq']), group: Number(row['group_id']) };
}

/**
 * Carries out one operation; `newest` is where a cursor begins that is to see only what comes. Returns
 * the position the cursor then has, undefined once dropped. A cursor never moves back.
 */
export function applyCursor(
  db: DatabaseSync,
  operation: CursorOperation,
  newest: CursorPosition,
  nowMs: number,
): CursorPosition | undefined {
  const { name } = operation;
  switch (operation.op) {
    case 'open': {
      const from = operation.from === 'newest' ? newest : { seq: 0, group: 0 };
      db.prepare('INSERT OR IGNORE INTO cursors VALUES(?, ?, ?, ?)').run(
        name,
        from.seq,
        from.group,
        Math.round(nowMs),
      );
      break;
    }
    case 'move':
      db.prepare(
        `UPDATE cursors SET seq = max(seq, ?), group_id = max(group_id, ?), time_ms = ?
         WHERE name = ?`,
      ).run(operation.position.seq, operation.position.group, Math.round(nowMs), name);
      break;
    case 'drop':
      db.prepare('DELETE FROM cursors WHERE name = ?').run(name);
  }
  return readCursor(db, name);
}
