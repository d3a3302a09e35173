/**
 * Solved blocks in the main file: rows with the submission as bytes, the daemons' answers, the state.
 * The writer thread applies operations here, the readers turn rows back into what they were.
 * An operation that fails is kept by the caller and applied again: each can be repeated.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { BlockRef, BlockState, BlockSubmission, SolvedBlock } from '../ports.ts';
import { messageOf } from '../errors.ts';
import { insertBlockEvent } from './block-events.ts';
import { readBlockFile } from './block-file.ts';
import { rollback } from './schema.ts';
import { sqliteCode } from './errors.ts';
import type { BlockOperation } from './messages.ts';

/** A block that is tried for days must not fill the table. */
const MAX_ANSWERS = 1000;
/** An orphan may still return to the best chain; after a day without, nobody waits for it. */
const ORPHAN_WATCH_MS = 24 * 3_600_000;

export type Row = Record<string, SQLOutputValue>;

/** What an applied batch of operations means for the block files. */
export interface SettledBlock {
  readonly chain: string;
  readonly hashHexBE: string;
}

export interface AppliedBlocks {
  /** Stored and no longer pending: their files may go. */
  readonly settled: readonly SettledBlock[];
  /** Block files that could not be read; trying again would not help. */
  readonly problems: readonly string[];
}

/** Applies operations in one transaction. Throws when the database fails; nothing is applied then. */
export function applyBlockOperations(
  db: DatabaseSync,
  operations: readonly BlockOperation[],
): AppliedBlocks {
  const settled: SettledBlock[] = [];
  const problems: string[] = [];
  db.exec('BEGIN IMMEDIATE');
  try {
    for (const operation of operations) {
      try {
        const key = applyOne(db, operation);
        if (!isPending(db, key)) settled.push(key);
      } catch (error) {
        if (sqliteCode(error) !== undefined) throw error;
        problems.push(messageOf(error));
      }
    }
    db.exec('COMMIT');
    return { settled, problems };
  } catch (error) {
    rollback(db);
    throw error;
  }
}

function applyOne(db: DatabaseSync, operation: BlockOperation): SettledBlock {
  switch (operation.op) {
    case 'block':
      insertBlock(db, operation);
      return operation.header;
    case 'answer':
      db.prepare(
        `INSERT INTO block_answers(block_id, daemon, time_ms, answer)
         SELECT id, ?, ?, ? FROM blocks WHERE chain = ? AND hash = ?
         AND (SELECT count(*) FROM block_answers WHERE block_id = blocks.id) < ${MAX_ANSWERS}`,
      ).run(
        operation.answer.daemon,
        Math.round(operation.answer.time),
        operation.answer.answer,
        operation.chain,
        operation.hashHexBE,
      );
      break;
    case 'value':
      db.prepare('UPDATE blocks SET total_subsidy = ? WHERE chain = ? AND hash = ?').run(
        operation.totalSubsidy,
        operation.chain,
        operation.hashHexBE,
      );
      break;
    case 'state':
      insertBlockEvent(db, operation);
      db.prepare('UPDATE blocks SET state = ?, state_ms = ? WHERE chain = ? AND hash = ?').run(
        operation.state,
        Math.round(operation.timeMs),
        operation.chain,
        operation.hashHexBE,
      );
  }
  return operation;
}

function insertBlock(
  db: DatabaseSync,
  { header, source }: Extract<BlockOperation, { op: 'block' }>,
): void {
  const known = db
    .prepare('SELECT 1 FROM blocks WHERE chain = ? AND hash = ?')
    .get(header.chain, header.hashHexBE);
  if (known !== undefined) return;
  const hex = 'hex' in source ? source.hex : readBlockFile(source.file).hex;
  db.prepare(
    `INSERT INTO blocks(chain, hash, currency, algorithm, height, address, worker, server, time_ms,
       total_subsidy, fees, bits, merged, network_difficulty, submit_kind, submit_work_id,
       submit_daemon, submit_data, state, state_ms)
     VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?)`,
  ).run(
    header.chain,
    header.hashHexBE,
    header.currency,
    header.algorithm,
    header.height,
    header.address,
    header.worker,
    header.server,
    Math.round(header.time),
    header.totalSubsidy === null ? null : BigInt(header.totalSubsidy),
    header.fees === null ? null : BigInt(header.fees),
    header.bitsHex,
    header.merged ? 1 : 0,
    header.networkDifficulty,
    header.submit.kind,
    header.submit.workId ?? null,
    header.submit.daemon ?? null,
    Buffer.from(Buffer.from(hex).toString('latin1'), 'hex'),
    Math.round(header.time),
  );
}

function isPending(db: DatabaseSync, { chain, hashHexBE }: SettledBlock): boolean {
  const row = db
    .prepare('SELECT state FROM blocks WHERE chain = ? AND hash = ?')
    .get(chain, hashHexBE);
  return row === undefined || row['state'] === 'pending';
}

/** Blocks no daemon has answered for, whole. */
export function pendingBlocks(db: DatabaseSync): SolvedBlock[] {
  const select = db.prepare(`SELECT * FROM blocks WHERE state = 'pending' ORDER BY id`);
  select.setReadBigInts(true);
  return select.all().map(fullBlock);
}

/** Blocks of a chain whose fate is open: accepted, or orphaned within the last day. */
export function unsettledBlocks(db: DatabaseSync, chain: string, nowMs: number): BlockRef[] {
  return db
    .prepare(
      `SELECT hash, height, state FROM blocks WHERE chain = ?1 AND (state = 'accepted' OR
         (state = 'orphaned' AND state_ms > ?2)) ORDER BY id`,
    )
    .all(chain, Math.round(nowMs - ORPHAN_WATCH_MS))
    .map((row) => ({
      hashHexBE: String(row['hash']),
      height: Number(row['height']),
      state: row['state'] as BlockState,
    }));
}

/** The newest blocks' keys, so that a replayed solve is recognised after a restart. */
export function recentBlockKeys(db: DatabaseSync, limit: number): SettledBlock[] {
  return db
    .prepare('SELECT chain, hash FROM blocks ORDER BY id DESC LIMIT ?')
    .all(limit)
    .map((row) => ({ chain: String(row['chain']), hashHexBE: String(row['hash']) }));
}

function fullBlock(row: Row): SolvedBlock {
  const data = row['submit_data'] as Uint8Array;
  const submit: BlockSubmission = {
    kind: row['submit_kind'] as BlockSubmission['kind'],
    hex: Buffer.from(Buffer.from(data).toString('hex'), 'latin1'),
    ...(row['submit_work_id'] !== null && { workId: String(row['submit_work_id']) }),
    ...(row['submit_daemon'] !== null && { daemon: String(row['submit_daemon']) }),
  };
  return {
    chain: String(row['chain']),
    currency: String(row['currency']),
    algorithm: String(row['algorithm']),
    hashHexBE: String(row['hash']),
    height: Number(row['height']),
    address: String(row['address']),
    worker: String(row['worker']),
    server: String(row['server']),
    time: Number(row['time_ms']),
    totalSubsidy: amount(row['total_subsidy']),
    fees: amount(row['fees']),
    bitsHex: String(row['bits']),
    merged: Number(row['merged']) === 1,
    networkDifficulty: Number(row['network_difficulty']),
    submit,
  };
}

export function amount(value: SQLOutputValue | undefined): bigint | null {
  return typeof value === 'bigint' || typeof value === 'number' ? BigInt(value) : null;
}
