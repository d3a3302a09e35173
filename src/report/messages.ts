/** What crosses between the control thread and the thread of one sink. Types only. */
import type { LogFields, LogLevel } from '../log.ts';
import type { LedgerPosition } from '../ports.ts';

/** Which class a sink is, and where it comes from. */
export type SinkKind =
  | { readonly type: 'celery' | 'redis' | 'postgres' }
  /** A class of the operator's own; a relative module starts at `directory`. */
  | {
      readonly type: 'plugin';
      readonly module: string;
      readonly className: string;
      readonly directory: string;
    };

export interface SinkThreadData {
  readonly key: string;
  readonly kind: SinkKind;
  readonly settings: Readonly<Record<string, unknown>>;
  /** The ledger's main file. */
  readonly ledgerPath: string;
  readonly ledgerId: string;
  readonly serverNumber: number;
  readonly serverName: string;
  readonly merged: Readonly<Record<string, readonly string[]>>;
  /** What an algorithm is called in reports, by chain: as the configuration writes it. */
  readonly algorithms: Readonly<Record<string, string>>;
  /** Keys of the stratum servers that report to it. */
  readonly servers: readonly string[];
  /** Keys of the chains whose blocks are not reported (`send: false`). */
  readonly silentChains: readonly string[];
  readonly position: LedgerPosition;
  /** End of the batch that was under way when the last run ended. */
  readonly until: LedgerPosition | null;
  /** Age of the oldest untaken share from which on it is an alarm, ms. */
  readonly alarmMs: number;
}

export interface SinkStatus {
  readonly state: 'connecting' | 'idle' | 'delivering' | 'retrying' | 'stopped';
  /** Share records of the ledger that wait, of all servers. */
  readonly queue_size: number;
  readonly queue_bytes: number;
  /** Seconds since the oldest of them was received. */
  readonly queue_age: number;
  /** Records of the ledger taken in a second, over the last ten. */
  readonly rate: number;
  /** Since start. */
  readonly delivered: number;
  readonly batches: number;
  readonly refused: number;
  readonly failures: number;
  readonly last_error: string | null;
  readonly position: LedgerPosition;
  readonly [more: string]: unknown;
}

export type ToSink =
  | { readonly type: 'moved'; readonly id: number; readonly error?: string }
  /** Take what is there for at most `drainMs`, then end. */
  | { readonly type: 'stop'; readonly drainMs: number };

export type FromSink =
  /** The first attempt to reach the back end is over; `unfit`: it can never work. */
  | { readonly type: 'tried'; readonly unfit?: string }
  | {
      readonly type: 'move';
      readonly id: number;
      readonly position: LedgerPosition;
      readonly until?: LedgerPosition;
    }
  | { readonly type: 'status'; readonly status: SinkStatus }
  | {
      readonly type: 'log';
      readonly level: LogLevel;
      readonly text: string;
      readonly fields: LogFields;
    }
  | { readonly type: 'stopped' };
