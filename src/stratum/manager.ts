/**
 * The stratum servers on the control thread: starts the listener threads, hands them every job and a
 * port to the ledger, takes their solves and events, and keeps the directory of sessions. A thread that
 * dies is replaced by one with a new index, so that its extranonces stay apart; the others notice
 * nothing. Not here: sockets and shares (listener.ts). Entry points: StratumManager, its `servers`.
 */
import { randomInt } from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import type { Clock } from '../clock.ts';
import type { StratumSettings } from '../config/schema/stratum-server.ts';
import type { Startable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { occupancyMemory } from '../net/occupancy.ts';
import type { Job, JobSource, Readiness } from '../ports.ts';
import type { Algorithm } from '../pow/algorithms.ts';
import { Directory } from './directory.ts';
import { plainJob } from './messages.ts';
import type {
  ClientCommand,
  FromListener,
  ListenerEvents,
  ServerData,
  SessionDetails,
  SourceData,
  ToListener,
} from './messages.ts';
import { RateBook } from './rates.ts';
import type { RateDelta, RateEcho } from './rates.ts';
import { ServerStatus } from './status.ts';
import { ListenerThread, StratumError } from './thread.ts';

/** One configured server. */
export interface StratumServer {
  readonly key: string;
  readonly settings: StratumSettings;
  /** Where it listens: the configured port with server_number added; 0: any free one. */
  readonly port: number;
  readonly source: JobSource;
  readonly algorithm: Algorithm;
  /** Where the algorithm is a user's own function: what loadCustom takes. */
  readonly custom?: { readonly module: string; readonly directory: string };
  /** Target of difficulty 1, as configured. */
  readonly diff1: bigint;
  /** Hashes a share of difficulty 1 stands for, as configured. */
  readonly hashesPerShare: number;
  /** For the status: whether the chain's block id is its proof-of-work hash. */
  readonly powBlockHash: boolean;
}

export interface StratumOptions {
  readonly threads: number;
  readonly extranonceServSize: 4 | 8;
  readonly extranonceSize: number;
  readonly servers: readonly StratumServer[];
  readonly ledger: { connect(): MessagePort };
  readonly log: Log;
  readonly clock: Clock;
  /** Every counter of contract §4 as it is counted, batched. */
  readonly onCount?: (server: string, counter: string, amount: number) => void;
}

const STOP_MS = 6000;
const FIRST_RESTART_MS = 200;
const LAST_RESTART_MS = 10_000;
const DETAILS_MS = 1000;

interface SourceState {
  readonly source: JobSource;
  readonly data: SourceData;
}

export class StratumManager implements Startable, Readiness {
  readonly key = 'stratum';
  readonly directory = new Directory();
  /** One status per configured server. */
  readonly servers: readonly ServerStatus[];
  readonly #options: StratumOptions;
  readonly #log: Log;
  readonly #sources: readonly SourceState[];
  readonly #serverData: ServerData[];
  readonly #rates = new Map<string, RateBook>();
  readonly #threads = new Map<number, ListenerThread>();
  readonly #unsubscribe: (() => void)[] = [];
  readonly #details = new Map<number, (details: SessionDetails | undefined) => void>();
  readonly #seed = randomInt(2 ** 31);
  readonly #threadCount: number;
  #nextThread = 0;
  #nextRequest = 0;
  #restartMs = FIRST_RESTART_MS;
  #stopping = false;
  #longestListenerTurnMs = 0;

  constructor(options: StratumOptions) {
    for (const server of options.servers) refuseUnserved(server);
    this.#options = options;
    this.#log = options.log;
    this.#threadCount = process.platform === 'linux' ? options.threads : 1;
    this.#sources = [...new Set(options.servers.map((server) => server.source))].map((source) => ({
      source,
      data: sourceData(options.servers.find((server) => server.source === source)!),
    }));
    this.servers = options.servers.map(
      (server) => new ServerStatus(server, this.directory, options.clock),
    );
    this.#serverData = options.servers.map((server) => ({
      key: server.key,
      settings: server.settings,
      port: server.port,
      source: this.#sources.findIndex(({ source }) => source === server.source),
      group: server.settings.reporter ?? '',
      occupancy: occupancyMemory(this.#threadCount),
    }));
    for (const { group } of this.#serverData) this.#rates.set(group, new RateBook());
  }

  /** Longest a listener thread's loop was held up since the last call, ms. */
  takeLongestListenerTurn(): number {
    const longest = this.#longestListenerTurnMs;
    this.#longestListenerTurnMs = 0;
    return longest;
  }

  async start(): Promise<void> {
    for (const [index, { source }] of this.#sources.entries()) {
      this.#unsubscribe.push(
        source.onJob((job) => this.#takeJob(index, job)),
        source.onRetire((jobIds) => this.#sendAll({ type: 'retire', jobIds: [...jobIds] })),
      );
    }
    const bound = await this.#startThread(0).listening();
    for (const [index, port] of bound.entries()) {
      this.#serverData[index] = { ...this.#serverData[index]!, port };
      this.servers[index]!.port = port;
    }
    const others: Promise<unknown>[] = [];
    for (let row = 1; row < this.#threadCount; row++) {
      others.push(this.#startThread(row).listening());
    }
    await Promise.all(others);
    for (const { key, port } of this.servers) {
      this.#log.info('listening', { server: key, port, threads: this.#threadCount });
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await Promise.all([...this.#threads.values()].map((thread) => thread.stop(STOP_MS)));
    this.#threads.clear();
  }

  waitingFor(): string | undefined {
    if (this.#threads.size === 0) return 'a listener thread';
    const without = this.servers.find((server) => server.port === 0);
    return without === undefined ? undefined : `${without.key} to listen`;
  }

  /** What only the session's own thread knows of it; undefined where it has gone. */
  details(id: string): Promise<SessionDetails | undefined> {
    const thread = this.#threads.get(this.directory.threadOf(id) ?? -1);
    if (thread === undefined) return Promise.resolve(undefined);
    const request = ++this.#nextRequest;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answer(request, undefined), DETAILS_MS);
      this.#details.set(request, (details) => {
        clearTimeout(timer);
        resolve(details);
      });
      thread.send({ type: 'details', request, id });
    });
  }

  /** Says something to one client, or without an id to all of a server. */
  command(server: string, command: ClientCommand, id?: string): void {
    this.#sendAll({ type: 'command', server, command, ...(id !== undefined && { id }) });
  }

  /** Accepted difficulty per minute of an address (or `address.worker`), over a reporter's servers. */
  ratePerMinute(group: string, key: string): number {
    return this.#rates.get(group)?.perMinute(key, this.#options.clock.now()) ?? 0;
  }

  // ---------------------------------------------------------------- threads

  #startThread(row: number): ListenerThread {
    const { extranonceServSize, extranonceSize, ledger } = this.#options;
    const thread = new ListenerThread(
      {
        thread: this.#nextThread++,
        row,
        seed: this.#seed,
        reusePort: this.#threadCount > 1,
        extranonce1Bytes: extranonceServSize,
        extranonce2Bytes: extranonceSize,
        sources: this.#sources.map(({ data }) => data),
        servers: this.#serverData,
        ledgerPort: ledger.connect(),
      },
      {
        onMessage: (from, message) => this.#handle(from, message),
        onDeath: (dead, reason) => this.#died(dead, reason),
      },
    );
    this.#threads.set(thread.index, thread);
    for (const [source, state] of this.#sources.entries()) {
      const job = state.source.current();
      if (job !== undefined) thread.send({ type: 'job', source, job: plainJob(job) });
    }
    return thread;
  }

  #died(thread: ListenerThread, reason: string): void {
    this.#threads.delete(thread.index);
    const lost = this.directory.dropThread(thread.index);
    if (this.#stopping || this.servers.some((server) => server.port === 0)) return;
    this.#log.error(`listener thread ${thread.index} died; another takes its place`, {
      reason,
      connections_lost: lost,
      in_ms: this.#restartMs,
    });
    setTimeout(() => this.#replace(thread.row), this.#restartMs).unref();
    this.#restartMs = Math.min(this.#restartMs * 2, LAST_RESTART_MS);
  }

  #replace(row: number): void {
    if (this.#stopping) return;
    this.#startThread(row)
      .listening()
      .then(() => {
        this.#restartMs = FIRST_RESTART_MS;
      })
      .catch(() => {});
  }

  #sendAll(message: ToListener): void {
    for (const thread of this.#threads.values()) thread.send(message);
  }

  // ---------------------------------------------------------------- what comes and goes

  #takeJob(source: number, job: Job): void {
    this.#sendAll({ type: 'job', source, job: plainJob(job) });
    for (const [index, server] of this.servers.entries()) {
      if (this.#serverData[index]!.source === source) server.noteJob(job);
    }
  }

  #handle(thread: ListenerThread, message: FromListener): void {
    switch (message.type) {
      case 'solve':
        return this.#sources[message.source]?.source.solved(message.solve);
      case 'variant':
        return this.#sources[message.source]?.source.requestVariant();
      case 'events':
        return this.#takeEvents(thread, message);
      case 'details':
        return this.#answer(message.request, message.details);
      case 'log':
        return this.#log.child(message.server)[message.level](message.text, message.fields);
      case 'listening':
      case 'failed':
      case 'stopped':
        return undefined;
    }
  }

  #takeEvents(thread: ListenerThread, events: ListenerEvents): void {
    if (this.#threads.get(thread.index) !== thread) return;
    this.directory.apply(thread.index, events.sessions);
    this.#longestListenerTurnMs = Math.max(this.#longestListenerTurnMs, events.longestTurnMs);
    for (const [key, deltas] of events.counters) {
      this.servers.find((server) => server.key === key)?.count(deltas);
      for (const [name, amount] of Object.entries(deltas)) {
        this.#options.onCount?.(key, name, amount);
      }
    }
    for (const [index, server] of this.servers.entries()) {
      server.jobs = events.jobs[this.#serverData[index]!.source] ?? server.jobs;
    }
    for (const [group, deltas] of events.rates) this.#takeRates(group, deltas);
    if (events.left.length === 0) return;
    for (const other of this.#threads.values()) {
      if (other !== thread) other.send({ type: 'difficulties', left: events.left });
    }
  }

  /** Adds what a thread reported and tells all of them what is known of those addresses now. */
  #takeRates(group: string, deltas: readonly RateDelta[]): void {
    const book = this.#rates.get(group);
    if (book === undefined) return;
    const now = this.#options.clock.now();
    const servers = this.#serverData.filter((each) => each.group === group).map(({ key }) => key);
    const echoes: RateEcho[] = [];
    for (const { key, difficulty, sinceMs } of deltas) {
      book.add(key, difficulty, now, sinceMs);
      const rate = book.rate(key, now);
      if (rate === undefined) continue;
      const dot = key.indexOf('.');
      const address = dot === -1 ? key : key.slice(0, dot);
      const worker = dot === -1 ? undefined : key.slice(dot + 1);
      const connections = this.directory.connections(servers, address, worker);
      echoes.push({ key, perMinute: rate.perMinute, minutes: rate.minutes, connections });
    }
    this.#sendAll({ type: 'rates', group, echoes });
  }

  #answer(request: number, details: SessionDetails | undefined): void {
    this.#details.get(request)?.(details);
    this.#details.delete(request);
  }
}

/** Better no port than one that is less protected than its settings say. */
function refuseUnserved({ key, settings }: StratumServer): void {
  const setting =
    settings.tls !== null
      ? 'tls'
      : settings.proxy_protocol.trusted.length > 0
        ? 'proxy_protocol'
        : '';
  if (setting === '') return;
  throw new StratumError(
    'NOT_SERVED',
    `${key}: ${setting} is set and is not served by this version; remove it, or put a proxy in front`,
  );
}

function sourceData(server: StratumServer): SourceData {
  const { custom: _, ...row } = server.algorithm;
  if (server.algorithm.custom !== undefined && server.custom === undefined) {
    throw new StratumError(
      'ALGORITHM',
      `${server.key}: algorithm ${row.name} is a function of the user's own, and its module is not given; each listener thread loads it for itself`,
    );
  }
  return { key: server.source.key, algorithm: row, custom: server.custom, diff1: server.diff1 };
}
