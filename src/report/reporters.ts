/**
 * The reporters of a pool as the control thread sees them: opens their cursors, starts a thread for each
 * sink and starts it again if it dies, passes cursor moves to the ledger, keeps the status. Nothing of a
 * share passes here. Entry point: Reporters.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Startable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { StatusSource } from '../ports.ts';
import { SinkUnfit } from './errors.ts';
import type { FromSink, SinkKind, SinkStatus, SinkThreadData, ToSink } from './messages.ts';

/** The start waits so long for a back end to say that it cannot be used; one that is down may come later. */
const TRY_MS = 3000;
const RESTART_MS = 5000;

export interface ReporterOptions {
  readonly key: string;
  /** Class name of the original, for the monitor. */
  readonly className: string;
  readonly kind: SinkKind;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly servers: readonly string[];
  /** Where a sink begins that this ledger has never had. */
  readonly startFrom: 'newest' | 'oldest';
  readonly alarmMs: number;
  readonly log: Log;
}

export interface ReportersOptions {
  readonly ledger: Ledger;
  readonly ledgerPath: string;
  readonly serverName: string;
  readonly merged: Readonly<Record<string, readonly string[]>>;
  readonly algorithms: Readonly<Record<string, string>>;
  /** Keys of the chains whose blocks are not reported. */
  readonly silentChains: readonly string[];
  readonly reporters: readonly ReporterOptions[];
  /** How long a stop waits for sinks to take what is left. */
  readonly drainMs: number;
}

export class Reporters implements Startable {
  readonly key = 'reporters';
  readonly #options: ReportersOptions;
  readonly #sinks: readonly SinkThread[];

  constructor(options: ReportersOptions) {
    this.#options = options;
    this.#sinks = options.reporters.map((one) => new SinkThread(one, options));
  }

  get status(): readonly StatusSource[] {
    return this.#sinks;
  }

  /** Resolves without any back end being up; throws SinkUnfit where one says it can never work. */
  async start(): Promise<void> {
    const names = this.#options.reporters.map(({ key }) => key);
    for (const sink of this.#sinks) await sink.open();
    await this.#options.ledger.cursor({ op: 'hold', names });
    await Promise.all(this.#sinks.map((sink) => sink.start()));
  }

  async stop(): Promise<void> {
    if (this.#sinks.length === 0) return;
    await this.#options.ledger.flush();
    await Promise.all(this.#sinks.map((sink) => sink.stop(this.#options.drainMs)));
  }
}

class SinkThread implements StatusSource {
  readonly key: string;
  readonly className: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly #options: ReporterOptions;
  readonly #pool: ReportersOptions;
  #thread: Worker | undefined;
  #status: SinkStatus | undefined;
  #stopping = false;
  #restart: NodeJS.Timeout | undefined;
  #onTried: (unfit: string | undefined) => void = () => {};

  constructor(options: ReporterOptions, pool: ReportersOptions) {
    this.key = options.key;
    this.className = options.className;
    this.settings = options.settings;
    this.#options = options;
    this.#pool = pool;
  }

  status(): Record<string, unknown> {
    return this.#status ?? { state: 'connecting', queue_size: 0 };
  }

  /** Makes the cursor, so that from now on nothing is deleted that this sink has not taken. */
  async open(): Promise<void> {
    const { key, startFrom } = this.#options;
    await this.#pool.ledger.cursor({ op: 'open', name: key, from: startFrom });
  }

  async start(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const unfit = await new Promise<string | undefined>((resolve, reject) => {
      this.#onTried = resolve;
      timer = setTimeout(() => resolve(undefined), TRY_MS);
      this.#spawn().catch(reject);
    });
    clearTimeout(timer);
    if (unfit !== undefined) {
      throw new SinkUnfit('UNFIT', `reporter ${this.key}: ${unfit}`);
    }
    this.#onTried = (late) => {
      if (late !== undefined) this.#options.log.error(late);
    };
  }

  async stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const thread = this.#thread;
    if (thread === undefined) return;
    const ended = new Promise<void>((resolve) => {
      thread.on('exit', () => resolve());
      thread.on('message', (message: FromSink) => {
        if (message.type === 'stopped') resolve();
      });
    });
    const message: ToSink = { type: 'stop', drainMs };
    thread.postMessage(message);
    await ended;
    await thread.terminate();
  }

  async #spawn(): Promise<void> {
    const { ledger, ledgerPath, serverName, merged, algorithms, silentChains } = this.#pool;
    const { key, kind, settings, servers, startFrom, alarmMs } = this.#options;
    const at = await ledger.cursor({ op: 'open', name: key, from: startFrom });
    if (at === undefined || this.#stopping) return;
    const { until, ...position } = at;
    const data: SinkThreadData = {
      ...{ key, kind, settings, servers, alarmMs, ledgerPath, serverName, merged, algorithms },
      silentChains,
      ledgerId: ledger.id,
      serverNumber: ledger.status().serverNumber,
      position,
      until: until ?? null,
    };
    const file = new URL(`./thread${extname(import.meta.url)}`, import.meta.url);
    const thread = new Worker(file, { workerData: data, name: `report-${key}` });
    this.#thread = thread;
    thread.on('message', (message: FromSink) => this.#onMessage(thread, message));
    thread.on('error', (error) => {
      this.#options.log.error(`the reporter's thread failed: ${messageOf(error)}`, {
        error: error instanceof Error ? (error.stack ?? '') : '',
      });
    });
    thread.on('exit', () => {
      this.#thread = undefined;
      if (this.#stopping) return;
      this.#options.log.warn(
        `the reporter's thread ended; started again in ${RESTART_MS / 1000} s`,
      );
      this.#restart = setTimeout(() => {
        this.#spawn().catch((error: unknown) => this.#options.log.error(messageOf(error)));
      }, RESTART_MS);
    });
  }

  #onMessage(thread: Worker, message: FromSink): void {
    switch (message.type) {
      case 'log':
        this.#options.log[message.level](message.text, message.fields);
        break;
      case 'status':
        this.#status = message.status;
        break;
      case 'tried':
        this.#onTried(message.unfit);
        break;
      case 'move':
        void this.#move(thread, message);
        break;
      case 'stopped':
    }
  }

  async #move(thread: Worker, message: Extract<FromSink, { type: 'move' }>): Promise<void> {
    const { id, position, until } = message;
    let answer: ToSink = { type: 'moved', id };
    try {
      const { key: name } = this;
      const more = until === undefined ? {} : { until };
      await this.#pool.ledger.cursor({ op: 'move', name, position, ...more });
    } catch (error) {
      answer = { ...answer, error: messageOf(error) };
    }
    thread.postMessage(answer);
  }
}
