/**
 * Answers the questions of queries.ts from the files, on whatever thread it is made: the reader thread
 * of a running pool, or `powerpool report` beside one or without. Answers are current: the index, the
 * groups that are not in it yet, and the shares that are in no group are put together, the first two in
 * one read transaction, so that every share counts once.
 */
import type { DatabaseSync } from 'node:sqlite';
import { blockEventsSince } from './block-events.ts';
import type { PlacedBlockEvent } from './block-events.ts';
import { amount, pendingBlocks, recentBlockKeys, unsettledBlocks } from './block-table.ts';
import type { SettledBlock } from './block-table.ts';
import { readCursor } from './cursors.ts';
import type { Backlog, Batch } from './day-file.ts';
import type { CursorPosition } from './messages.ts';
import { SLICE_ROW_BYTES, sliceRow } from './minute-table.ts';
import { MINUTE_MS } from './options.ts';
import type { StoreSettings } from './options.ts';
import type * as Q from './queries.ts';
import { SHARE_KIND } from '../ports.ts';
import type { BlockAnswer, BlockRef, BlockState, ShareSource, SolvedBlock } from '../ports.ts';
import { RECORD_BYTES } from './record.ts';
import { ledgerId, openForReading } from './schema.ts';
import { ShareFiles } from './share-files.ts';
import type { ShareRange } from './share-files.ts';
import { readProgress } from './slice-index.ts';
import { Sums, kindSums } from './sums.ts';
import type { SumRow } from './sums.ts';
import { Tail } from './tail.ts';

const DEFAULT_BLOCKS = 100;

interface Minutes {
  readonly from: number;
  readonly to: number;
}

export class LedgerReader implements Q.LedgerQuestions {
  readonly id: string;
  readonly #minuteMs: number;
  readonly #main: DatabaseSync;
  readonly #shares: ShareFiles;
  readonly #tail: Tail;

  constructor(settings: Pick<StoreSettings, 'path' | 'minuteMs'>) {
    this.#minuteMs = settings.minuteMs ?? MINUTE_MS;
    this.#main = openForReading(settings.path, 'main');
    this.id = ledgerId(this.#main, settings.path);
    this.#shares = new ShareFiles(this.#main, settings.path, this.id);
    this.#tail = new Tail(this.#minuteMs, (seq) => this.#shares.batches(seq));
  }

  workerTotals(window: Q.Window, address?: string): Q.WorkerTotal[] {
    const minutes = this.#minutes(window);
    const sums = new Sums((row) => `${row.worker} ${row.source}`);
    const ids = address === undefined ? undefined : this.#workersOf(address);
    const indexed = this.#main.prepare(
      `SELECT s.worker_id AS worker, s.source_id AS source, s.kind AS kind, max(s.minute) AS minute,
         sum(s.difficulty) AS difficulty, sum(s.count) AS count
       FROM workers w CROSS JOIN slices s ON s.worker_id = w.id AND s.minute >= ?1 AND s.minute < ?2
       ${address === undefined ? '' : 'WHERE w.address = ?3'} GROUP BY s.worker_id, s.source_id, s.kind`,
    );
    const args = address === undefined ? [] : [address];
    this.#everyRow(minutes, ids, sums, () => indexed.all(minutes.from, minutes.to, ...args));
    const sources = this.#sourceMap();
    const names = this.#workerMap([...sums.values()].map((sum) => sum.worker));
    return [...sums.values()].map((sum) => ({
      ...nameOf(names, sum.worker),
      ...sourceOf(sources, sum.source),
      ...kindSums(sum),
      lastAcceptedMinuteMs:
        sum.lastAcceptedMinute < 0 ? null : sum.lastAcceptedMinute * this.#minuteMs,
    }));
  }

