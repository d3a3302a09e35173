/**
 * What crosses between the control thread and a listener thread, as plain data. Types only, but for
 * `plainJob`. Shares do not pass here: a listener posts them to the ledger thread itself.
 */
import type { MessagePort } from 'node:worker_threads';
import type { StratumSettings } from '../config/schema/stratum-server.ts';
import type { Algorithm } from '../pow/algorithms.ts';
import type { LogFields, LogLevel } from '../log.ts';
import type { Job, Solve } from '../ports.ts';
import type { SessionEvent } from './directory.ts';
import type { RateDelta, RateEcho } from './rates.ts';

/** A job source as a listener knows it. */
export interface SourceData {
  readonly key: string;
  /** Without `custom`: functions do not cross threads. */
  readonly algorithm: Algorithm;
  /** Where each thread loads a user's own hash function from. */
  readonly custom: { readonly module: string; readonly directory: string } | undefined;
  /** Target of difficulty 1. */
  readonly diff1: bigint;
}

/** A listening port. */
export interface ServerData {
  readonly key: string;
  readonly settings: StratumSettings;
  /** The port to listen on; 0: any free one. */
  readonly port: number;
  /** Index of its job source. */
  readonly source: number;
  /** Servers with the same group share the rates of addresses (one reporter). */
  readonly group: string;
  /** Of `occupancyMemory`, shared by all threads. */
  readonly occupancy: SharedArrayBuffer;
}

/** workerData of a listener thread. */
export interface ListenerData {
  /** Unique over the run, also after a restart: the class of its extranonces. */
  readonly thread: number;
  /** Place among the threads that live, for shared memory. */
  readonly row: number;
  readonly seed: number;
  readonly reusePort: boolean;
  readonly extranonce1Bytes: 4 | 8;
  readonly extranonce2Bytes: number;
  readonly sources: readonly SourceData[];
  readonly servers: readonly ServerData[];
  /** Transferred. */
  readonly ledgerPort: MessagePort;
}

/** What an operator can have said to one miner, or to all of a server. */
export type ClientCommand =
  | { readonly kind: 'showMessage'; readonly text: string }
  | {
      readonly kind: 'reconnect';
      readonly host: string;
      readonly port: number;
      readonly waitSeconds: number;
    }
  | { readonly kind: 'getVersion' }
  | { readonly kind: 'renewExtranonce' }
  | { readonly kind: 'disconnect' };

export type ToListener =
  | { readonly type: 'job'; readonly source: number; readonly job: Job }
  | { readonly type: 'retire'; readonly jobIds: readonly string[] }
  | { readonly type: 'rates'; readonly group: string; readonly echoes: readonly RateEcho[] }
  | { readonly type: 'difficulties'; readonly left: readonly RememberedDifficulty[] }
  /** Without an id: every client of the server. */
  | {
      readonly type: 'command';
      readonly server: string;
      readonly id?: string;
      readonly command: ClientCommand;
    }
  | { readonly type: 'details'; readonly request: number; readonly id: string }
  | { readonly type: 'stop' };

/** The difficulty a worker had when it left, for when it returns on another thread. */
export interface RememberedDifficulty {
  readonly server: string;
  readonly address: string;
  readonly worker: string;
  readonly difficulty: number;
}

/** What only the thread that holds a session knows of it. */
export interface SessionDetails {
  readonly id: string;
  /** Sum of difficulty. */
  readonly acceptedDifficulty: number;
  readonly acceptedShares: number;
  readonly difficulty: number;
  readonly jobCount: number;
  readonly lastSubmitAt: number | null;
  readonly userAgent: string;
  readonly versionRolling: boolean;
  /** Jobs the listener holds for this session's source: that can pay, and that are stale. */
  readonly jobs: { readonly active: number; readonly stale: number };
}

/** Counters of a server since the last batch: name → amount (contract §4). */
export type CounterDeltas = Readonly<Record<string, number>>;

export interface ListenerEvents {
  readonly type: 'events';
  readonly sessions: readonly SessionEvent[];
  readonly counters: readonly (readonly [server: string, deltas: CounterDeltas])[];
  readonly rates: readonly (readonly [group: string, deltas: readonly RateDelta[]])[];
  readonly left: readonly RememberedDifficulty[];
  /** By source: jobs that can pay, and that are stale. */
  readonly jobs: readonly { readonly active: number; readonly stale: number }[];
  /** Longest the loop of this thread was held up since the last batch, ms. */
  readonly longestTurnMs: number;
}

export type FromListener =
  | { readonly type: 'listening'; readonly ports: readonly number[] }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'solve'; readonly source: number; readonly solve: Solve }
  | { readonly type: 'variant'; readonly source: number }
  | ListenerEvents
  | {
      readonly type: 'details';
      readonly request: number;
      readonly details: SessionDetails | undefined;
    }
  | {
      readonly type: 'log';
      readonly server: string;
      readonly level: LogLevel;
      readonly text: string;
      readonly fields: LogFields;
    }
  | { readonly type: 'stopped' };

/**
 * The job with arrays of its own: a view into a larger buffer (a template of megabytes) would take the
 * whole buffer with it into every thread.
 */
export function plainJob(job: Job): Job {
  return {
    ...job,
    coinb1: own(job.coinb1),
    coinb2: own(job.coinb2),
    branch: own(job.branch),
    prevHashLE: own(job.prevHashLE),
    targetLE: own(job.targetLE),
    aux: job.aux.map((aux) => ({ ...aux, targetLE: own(aux.targetLE) })),
    notify: own(job.notify),
    notifyClean: own(job.notifyClean),
  };
}

function own(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength && bytes.constructor === Uint8Array
    ? bytes
    : Uint8Array.from(bytes);
}
