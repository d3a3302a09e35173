/**
 * Entry of the ledger's writer thread, the only writer of the ledger (design rule 7). Everything that
 * does something is in turn.ts (shares), block-queue.ts (blocks) and store.ts (files); this file joins
 * them to the ports and says in which order things go: shares first, then one piece of idle work.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { PoolError, messageOf } from '../errors.ts';
import { BlockQueue } from './block-queue.ts';
import type {
  FromWriter,
  ReaderToWriter,
  ToWriter,
  WriterData,
  WriterToReader,
} from './messages.ts';
import { LedgerStore } from './store.ts';
import { threadLog } from './thread-log.ts';
import { Turn } from './turn.ts';

const TICK_MS = 200;
const STATUS_MS = 1000;
const EXPIRY_MS = 3_600_000;
/** At a stop, minutes that are not in the index yet get this long; the rest is done at the next start. */
const STOP_INDEX_MS = 2000;

const { settings, retention, readerPort } = workerData as WriterData;

function send(message: FromWriter): void {
  parentPort?.postMessage(message);
}

function tellReader(message: WriterToReader): void {
  readerPort.postMessage(message);
}

const log = threadLog((level, text, fields) => send({ type: 'log', level, text, fields }));

class WriterThread {
  readonly #store: LedgerStore;
  readonly #turn: Turn;
  readonly #blocks: BlockQueue;
  #timers: readonly NodeJS.Timeout[] = [];
  #idleScheduled = false;
  #failing = false;

  constructor(store: LedgerStore) {
    this.#store = store;
    this.#turn = new Turn(store, systemClock, log);
    this.#blocks = new BlockQueue(store, log, ({ chain, hashHexBE }) =>
      send({ type: 'blockSettled', chain, hashHexBE }),
    );
  }

  start(): void {
    const store = this.#store;
    this.#timers = [
      setInterval(() => this.#tick(), TICK_MS),
      setInterval(() => this.#report(), STATUS_MS),
      setInterval(() => store.expire(retention), EXPIRY_MS),
    ];
    store.expire(retention);
    readerPort.on('message', (message: ReaderToWriter) =>
      this.#attempt(() => store.releaseDay(message.day)),
    );
    parentPort?.on('message', (message: ToWriter) => this.#onMessage(message));
    this.#scheduleIdle();
    send({ type: 'ready', ledgerId: store.id });
  }

  #onMessage(message: ToWriter): void {
    switch (message.type) {
      case 'connect':
        this.#turn.connect(message.port);
        break;
      case 'blocks':
        this.#blocks.add(message.operations);
        this.#blocks.run();
        break;
      case 'cursor':
        try {
          const position = this.#store.applyCursor(message.operation);
          send({ type: 'reply', id: message.id, ...(position !== undefined && { position }) });
        } catch (error) {
          send({ type: 'reply', id: message.id, error: messageOf(error) });
        }
        break;
      case 'flush':
        this.#turn.drain();
        this.#blocks.run();
        this.#attempt(() => this.#store.finishMinutes());
        send({ type: 'reply', id: message.id });
        break;
      case 'barrier':
        send({ type: 'reply', id: message.id });
        break;
      case 'stop':
        this.#stop();
    }
  }

  #tick(): void {
    this.#attempt(() => this.#store.tick());
    this.#blocks.run();
    this.#scheduleIdle();
  }

  #report(): void {
    send({ type: 'status', status: this.#turn.status() });
  }

  /** One piece of idle work a turn of the loop, so that shares never wait for more than one. */
  #scheduleIdle(): void {
    if (this.#idleScheduled) return;
    this.#idleScheduled = true;
    setImmediate(() => {
      this.#idleScheduled = false;
      this.#attempt(() => {
        if (this.#store.idle()) this.#scheduleIdle();
      });
    });
  }

  #stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#turn.drain();
    this.#blocks.run();
    const endsAt = systemClock.monotonic() + STOP_INDEX_MS;
    this.#attempt(() => {
      this.#store.finishMinutes();
      while (this.#store.minutesToIndex > 0 && systemClock.monotonic() < endsAt) this.#store.idle();
    });
    this.#attempt(() => this.#store.close());
    this.#report();
    send({ type: 'stopped' });
    parentPort?.close();
    readerPort.close();
  }

  /** Work whose failure must not end the thread: it is tried again, and said once. */
  #attempt(work: () => void): void {
    try {
      work();
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) {
        log.error(`the ledger's slices cannot be kept up: ${messageOf(error)}; trying again`);
      }
      this.#failing = true;
    }
  }
}

try {
  const store = new LedgerStore({
    ...settings,
    clock: systemClock,
    onRolled: (day, previous) => tellReader({ type: 'rolled', day, previous }),
    onUnlink: (day) => tellReader({ type: 'unlink', day }),
    warn: (message) => log.warn(message),
  });
  const thread = new WriterThread(store);
  thread.start();
} catch (error) {
  const code = error instanceof PoolError ? error.code : 'IO';
  send({ type: 'failed', code, message: messageOf(error) });
  parentPort?.close();
  readerPort.close();
}
