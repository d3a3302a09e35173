/**
 * The questions the ledger answers, and the shapes of the answers. Types and pure helpers only;
 * reader.ts answers them, `Ledger.query` asks them from the control thread, report.ts without a pool.
 * Windows are whole minutes: `fromMs` is rounded down, `toMs` (exclusive) up.
 */
import type { BlockAnswer, BlockRef, BlockState, ShareSource, SolvedBlock } from '../ports.ts';
import type { Batch } from './day-file.ts';
import type { SettledBlock } from './block-table.ts';
import type { CursorPosition } from './messages.ts';

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Sum {
  /** Credited difficulty. */
  readonly difficulty: number;
  readonly count: number;
}

/** Sums by kind of result (contract §4). */
export interface KindSums {
  readonly accepted: Sum;
  readonly duplicate: Sum;
  readonly lowDifficulty: Sum;
  readonly stale: Sum;
}

/** Of one worker at one source. */
export interface WorkerTotal extends ShareSource, KindSums {
  readonly address: string;
  readonly worker: string;
  /** Start of the last minute with an accepted share, unix ms; null when there is none. */
  readonly lastAcceptedMinuteMs: number | null;
}

/** Of all workers at one source. */
export interface SourceTotal extends ShareSource, KindSums {}

/** Of one minute, over all workers or those of one address, at one source. */
export interface MinutePoint extends ShareSource, KindSums {
  /** Start of the minute, unix ms. */
  readonly minuteMs: number;
}

export interface BestShare extends ShareSource {
  readonly address: string;
  readonly worker: string;
  /** Of the hash itself. */
  readonly difficulty: number;
  readonly minuteMs: number;
}

export interface BlockRow extends BlockRef {
  readonly chain: string;
  readonly currency: string;
  readonly algorithm: string;
  readonly address: string;
  readonly worker: string;
  readonly server: string;
  readonly time: number;
  readonly totalSubsidy: bigint | null;
  readonly fees: bigint | null;
  readonly bitsHex: string;
  readonly merged: boolean;
  readonly networkDifficulty: number;
  /** Unix ms of the last change of state. */
  readonly stateTime: number;
  readonly answers: readonly BlockAnswer[];
}

export interface BlockFilter {
  readonly chain?: string;
  readonly state?: BlockState;
  readonly address?: string;
  /** Newest first; 100 unless given. */
  readonly limit?: number;
}

export interface BatchPage {
  /** In order; `data` are records of record.ts, the first batch cut so that it begins at the cursor. */
  readonly batches: readonly Batch[];
  /** Where to go on. */
  readonly nextSeq: number;
  /** Nothing is left after this page. */
  readonly atEnd: boolean;
}

/** One minute for a sink: rows of minute-table.ts. */
export interface MinuteGroup {
  readonly id: number;
  readonly minuteMs: number;
  readonly nextSeq: number;
  readonly data: Uint8Array;
}

export interface NamedWorker {
  readonly id: number;
  readonly address: string;
  readonly worker: string;
}

export interface NamedSource extends ShareSource {
  readonly id: number;
}

/** Every query, as reader.ts answers it. `Ledger.query` has the same ones with promises. */
export interface LedgerQuestions {
  /** By worker and source, in no particular order; an address narrows it to an index range. */
  workerTotals(window: Window, address?: string): WorkerTotal[];
  sourceTotals(window: Window): SourceTotal[];
  /** Oldest first; minutes without shares are absent. */
  minuteSeries(window: Window, address?: string): MinutePoint[];
  /** Highest first, of all time. */
  bestShares(limit: number, address?: string): BestShare[];
  blocks(filter: BlockFilter): BlockRow[];
  pendingBlocks(): SolvedBlock[];
  unsettledBlocks(chain: string, nowMs: number): BlockRef[];
  recentBlockKeys(limit: number): SettledBlock[];
  /** Share batches from a cursor on, about `maxBytes` of them. */
  batchesSince(seq: number, maxBytes: number): BatchPage;
  /** Minute groups after group `id`, oldest first. */
  groupsSince(id: number, limit: number): MinuteGroup[];
  workers(ids: readonly number[]): NamedWorker[];
  sources(): NamedSource[];
  cursor(name: string): CursorPosition | undefined;
}

export type QueryName = keyof LedgerQuestions;

export type LedgerQueries = {
  readonly [Name in QueryName]: (
    ...args: Parameters<LedgerQuestions[Name]>
  ) => Promise<ReturnType<LedgerQuestions[Name]>>;
};

/** Hashes per second behind a sum of difficulty. `hashesPerDifficulty1` belongs to the algorithm. */
export function hashrate(
  difficulty: number,
  hashesPerDifficulty1: number,
  windowMs: number,
): number {
  return windowMs <= 0 ? 0 : (difficulty * hashesPerDifficulty1 * 1000) / windowMs;
}
