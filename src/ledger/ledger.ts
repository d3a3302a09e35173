/**
 * The ledger as the pool sees it, on the control thread: takes the lock, starts the writer and the
 * reader thread, hands out ports to listener threads, asks queries and keeps the block log. Shares never
 * pass through here. Entry point: Ledger.open.
 */
import { mkdirSync } from 'node:fs';
import { dirname, extname } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort, Transferable } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import type { Startable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { BlockLog } from '../ports.ts';
import { FileBlockLog } from './block-log.ts';
import { LedgerError } from './errors.ts';
import { LedgerLock } from './lock.ts';
import type {
  CursorOperation,
  CursorPosition,
  FromReader,
  FromWriter,
  ReaderData,
  ToReader,
  ToWriter,
  WriterData,
  WriterStatus,
} from './messages.ts';
import type { LedgerOptions, StoreSettings } from './options.ts';
import type { LedgerQueries, QueryName } from './queries.ts';
import { Replies } from './replies.ts';

export interface LedgerStatus extends WriterStatus {
  readonly path: string;
  /** The ledger's own id; part of the key under which a back end keeps a cursor. */
  readonly id: string;
  readonly serverNumber: number;
}

const NO_STATUS: WriterStatus = {
  nextSeq: 0,
  records: 0,
  batches: 0,
  failedBatches: 0,
  listeners: 0,
  failingSince: null,
  lastError: null,
  slowestCommitMs: 0,
  minutesToIndex: 0,
};

const QUERIES: readonly QueryName[] = [
  'workerTotals',
  'sourceTotals',
  'minuteSeries',
  'bestShares',
  'blocks',
  'pendingBlocks',
  'unsettledBlocks',
  'recentBlockKeys',
  'batchesSince',
  'groupsSince',
  'workers',
  'sources',
  'cursor',
];

export class Ledger implements Startable {
  readonly key = 'ledger';
  readonly query: LedgerQueries;
  readonly #options: LedgerOptions;
  readonly #log: Log;
  readonly #lock: LedgerLock;
  readonly #writer: Worker;
  readonly #reader: Worker;
  readonly #writerReplies = new Replies<CursorPosition | undefined>();
  readonly #readerReplies = new Replies<unknown>();
  #blocks: FileBlockLog | undefined;
  #id = '';
  #status: WriterStatus = NO_STATUS;
  #stopping = false;
  #onDeath: (error: LedgerError) => void = () => {};

  private constructor(options: LedgerOptions, lock: LedgerLock) {
    this.#options = options;
    this.#log = options.log;
    this.#lock = lock;
    const { port1, port2 } = new MessageChannel();
    const settings = storeSettings(options);
    const { retention } = options;
    this.#writer = startThread('thread', { settings, retention, readerPort: port1 }, port1);
    this.#reader = startThread('reader-thread', { settings, writerPort: port2 }, port2);
    this.query = this.#queries();
  }

  /**
   * Opens or creates the ledger and starts its threads. Throws LedgerError: LOCKED, CORRUPT, FOREIGN,
   * VERSION or IO, with what to do about it.
   */
  static async open(options: LedgerOptions): Promise<Ledger> {
    mkdirSync(dirname(options.path), { recursive: true });
    const lock = new LedgerLock(options.path);
    const ledger = new Ledger(options, lock);
    try {
      await ledger.#startThreads();
      ledger.#blocks = await FileBlockLog.open({
        directory: `${options.path}.blocks`,
        clock: options.clock ?? systemClock,
        log: options.log,
        query: ledger.query,
        post: (operations) => ledger.#toWriter({ type: 'blocks', operations }),
        barrier: async () => {
          await ledger.#ask((id) => ({ type: 'barrier', id }));
        },
      });
      return ledger;
    } catch (error) {
      ledger.#stopping = true;
      await Promise.all([ledger.#writer.terminate(), ledger.#reader.terminate()]);
      lock.release();
      throw error;
    }
  }

  /** Nothing: open() has done it, so that listeners can be given their ports before they start. */
  start(): Promise<void> {
    return Promise.resolve();
  }

  /** A port for one LedgerWriter; transfer it to the listener's thread. */
  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#toWriter({ type: 'connect', port: port1 }, [port1]);
    return port2;
  }

  get blocks(): BlockLog {
    if (this.#blocks === undefined) throw new LedgerError('CLOSED', 'ledger: it is not open');
    return this.#blocks;
  }

  /** The ledger's own id; part of the key under which a back end keeps a cursor. */
  get id(): string {
    return this.#id;
  }

  /** Opens, moves or drops a sink's cursor; resolves, with where it then stands, once that is on disk. */
  cursor(operation: CursorOperation): Promise<CursorPosition | undefined> {
    return this.#ask((id) => ({ type: 'cursor', id, operation }));
  }

  /** Closes the open minute, so that sinks can take everything up to now. */
  async flush(): Promise<void> {
    await this.#ask((id) => ({ type: 'flush', id }));
  }

  /** As of the last second. */
  status(): LedgerStatus {
    const { path, serverNumber } = this.#options;
    return { path, id: this.#id, serverNumber, ...this.#status };
  }

  /** Called if a ledger thread dies: nothing can be recorded any more, the pool has to end. */
  onDeath(listener: (error: LedgerError) => void): void {
    this.#onDeath = listener;
  }

  /** Commits what listeners have posted, writes the open minute and closes the files. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    await stopThread(this.#writer, { type: 'stop' });
    await stopThread(this.#reader, { type: 'stop' });
    const closed = new LedgerError('CLOSED', 'ledger: it was stopped');
    this.#writerReplies.failAll(closed);
    this.#readerReplies.failAll(closed);
    this.#lock.release();
  }

  async #startThreads(): Promise<void> {
    this.#id = await new Promise<string>((resolve, reject) => {
      this.#writer.on('message', (message: FromWriter) => {
        if (message.type === 'ready') resolve(message.ledgerId);
        else if (message.type === 'failed') reject(new LedgerError(message.code, message.message));
        else this.#fromWriter(message);
      });
      this.#watch(this.#writer, 'writer', reject);
    });
    await new Promise<void>((resolve, reject) => {
      this.#reader.on('message', (message: FromReader) => {
        if (message.type === 'ready') resolve();
        else if (message.type === 'failed') reject(new LedgerError(message.code, message.message));
        else this.#fromReader(message);
      });
      this.#watch(this.#reader, 'reader', reject);
      this.#toReader({ type: 'open' });
    });
  }

  #watch(worker: Worker, name: string, reject: (error: LedgerError) => void): void {
    let cause: unknown;
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', () => {
      const error = new LedgerError('CLOSED', `ledger: the ${name} thread has ended`, { cause });
      reject(error);
      this.#writerReplies.failAll(error);
      this.#readerReplies.failAll(error);
      if (this.#stopping) return;
      this.#log.error(`the ledger's ${name} thread died; shares cannot be recorded`, {
        error: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
      });
      this.#onDeath(error);
    });
  }

  #fromWriter(message: FromWriter): void {
    switch (message.type) {
      case 'log':
        this.#log[message.level](message.text, message.fields);
        break;
      case 'status':
        this.#status = message.status;
        break;
      case 'blockSettled':
        this.#blocks?.stored(message);
        break;
      case 'reply':
        if (message.error === undefined) this.#writerReplies.resolve(message.id, message.position);
        else
          this.#writerReplies.reject(message.id, new LedgerError('IO', `ledger: ${message.error}`));
    }
  }

  #fromReader(message: FromReader): void {
    switch (message.type) {
      case 'log':
        this.#log[message.level](message.text, message.fields);
        break;
      case 'result':
        this.#readerReplies.resolve(message.id, message.value);
        break;
      case 'error':
        this.#readerReplies.reject(
          message.id,
          new LedgerError('IO', `ledger: a query failed: ${message.message}`),
        );
    }
  }

  #toWriter(message: ToWriter, transfer: readonly Transferable[] = []): void {
    this.#writer.postMessage(message, transfer);
  }

  #toReader(message: ToReader): void {
    this.#reader.postMessage(message);
  }

  #ask(make: (id: number) => ToWriter): Promise<CursorPosition | undefined> {
    if (this.#stopping) return Promise.reject(new LedgerError('CLOSED', 'ledger: it was stopped'));
    return this.#writerReplies.wait((id) => this.#toWriter(make(id)));
  }

  #queries(): LedgerQueries {
    const ask = (name: QueryName, args: readonly unknown[]): Promise<unknown> =>
      this.#stopping
        ? Promise.reject(new LedgerError('CLOSED', 'ledger: it was stopped'))
        : this.#readerReplies.wait((id) => this.#toReader({ type: 'query', id, name, args }));
    return Object.fromEntries(
      QUERIES.map((name) => [name, (...args: readonly unknown[]) => ask(name, args)]),
    ) as unknown as LedgerQueries;
  }
}

function storeSettings(options: LedgerOptions): StoreSettings {
  const { path, synchronous, serverNumber, maxShareFileBytes, minuteMs } = options;
  return {
    path,
    synchronous,
    serverNumber,
    ...(maxShareFileBytes !== undefined && { maxShareFileBytes }),
    ...(minuteMs !== undefined && { minuteMs }),
  };
}

/** The threads' entries stand beside this file, as source or built. */
function startThread(name: string, data: WriterData | ReaderData, port: MessagePort): Worker {
  const file = new URL(`./${name}${extname(import.meta.url)}`, import.meta.url);
  return new Worker(file, { workerData: data, transferList: [port], name: `ledger-${name}` });
}

async function stopThread(worker: Worker, message: { readonly type: 'stop' }): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    worker.on('message', (answer: FromWriter | FromReader) => {
      if (answer.type === 'stopped') resolve();
    });
    worker.on('exit', () => resolve());
  });
  worker.postMessage(message);
  await ended;
  await worker.terminate();
}
