/**
 * What crosses between the threads of the ledger, as plain data. Listener ↔ writer thread over one
 * MessagePort each; control ↔ writer and control ↔ reader over the workers' own ports; writer ↔ reader
 * over a port of theirs. Types only.
 */
import type { MessagePort } from 'node:worker_threads';
import type { LogFields, LogLevel } from '../log.ts';
import type { BlockAnswer, BlockState, LedgerPosition, ShareSource } from '../ports.ts';
import type { BlockHeader } from './block-file.ts';
import type { RetentionOptions, StoreSettings } from './options.ts';
import type { QueryName } from './queries.ts';

// ---------------------------------------------------------------- listener ↔ writer

/** From this batch on, `ref` of this listener means this worker. */
export type WorkerBinding = readonly [ref: number, address: string, worker: string];
export type SourceBinding = readonly [ref: number, source: ShareSource];

export interface BatchMessage {
  /** Numbered 1, 2, 3 … by the listener. */
  readonly batch: number;
  /** Records of record.ts with the listener's own refs; transferred. */
  readonly records: ArrayBuffer;
  readonly workers?: readonly WorkerBinding[];
  readonly sources?: readonly SourceBinding[];
}

/** Every batch up to and including `upTo` that was not answered before. */
export interface AckMessage {
  readonly upTo: number;
  readonly ok: boolean;
}

// ---------------------------------------------------------------- control ↔ writer

export interface WriterData {
  readonly settings: StoreSettings;
  readonly retention: RetentionOptions;
  /** To the reader thread. */
  readonly readerPort: MessagePort;
}

export type BlockOperation =
  | { readonly op: 'block'; readonly header: BlockHeader; readonly source: BlockSource }
  | {
      readonly op: 'answer';
      readonly chain: string;
      readonly hashHexBE: string;
      readonly answer: BlockAnswer;
    }
  | {
      readonly op: 'value';
      readonly chain: string;
      readonly hashHexBE: string;
      readonly totalSubsidy: bigint;
    }
  | {
      readonly op: 'state';
      readonly chain: string;
      readonly hashHexBE: string;
      readonly state: BlockState;
      readonly timeMs: number;
    };

/** Where the writer finds the hex: in the block's file, or here if the file could not be written. */
export type BlockSource = { readonly file: string } | { readonly hex: Uint8Array };

/** Where a sink stands, and the end of the batch that was under way when it was last heard of. */
export interface CursorPosition extends LedgerPosition {
  readonly until?: LedgerPosition;
}

export type CursorOperation =
  /** Where `name` stands; made if it is new. */
  | { readonly op: 'open'; readonly name: string; readonly from: 'oldest' | 'newest' }
  /** Everything before `position` is taken; with `until`, the next batch ends there. */
  | {
      readonly op: 'move';
      readonly name: string;
      readonly position: LedgerPosition;
      readonly until?: LedgerPosition;
    }
  /** From now on these cursors, and no others, hold retention back. */
  | { readonly op: 'hold'; readonly names: readonly string[] }
  | { readonly op: 'drop'; readonly name: string };

export type ToWriter =
  | { readonly type: 'connect'; readonly port: MessagePort }
  | { readonly type: 'blocks'; readonly operations: readonly BlockOperation[] }
  | { readonly type: 'cursor'; readonly id: number; readonly operation: CursorOperation }
  | { readonly type: 'barrier'; readonly id: number }
  /** Closes the open minute and places the events of blocks; for sinks, before the end. */
  | { readonly type: 'flush'; readonly id: number }
  | { readonly type: 'stop' };

export type FromWriter =
  | { readonly type: 'ready'; readonly ledgerId: string }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | {
      readonly type: 'log';
      readonly level: LogLevel;
      readonly text: string;
      readonly fields: LogFields;
    }
  | { readonly type: 'status'; readonly status: WriterStatus }
  | { readonly type: 'blockSettled'; readonly chain: string; readonly hashHexBE: string }
  | {
      readonly type: 'reply';
      readonly id: number;
      readonly position?: CursorPosition;
      readonly error?: string;
    }
  | { readonly type: 'stopped' };

/** What the writer thread says of itself, at most once a second. */
export interface WriterStatus {
  /** Sequence number the next record gets. */
  readonly nextSeq: number;
  /** Since start. */
  readonly records: number;
  readonly batches: number;
  readonly failedBatches: number;
  readonly listeners: number;
  /** Unix ms since when nothing can be recorded; null while all is well. */
  readonly failingSince: number | null;
  readonly lastError: string | null;
  /** Longest commit since the last report, ms. */
  readonly slowestCommitMs: number;
  /** Minute groups that are not all in the index yet. */
  readonly minutesToIndex: number;
}

// ---------------------------------------------------------------- control ↔ reader, writer ↔ reader

export interface ReaderData {
  readonly settings: StoreSettings;
  readonly writerPort: MessagePort;
}

export type ToReader =
  /** The writer has opened the files. */
  | { readonly type: 'open' }
  | {
      readonly type: 'query';
      readonly id: number;
      readonly name: QueryName;
      readonly args: readonly unknown[];
    }
  | { readonly type: 'stop' };

export type FromReader =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | {
      readonly type: 'log';
      readonly level: LogLevel;
      readonly text: string;
      readonly fields: LogFields;
    }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly message: string }
  | { readonly type: 'stopped' };

export type WriterToReader =
  /** The writer has moved on to the file of `day`; `previous` gets no more rows. */
  | { readonly type: 'rolled'; readonly previous: string | null; readonly day: string }
  | { readonly type: 'unlink'; readonly day: string };

/** The WAL of `day` is empty: the writer may close it without a checkpoint of its own. */
export interface ReaderToWriter {
  readonly type: 'checkpointed';
  readonly day: string;
}
