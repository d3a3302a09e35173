/** Settings of the ledger: what the pool passes in, and what its threads are told. Types only. */
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';

export interface RetentionOptions {
  /** A day's shares go when every cursor has passed them and they are this old. */
  readonly sharesHours: number;
  /** What a sink has not taken goes all the same once it is this old; null or absent: never. */
  readonly backlogHours?: number | null;
  /** Minute slices older than this go; null keeps them for ever. */
  readonly slicesDays: number | null;
  /** Blocks that wait for nothing and are older than this go; null keeps them for ever. */
  readonly blocksDays: number | null;
}

/** What both threads need to know to open the files; crosses to them as it is. */
export interface StoreSettings {
  /** The main file; the others stand beside it and begin with its name. */
  readonly path: string;
  /** `normal`: a record survives the death of the process; `full`: also the loss of power. */
  readonly synchronous: 'normal' | 'full';
  readonly serverNumber: number;
  /** A day's share file grows no further than this, shares are refused instead. Absent: no bound. */
  readonly maxShareFileBytes?: number;
  /** Length of a slice; 60,000 except in tests that cannot wait for minutes. */
  readonly minuteMs?: number;
}

export interface LedgerOptions extends StoreSettings {
  readonly retention: RetentionOptions;
  readonly log: Log;
  /** For the control thread's own records (blocks); the ledger's threads read the system's clock. */
  readonly clock?: Clock;
}

export const MINUTE_MS = 60_000;
