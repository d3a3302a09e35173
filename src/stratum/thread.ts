/**
 * One listener thread as the control thread holds it: its worker, whether it listens, its end. A thread
 * that dies is reported with its reason; whether another takes its place is the manager's decision.
 */
import { Worker } from 'node:worker_threads';
import { PoolError } from '../errors.ts';
import type { FromListener, ListenerData, ToListener } from './messages.ts';

export class StratumError extends PoolError {}

export interface ThreadEvents {
  readonly onMessage: (thread: ListenerThread, message: FromListener) => void;
  /** It ended without being asked to. */
  readonly onDeath: (thread: ListenerThread, reason: string) => void;
}

/**
 * What a turn makes is garbage at its end: a young generation larger than a few turns' worth only adds
 * to the memory of the process, thread by thread.
 */
const YOUNG_MB = 4;

/** The compiled package holds JavaScript, the sources run as they are. */
const ENTRY = import.meta.url.endsWith('.ts') ? './listener.ts' : './listener.js';

export class ListenerThread {
  readonly index: number;
  readonly row: number;
  readonly #worker: Worker;
  readonly #listening: Promise<readonly number[]>;
  readonly #ended: Promise<void>;
  #stopping = false;

  constructor(data: ListenerData, events: ThreadEvents) {
    this.index = data.thread;
    this.row = data.row;
    this.#worker = new Worker(new URL(ENTRY, import.meta.url), {
      workerData: data,
      transferList: [data.ledgerPort],
      name: `listener-${data.thread}`,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    let reason = 'it exited';
    const { promise, resolve, reject } = Promise.withResolvers<readonly number[]>();
    this.#listening = promise;
    this.#listening.catch(() => {});
    this.#worker.on('message', (message: FromListener) => {
      if (message.type === 'listening') resolve(message.ports);
      else if (message.type === 'failed') {
        reason = message.message;
        // Its ledger port and timers would keep it running, and its start waiting.
        void this.#worker.terminate();
      } else events.onMessage(this, message);
    });
    this.#worker.on('error', (error) => {
      reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    this.#ended = new Promise((done) => {
      this.#worker.on('exit', () => {
        reject(new StratumError('LISTENER', `listener thread ${this.index}: ${reason}`));
        done();
        if (!this.#stopping) events.onDeath(this, reason);
      });
    });
  }

  /** Resolves with the port of each server once all are listened on. Throws StratumError. */
  listening(): Promise<readonly number[]> {
    return this.#listening;
  }

  send(message: ToListener): void {
    this.#worker.postMessage(message);
  }

  /** Lets it commit and answer what it has read; kills it when that takes longer than `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    this.send({ type: 'stop' });
    const timer = setTimeout(() => void this.#worker.terminate(), timeoutMs);
    await this.#ended;
    clearTimeout(timer);
  }
}
