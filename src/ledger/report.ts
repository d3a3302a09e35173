/**
 * What `powerpool report` prints, read straight from the ledger's files: beside a running pool (the lock
 * is not needed to read) or without one. Entry point: ledgerReport.
 */
import { existsSync } from 'node:fs';
import { LedgerError } from './errors.ts';
import { hashrate } from './queries.ts';
import type { BlockRow, Sum, WorkerTotal } from './queries.ts';
import { LedgerReader } from './reader.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface ReportOptions {
  readonly path: string;
  /** Unix ms. */
  readonly now: number;
  /** Hashes behind difficulty 1 of an algorithm. */
  readonly hashesPerDifficulty1: (algorithm: string) => number;
  readonly address?: string;
  /** Newest first; 20 unless given. */
  readonly blocks?: number;
}

export interface ReportRow {
  readonly address: string;
  readonly worker: string;
  readonly algorithm: string;
  /** Credited difficulty of the last hour and the last day. */
  readonly accepted1h: number;
  readonly accepted24h: number;
  /** Duplicates, low difficulty and stale together, of the last day. */
  readonly rejected24h: Sum;
  /** Hashes per second. */
  readonly hashrate1h: number;
  readonly hashrate24h: number;
  /** Start of the minute of the last accepted share of the last day, unix ms; null without one. */
  readonly lastShareMs: number | null;
}

export interface LedgerReport {
  readonly ledgerId: string;
  /** By address, worker and algorithm, the most work of the last day first. */
  readonly workers: readonly ReportRow[];
  /** The same by address and algorithm; `worker` is empty. */
  readonly addresses: readonly ReportRow[];
  readonly blocks: readonly BlockRow[];
}

/** Throws LedgerError when there is no ledger at `path` or it cannot be read. */
export function ledgerReport(options: ReportOptions): LedgerReport {
  const { path, now, address } = options;
  if (!existsSync(path)) {
    throw new LedgerError('IO', `ledger: there is none at ${path}; it is made when a pool starts`);
  }
  const reader = new LedgerReader({ path });
  try {
    const day = reader.workerTotals({ fromMs: now - DAY_MS, toMs: now }, address);
    const hour = reader.workerTotals({ fromMs: now - HOUR_MS, toMs: now }, address);
    const rows = (keyOf: (total: WorkerTotal) => string, withWorker: boolean) =>
      rowsBy(day, hour, keyOf, withWorker, options);
    return {
      ledgerId: reader.id,
      workers: rows((row) => JSON.stringify([row.address, row.worker, row.algorithm]), true),
      addresses: rows((row) => JSON.stringify([row.address, row.algorithm]), false),
      blocks: reader.blocks({
        limit: options.blocks ?? 20,
        ...(address !== undefined && { address }),
      }),
    };
  } finally {
    reader.close();
  }
}

function rowsBy(
  day: readonly WorkerTotal[],
  hour: readonly WorkerTotal[],
  keyOf: (total: WorkerTotal) => string,
  withWorker: boolean,
  { hashesPerDifficulty1 }: ReportOptions,
): ReportRow[] {
  const lastHour = new Map<string, number>();
  for (const total of hour) {
    const key = keyOf(total);
    lastHour.set(key, (lastHour.get(key) ?? 0) + total.accepted.difficulty);
  }
  const grouped = Map.groupBy(day, keyOf);
  const rows = [...grouped].map(([key, totals]): ReportRow => {
    const { address, worker, algorithm } = totals[0]!;
    const accepted1h = lastHour.get(key) ?? 0;
    const accepted24h = sum(totals.map((total) => total.accepted.difficulty));
    const perDifficulty = hashesPerDifficulty1(algorithm);
    const rejects = totals.flatMap(({ duplicate, lowDifficulty, stale }) => [
      duplicate,
      lowDifficulty,
      stale,
    ]);
    const last = Math.max(...totals.map((total) => total.lastAcceptedMinuteMs ?? -1));
    return {
      address,
      worker: withWorker ? worker : '',
      algorithm,
      accepted1h,
      accepted24h,
      rejected24h: {
        difficulty: sum(rejects.map(({ difficulty }) => difficulty)),
        count: sum(rejects.map(({ count }) => count)),
      },
      hashrate1h: hashrate(accepted1h, perDifficulty, HOUR_MS),
      hashrate24h: hashrate(accepted24h, perDifficulty, DAY_MS),
      lastShareMs: last < 0 ? null : last,
    };
  });
  return rows.toSorted((a, b) => b.accepted24h - a.accepted24h);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