  sourceTotals(window: Q.Window): Q.SourceTotal[] {
    const minutes = this.#minutes(window);
    const sums = new Sums((row) => String(row.source));
    const indexed = this.#main.prepare(
      `SELECT 0 AS worker, source_id AS source, kind, max(minute) AS minute,
         sum(difficulty) AS difficulty, sum(count) AS count
       FROM totals WHERE minute >= ? AND minute < ? GROUP BY source_id, kind`,
    );
    this.#everyRow(minutes, undefined, sums, () => indexed.all(minutes.from, minutes.to));
    const sources = this.#sourceMap();
    return [...sums.values()].map((sum) => ({
      ...sourceOf(sources, sum.source),
      ...kindSums(sum),
    }));
  }

  minuteSeries(window: Q.Window, address?: string): Q.MinutePoint[] {
    const minutes = this.#minutes(window);
    const sums = new Sums((row) => `${row.minute} ${row.source}`);
    const ids = address === undefined ? undefined : this.#workersOf(address);
    const indexed = this.#main.prepare(
      address === undefined
        ? `SELECT 0 AS worker, source_id AS source, kind, minute, difficulty, count
           FROM totals WHERE minute >= ?1 AND minute < ?2`
        : `SELECT s.worker_id AS worker, s.source_id AS source, s.kind AS kind, s.minute AS minute,
             s.difficulty AS difficulty, s.count AS count
           FROM workers w CROSS JOIN slices s
             ON s.worker_id = w.id AND s.minute >= ?1 AND s.minute < ?2 WHERE w.address = ?3`,
    );
    const args = address === undefined ? [] : [address];
    this.#everyRow(minutes, ids, sums, () => indexed.all(minutes.from, minutes.to, ...args));
    const sources = this.#sourceMap();
    return [...sums.values()]
      .toSorted((a, b) => a.minute - b.minute || a.source - b.source)
      .map((sum) => ({
        minuteMs: sum.minute * this.#minuteMs,
        ...sourceOf(sources, sum.source),
        ...kindSums(sum),
      }));
  }

  bestShares(limit: number, address?: string): Q.BestShare[] {
    const ids = address === undefined ? undefined : this.#workersOf(address);
    const best = new Map<
      string,
      { worker: number; source: number; best: number; minute: number }
    >();
    const offer = (worker: number, source: number, value: number, minute: number) => {
      if (value <= 0 || (ids !== undefined && !ids.has(worker))) return;
      const key = `${worker} ${source}`;
      if (value > (best.get(key)?.best ?? 0))
        best.set(key, { worker, source, best: value, minute });
    };
    this.#main.exec('BEGIN');
    try {
      const rows = this.#main
        .prepare(
          `SELECT worker_id, source_id, b.difficulty, minute FROM best_shares b
           JOIN workers w ON w.id = worker_id ${address === undefined ? '' : 'WHERE w.address = ?2'}
           ORDER BY b.difficulty DESC LIMIT ?1`,
        )
        .all(limit, ...(address === undefined ? [] : [address]));
      for (const row of rows) {
        offer(
          Number(row['worker_id']),
          Number(row['source_id']),
          Number(row['difficulty']),
          Number(row['minute']),
        );
      }
      this.#unindexed((minute, row) => {
        if (row.kind === SHARE_KIND.accepted) offer(row.worker, row.source, row.best, minute);
      });
    } finally {
      this.#main.exec('COMMIT');
    }
    const found = [...best.values()].toSorted((a, b) => b.best - a.best).slice(0, limit);
    const names = this.#workerMap(found.map(({ worker }) => worker));
    const sources = this.#sourceMap();
    return found.map((share) => ({
      ...nameOf(names, share.worker),
      ...sourceOf(sources, share.source),
      difficulty: share.best,
      minuteMs: share.minute * this.#minuteMs,
    }));
  }

  blocks(filter: Q.BlockFilter): Q.BlockRow[] {
    const select = this.#main.prepare(
      `SELECT id, chain, hash, currency, algorithm, height, address, worker, server, time_ms,
         total_subsidy, fees, bits, merged, network_difficulty, state, state_ms FROM blocks
       WHERE (?1 IS NULL OR chain = ?1) AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR address = ?3)
       ORDER BY id DESC LIMIT ?4`,
    );
    select.setReadBigInts(true);
    const rows = select.all(
      filter.chain ?? null,
      filter.state ?? null,
      filter.address ?? null,
      filter.limit ?? DEFAULT_BLOCKS,
    );
    return rows.map((row) => ({
      chain: String(row['chain']),
      hashHexBE: String(row['hash']),
      currency: String(row['currency']),
      algorithm: String(row['algorithm']),
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
      state: row['state'] as BlockState,
      stateTime: Number(row['state_ms']),
      answers: this.#answers(Number(row['id'])),
    }));
  }

  pendingBlocks(): SolvedBlock[] {
    return pendingBlocks(this.#main);
  }

  unsettledBlocks(chain: string, nowMs: number): BlockRef[] {
    return unsettledBlocks(this.#main, chain, nowMs);
  }

  recentBlockKeys(limit: number): SettledBlock[] {
    return recentBlockKeys(this.#main, limit);
  }

  batchesSince(seq: number, maxBytes: number): Q.BatchPage {
    const batches: Batch[] = [];
    let nextSeq = seq;
    let bytes = 0;
    for (const batch of this.#shares.batches(seq)) {
      if (bytes > 0 && bytes + batch.data.length > maxBytes) {
        return { batches, nextSeq, atEnd: false };
      }
      const skip = Math.max(0, seq - batch.seq);
      // A copy where it is cut: a view would be cloned to another thread with all that is before it.
      const data = skip === 0 ? batch.data : batch.data.slice(skip * RECORD_BYTES);
      batches.push({ ...batch, seq: batch.seq + skip, count: batch.count - skip, data });
      bytes += data.length;
      nextSeq = batch.seq + batch.count;
    }
    return { batches, nextSeq, atEnd: true };
  }

  groupsSince(id: number, limit: number): Q.MinuteGroup[] {
    return this.#main
      .prepare(
        `SELECT id, minute, next_seq, data FROM slice_groups WHERE id > ? ORDER BY id LIMIT ?`,
      )
      .all(id, limit)
      .map((row) => ({
        id: Number(row['id']),
        minuteMs: Number(row['minute']) * this.#minuteMs,
        nextSeq: Number(row['next_seq']),
        data: row['data'] as Uint8Array,
      }));
  }

  /** Changes of blocks' states after event `id`, in order, as far as they have a place among the shares. */
  blockEventsSince(id: number, limit: number): PlacedBlockEvent[] {
    return blockEventsSince(this.#main, id, limit);
  }

  /** At most `maxRecords` records from `seq` on and below `before`, without reading them. */
  shareRange(seq: number, maxRecords: number, before?: number): ShareRange {
    return this.#shares.range(seq, maxRecords, before);
  }

  /** How much there is from `seq` on. Reads the head of every batch: not for every second. */
  backlog(seq: number): Backlog {
    return this.#shares.backlog(seq);
  }

  workers(ids: readonly number[]): Q.NamedWorker[] {
    const select = this.#main.prepare('SELECT address, worker FROM workers WHERE id = ?');
    return ids.flatMap((id) => {
      const row = select.get(id);
      if (row === undefined) return [];
      return [{ id, address: String(row['address']), worker: String(row['worker']) }];
    });
  }

  sources(): Q.NamedSource[] {
    return this.#main
      .prepare('SELECT id, server, chain, currency, algorithm FROM sources ORDER BY id')
      .all()
      .map((row) => ({
        id: Number(row['id']),
        server: String(row['server']),
        chain: String(row['chain']),
        currency: String(row['currency']),
        algorithm: String(row['algorithm']),
      }));
  }

  cursor(name: string): CursorPosition | undefined {
    return readCursor(this.#main, name);
  }

  /** Forgets a day's connection, before its file goes. */
  closeDay(day: string): void {
    this.#shares.closeDay(day);
  }

  close(): void {
    this.#shares.close();
    this.#main.close();
  }

  #minutes({ fromMs, toMs }: Q.Window): Minutes {
    return { from: Math.floor(fromMs / this.#minuteMs), to: Math.ceil(toMs / this.#minuteMs) };
  }

  /** Index, unindexed groups and tail of a window into `sums`. */
  #everyRow(
    minutes: Minutes,
    workers: ReadonlySet<number> | undefined,
    sums: Sums,
    indexed: () => readonly Record<string, unknown>[],
  ): void {
    this.#main.exec('BEGIN');
    try {
      for (const row of indexed()) sums.add(row as unknown as SumRow);
      this.#unindexed((minute, row) => {
        if (minute < minutes.from || minute >= minutes.to) return;
        if (workers === undefined || workers.has(row.worker)) sums.add({ ...row, minute });
      });
    } finally {
      this.#main.exec('COMMIT');
    }
  }

  /** Rows of groups past the mark of progress, then of the shares past the watermark. */
  #unindexed(use: (minute: number, row: ReturnType<typeof sliceRow>) => void): void {
    const progress = readProgress(this.#main);
    const groups = this.#main
      .prepare('SELECT minute, data FROM slice_groups WHERE id > ? ORDER BY id')
      .all(progress.group);
    for (const [index, group] of groups.entries()) {
      const data = group['data'] as Uint8Array;
      const rows = data.length / SLICE_ROW_BYTES;
      for (let i = index === 0 ? progress.row : 0; i < rows; i++) {
        use(Number(group['minute']), sliceRow(data, i));
      }
    }
    for (const [minute, table] of this.#tail.update(progress.nextSeq)) {
      for (const row of table.rows()) use(minute, row);
    }
  }

  #workersOf(address: string): Set<number> {
    const rows = this.#main.prepare('SELECT id FROM workers WHERE address = ?').all(address);
    return new Set(rows.map((row) => Number(row['id'])));
  }

  #workerMap(ids: readonly number[]): Map<number, Q.NamedWorker> {
    return new Map(this.workers([...new Set(ids)]).map((worker) => [worker.id, worker]));
  }

  #sourceMap(): Map<number, ShareSource> {
    return new Map(this.sources().map(({ id, ...source }) => [id, source]));
  }

  #answers(blockId: number): BlockAnswer[] {
    return this.#main
      .prepare('SELECT daemon, time_ms, answer FROM block_answers WHERE block_id = ? ORDER BY id')
      .all(blockId)
      .map((row) => ({
        daemon: String(row['daemon']),
        time: Number(row['time_ms']),
        answer: String(row['answer']),
      }));
  }
}

function nameOf(names: ReadonlyMap<number, Q.NamedWorker>, id: number) {
  const name = names.get(id);
  return { address: name?.address ?? `#${id}`, worker: name?.worker ?? '' };
}

function sourceOf(sources: ReadonlyMap<number, ShareSource>, id: number): ShareSource {
  return sources.get(id) ?? { server: `#${id}`, chain: '', currency: '', algorithm: '' };
}
