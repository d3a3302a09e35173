/**
 * Changes of blocks' states as sinks see them: in order, each with its place among the shares (`seq`: all
 * shares below it stand before it). An event is written with the change and placed a moment later by the
 * writer (store.ts). Reading them is blockEventsSince.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { BlockEvent, BlockState } from '../ports.ts';
import type { BlockOperation } from './messages.ts';

export interface PlacedBlockEvent extends BlockEvent {
  /** Every share below it comes before the event. */
  readonly seq: number;
}

/** Notes that the state changes; to be called before it does, in its transaction. */
export function insertBlockEvent(
  db: DatabaseSync,
  { chain, hashHexBE, state, timeMs }: Extract<BlockOperation, { op: 'state' }>,
): void {
  const isPaid = state === 'accepted' || state === 'matured' ? 1 : 0;
  db.prepare(
    `INSERT INTO block_events(block_id, state, time_ms, report)
     SELECT id, ?1, ?2, ?3 AND NOT reported FROM blocks
     WHERE chain = ?4 AND hash = ?5 AND state <> ?1`,
  ).run(state, Math.round(timeMs), isPaid, chain, hashHexBE);
  if (isPaid === 0) return;
  db.prepare('UPDATE blocks SET reported = 1 WHERE chain = ? AND hash = ?').run(chain, hashHexBE);
}

/** Places the events that are `delayMs` old behind the share `nextSeq - 1`; false once none waits. */
export function placeBlockEvents(
  db: DatabaseSync,
  nextSeq: number,
  nowMs: number,
  delayMs: number,
): boolean {
  db.prepare(
    `UPDATE block_events SET seq = ?1 WHERE seq IS NULL AND id <=
       (SELECT max(id) FROM block_events WHERE seq IS NULL AND abs(?2 - time_ms) >= ?3)`,
  ).run(nextSeq, Math.round(nowMs), delayMs);
  return db.prepare('SELECT 1 FROM block_events WHERE seq IS NULL LIMIT 1').get() !== undefined;
}

/** Number of the newest event, placed or not; 0 before the first. */
export function newestBlockEvent(db: DatabaseSync): number {
  return Number(db.prepare('SELECT max(id) AS id FROM block_events').get()?.['id'] ?? 0);
}

/** Placed events after number `id`, in order. */
export function blockEventsSince(db: DatabaseSync, id: number, limit: number): PlacedBlockEvent[] {
  const select = db.prepare(
    `SELECT e.id AS event, e.seq AS seq, e.state AS state, e.time_ms AS event_ms, e.report AS report,
       chain, hash, currency, algorithm, height, address, worker, server, b.time_ms AS time_ms,
       total_subsidy, fees, bits, merged, network_difficulty
     FROM block_events e JOIN blocks b ON b.id = e.block_id
     WHERE e.id > ? AND e.seq IS NOT NULL ORDER BY e.id LIMIT ?`,
  );
  select.setReadBigInts(true);
  return select.all(id, limit).map((row) => ({
    id: Number(row['event']),
    seq: Number(row['seq']),
    state: row['state'] as BlockState,
    time: Number(row['event_ms']),
    report: Number(row['report']) === 1,
    block: {
      chain: String(row['chain']),
      currency: String(row['currency']),
      algorithm: String(row['algorithm']),
      hashHexBE: String(row['hash']),
      height: Number(row['height']),
      address: String(row['address']),
      worker: String(row['worker']),
      server: String(row['server']),
      time: Number(row['time_ms']),
      totalSubsidy: row['total_subsidy'] as bigint | null,
      fees: row['fees'] as bigint | null,
      bitsHex: String(row['bits']),
      merged: Number(row['merged']) === 1,
      networkDifficulty: Number(row['network_difficulty']),
    },
  }));
}
