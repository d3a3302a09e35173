/**
 * Entry of the ledger's reader thread: answers queries (reader.ts), checkpoints the files the writer
 * writes (checkpoint.ts) and unlinks the days that retention has dropped, so that neither the writer nor
 * the control thread is held up by any of it.
 */
import { rmSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { PoolError, messageOf } from '../errors.ts';
import { Checkpointer } from './checkpoint.ts';
import { dayFiles, dayPath } from './day-file.ts';
import type {
  FromReader,
  ReaderData,
  ReaderToWriter,
  ToReader,
  WriterToReader,
} from './messages.ts';
import type { QueryName } from './queries.ts';
import { LedgerReader } from './reader.ts';
import { threadLog } from './thread-log.ts';

const CHECKPOINT_MS = 2000;

const { settings, writerPort } = workerData as ReaderData;

function send(message: FromReader): void {
  parentPort?.postMessage(message);
}

const log = threadLog((level, text, fields) => send({ type: 'log', level, text, fields }));

class Checkpoints {
  readonly #main = new Checkpointer(settings.path);
  #current: { day: string; checkpointer: Checkpointer } | undefined;
  readonly #left = new Map<string, Checkpointer>();
  #failing = false;

  /** The writer writes to `day` now. */
  rolled(day: string): void {
    if (this.#current?.day === day) return;
    if (this.#current !== undefined) this.#left.set(this.#current.day, this.#current.checkpointer);
    this.#current = { day, checkpointer: new Checkpointer(dayPath(settings.path, day)) };
    this.run();
  }

  run(): void {
    try {
      this.#main.run();
      this.#current?.checkpointer.run();
      for (const [day, checkpointer] of this.#left) {
        if (!checkpointer.truncate()) continue;
        const done: ReaderToWriter = { type: 'checkpointed', day };
        writerPort.postMessage(done);
        checkpointer.close();
        this.#left.delete(day);
      }
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) {
        log.error(`a checkpoint failed: ${messageOf(error)}; the write-ahead log grows meanwhile`);
      }
      this.#failing = true;
    }
  }

  close(): void {
    for (const checkpointer of this.#left.values()) checkpointer.close();
    this.#current?.checkpointer.close();
    this.#main.close();
  }
}

function answer(reader: LedgerReader, id: number, name: QueryName, args: readonly unknown[]): void {
  try {
    const query = reader[name] as (...args: readonly unknown[]) => unknown;
    send({ type: 'result', id, value: query.apply(reader, args as unknown[]) });
  } catch (error) {
    send({ type: 'error', id, message: messageOf(error) });
  }
}

function onWriter(reader: LedgerReader, checkpoints: Checkpoints, message: WriterToReader): void {
  try {
    if (message.type === 'rolled') {
      checkpoints.rolled(message.day);
      return;
    }
    reader.closeDay(message.day);
    for (const file of dayFiles(settings.path, message.day)) rmSync(file, { force: true });
    log.info(`retention: the shares of ${message.day} are deleted`);
  } catch (error) {
    log.error(`the share file of ${message.day}: ${messageOf(error)}`);
  }
}

/** Opens the files and serves until told to stop; says so if they cannot be opened. */
function open(): (() => void) | undefined {
  try {
    const reader = new LedgerReader(settings);
    const checkpoints = new Checkpoints();
    const timer = setInterval(() => checkpoints.run(), CHECKPOINT_MS);
    writerPort.on('message', (message: WriterToReader) => onWriter(reader, checkpoints, message));
    answerQuery = (id, name, args) => answer(reader, id, name, args);
    send({ type: 'ready' });
    return () => {
      clearInterval(timer);
      reader.close();
      checkpoints.close();
    };
  } catch (error) {
    const code = error instanceof PoolError ? error.code : 'IO';
    send({ type: 'failed', code, message: messageOf(error) });
    return undefined;
  }
}

let close: (() => void) | undefined;
let answerQuery = (id: number, _name: QueryName, _args: readonly unknown[]): void =>
  send({ type: 'error', id, message: 'the files are not open' });

parentPort?.on('message', (message: ToReader) => {
  switch (message.type) {
    case 'open':
      close = open();
      break;
    case 'query':
      answerQuery(message.id, message.name, message.args);
      break;
    case 'stop':
      close?.();
      send({ type: 'stopped' });
      parentPort?.close();
      writerPort.close();
  }
});
