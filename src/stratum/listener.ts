/**
 * A listener thread: accepts on every configured port, holds the sessions, checks their shares where
 * they arrive and posts them to the ledger thread. The file is the worker's entry; the class is the
 * thread's composition. Jobs arrive as messages and go out at once, also between two slices of share
 * checking (`receiveMessageOnPort`). Everything with a time runs from one coarse tick.
 */
import { isMainThread, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { LedgerWriter } from '../ledger/writer.ts';
import { Acceptor } from '../net/acceptor.ts';
import { Connection } from '../net/connection.ts';
import { EndOfTurn } from '../net/end-of-turn.ts';
import { Occupancy } from '../net/occupancy.ts';
import { TimerWheel } from '../net/wheel.ts';
import type { Job, Solve } from '../ports.ts';
import type { Algorithm } from '../pow/algorithms.ts';
import { ShareChecker } from '../pow/checker.ts';
import { loadCustom } from '../pow/custom.ts';
import type { SessionEvent } from './directory.ts';
import { Extranonces } from './extranonce.ts';
import { JobBook } from './jobs.ts';
import { peerKey } from './limits.ts';
import type {
  FromListener,
  ListenerData,
  RememberedDifficulty,
  ServerData,
  SourceData,
  ToListener,
} from './messages.ts';
import { ServerPort } from './port.ts';
import type { ThreadContext } from './port.ts';
import { RateTable } from './rate-table.ts';
import { Session } from './session.ts';
import { Draft } from './share.ts';
import { RefusalTally } from './tally.ts';
import { ShareTurn } from './turn.ts';
import { Submission } from './v1/submission.ts';

const TICK_MS = 50;
const EVENTS_MS = 250;
const SECOND_MS = 1000;
/** A retarget waits so long for a job that comes anyway before it asks for one. */
const VARIANT_AFTER_MS = 1500;
/** Events that are not waited for the end of EVENTS_MS with. */
const MAX_EVENTS = 4096;
/** How long a stop waits for the ledger's last answers. */
const STOP_MS = 5000;

export class Listener implements ThreadContext {
  readonly clock: Clock;
  readonly jobs: JobBook;
  readonly turn: ShareTurn;
  readonly wheel: TimerWheel;
  readonly extranonces: Extranonces;
  readonly extranonce2Bytes: number;
  readonly ledger: LedgerWriter;
  readonly tally: RefusalTally;
  readonly submission = new Submission();
  readonly draft = new Draft();
  readonly #data: ListenerData;
  readonly #control: MessagePort;
  readonly #endOfTurn: EndOfTurn;
  readonly #ports: readonly ServerPort[];
  readonly #acceptors: Acceptor[] = [];
  readonly #rates = new Map<string, RateTable>();
  #events: SessionEvent[] = [];
  #left: RememberedDifficulty[] = [];
  /** By source: monotonic ms since when a retarget waits for a new id, -1: none does. */
  readonly #variantSince: number[];
  #ticker: NodeJS.Timeout | undefined = undefined;
  #eventsAt = 0;
  /** The monotonic second that is counted in. */
  #second = 0;
  #tickedAt = 0;
  #longestTurnMs = 0;
  #stopping = false;

  constructor(data: ListenerData, checkers: readonly ShareChecker[], control: MessagePort) {
    this.#data = data;
    this.#control = control;
    this.clock = systemClock;
    this.jobs = new JobBook(checkers);
    this.wheel = new TimerWheel(this.clock.monotonic());
    this.extranonce2Bytes = data.extranonce2Bytes;
    this.extranonces = new Extranonces(data.extranonce1Bytes, data.thread, (extranonce1) =>
      this.#isLive(extranonce1),
    );
    this.ledger = new LedgerWriter(data.ledgerPort);
    this.tally = new RefusalTally(this.ledger);
    this.turn = new ShareTurn({
      jobs: this.jobs,
      checkers,
      diff1: data.sources.map((source) => Number(source.diff1)),
      ledger: this.ledger,
      clock: this.clock,
      urgent: () => this.#drainControl(),
      schedule: () => this.#endOfTurn.schedule(),
    });
    this.#endOfTurn = new EndOfTurn(() => this.turn.work());
    this.ledger.onAck((batch, ok) => {
      this.turn.acknowledged(batch, ok);
      this.#endOfTurn.flush();
    });
    this.#variantSince = data.sources.map(() => -1);
    this.#ports = data.servers.map(
      (server) => new ServerPort(server, data.sources[server.source]!, this),
    );
    control.on('message', (message: ToListener) => this.#handle(message));
  }

  /** Listens on every port and reports where. */
  async start(): Promise<void> {
    const { servers } = this.#data;
    const bound: number[] = [];
    for (const [index, port] of this.#ports.entries()) {
      const acceptor = this.#acceptorOf(port, servers[index]!);
      this.#acceptors.push(acceptor);
      bound.push(await acceptor.listen());
    }
    this.#tickedAt = this.clock.monotonic();
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    this.#post({ type: 'listening', ports: bound });
  }

  // ---------------------------------------------------------------- ThreadContext

  event(event: SessionEvent): void {
    this.#events.push(event);
    if (this.#events.length >= MAX_EVENTS) this.#report(false);
  }

  solved(source: number, solve: Solve): void {
    this.#post({ type: 'solve', source, solve });
  }

  left(worker: RememberedDifficulty): void {
    this.#left.push(worker);
  }

  rates(group: string): RateTable {
    const known = this.#rates.get(group);
    if (known !== undefined) return known;
    const table = new RateTable();
    this.#rates.set(group, table);
    return table;
  }

  wantVariant(source: number): void {
    if (this.#variantSince[source] === -1) this.#variantSince[source] = this.clock.monotonic();
  }

  fault(server: string, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#log(server, `a connection is closed because handling its input failed: ${text}`);
  }

  // ---------------------------------------------------------------- sockets

  #acceptorOf(port: ServerPort, server: ServerData): Acceptor {
    const { limits, address } = server.settings;
    const { row, seed, reusePort } = this.#data;
    const acceptor: Acceptor = new Acceptor({
      host: address,
      port: server.port,
      reusePort,
      occupancy: new Occupancy(server.occupancy, row, seed, {
        connections: limits.connections,
        connectionsPerAddress: limits.connections_per_address,
      }),
      onSocket: (socket) => {
        const remote = socket.remoteAddress ?? '';
        const refused = port.peers.connect(peerKey(remote), this.clock.monotonic());
        if (refused !== undefined) {
          acceptor.refuse(socket, remote);
          port.count('connections_refused');
          return;
        }
        const make = (connection: Connection): Session => new Session(port, connection);
        acceptor.keep(new Connection(socket, make, port.limits, this.#endOfTurn));
      },
      onRefused: () => port.count('connections_refused'),
      onProblem: (text) => this.#log(port.key, `accepting connections: ${text}; it goes on`),
    });
    port.onGone = (connection) => acceptor.left(connection);
    return acceptor;
  }

  #isLive(extranonce1: Uint8Array): boolean {
    for (const port of this.#ports) {
      for (const session of port.sessions.values()) if (session.uses(extranonce1)) return true;
    }
    return false;
  }

  // ---------------------------------------------------------------- control thread

  /** Messages that have arrived and not been handled, without waiting for the loop to get to them. */
  #drainControl(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#control);
      if (received === undefined) return;
      this.#handle(received.message as ToListener);
    }
  }

  #handle(message: ToListener): void {
    switch (message.type) {
      case 'job':
        return this.#takeJob(message.source, message.job);
      case 'retire':
        return this.jobs.retire(message.jobIds);
      case 'rates':
        return this.#rates.get(message.group)?.hear(message.echoes);
      case 'difficulties':
        for (const left of message.left) this.#portOf(left.server)?.remember(left);
        return undefined;
      case 'command':
        return this.#portOf(message.server)?.command(message.command, message.id);
      case 'details':
        return this.#details(message.request, message.id);
      case 'stop':
        void this.#stop();
        return undefined;
    }
  }

  #takeJob(source: number, job: Job): void {
    try {
      const entry = this.jobs.add(source, job, this.clock.monotonic());
      this.#variantSince[source] = -1;
      for (const port of this.#ports) if (port.source === source) port.broadcast(entry);
    } catch (error) {
      const text = `job ${job.id} is not served: ${messageOf(error)}`;
      for (const port of this.#ports) if (port.source === source) this.#log(port.key, text);
    }
  }

  #portOf(key: string): ServerPort | undefined {
    return this.#ports.find((port) => port.key === key);
  }

  #details(request: number, id: string): void {
    const session = this.#ports
      .map((port) => port.sessions.get(id))
      .find((found) => found !== undefined);
    this.#post({ type: 'details', request, details: session?.details() });
  }

  #post(message: FromListener): void {
    this.#control.postMessage(message);
  }

  #log(server: string, text: string): void {
    this.#post({ type: 'log', server, level: 'warn', text, fields: {} });
  }

  // ---------------------------------------------------------------- time

  #tick(): void {
    const now = this.clock.monotonic();
    this.#longestTurnMs = Math.max(this.#longestTurnMs, now - this.#tickedAt - TICK_MS);
    this.#tickedAt = now;
    this.wheel.advance(now);
    const present = Math.floor(now / SECOND_MS);
    const second = present !== this.#second;
    if (second) {
      this.#second = present;
      this.tally.flush(this.clock.now());
      for (const port of this.#ports) port.unthrottle();
      this.#askForVariants(now);
    }
    if (second || now - this.#eventsAt >= EVENTS_MS) this.#report(second);
    this.#endOfTurn.flush();
  }

  #askForVariants(now: number): void {
    for (const [source, since] of this.#variantSince.entries()) {
      if (since === -1 || now - since < VARIANT_AFTER_MS) continue;
      this.#variantSince[source] = now;
      this.#post({ type: 'variant', source });
    }
  }

  /** Tells the control thread what happened; `withRates`: also what vardiff goes by. */
  #report(withRates: boolean): void {
    this.#eventsAt = this.clock.monotonic();
    for (const port of this.#ports) {
      for (const account of port.reports) this.#events.push(account.report());
      port.reports.clear();
    }
    const sessions = this.#events;
    const left = this.#left;
    this.#events = [];
    this.#left = [];
    const counters = this.#ports
      .map((port) => [port.key, port.drainCounters()] as const)
      .filter(([, deltas]) => Object.keys(deltas).length > 0);
    const rates = withRates
      ? [...this.#rates]
          .map(([group, table]) => [group, table.drain()] as const)
          .filter(([, deltas]) => deltas.length > 0)
      : [];
    const quiet = sessions.length + left.length + counters.length + rates.length === 0;
    if (quiet && !withRates) return;
    this.#post({
      type: 'events',
      sessions,
      counters,
      rates,
      left,
      jobs: this.#data.sources.map((_, source) => this.jobs.count(source)),
      longestTurnMs: this.#longestTurnMs,
    });
    this.#longestTurnMs = 0;
  }

  // ---------------------------------------------------------------- the end

  /** What was read is judged, committed and answered; then the connections are closed. */
  async #stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const acceptor of this.#acceptors) {
      acceptor.close();
      acceptor.stopReading();
    }
    const endsAt = this.clock.monotonic() + STOP_MS;
    while (!this.turn.idle && this.clock.monotonic() < endsAt) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.tally.flush(this.clock.now());
    this.#endOfTurn.flush();
    for (const acceptor of this.#acceptors) acceptor.endAll();
    clearInterval(this.#ticker);
    this.tally.flush(this.clock.now());
    this.#report(true);
    this.#endOfTurn.stop();
    this.ledger.close();
    this.#post({ type: 'stopped' });
    this.#control.close();
  }
}

/** One kernel per algorithm and thread; sources of one algorithm share it. */
async function loadCheckers(sources: readonly SourceData[]): Promise<ShareChecker[]> {
  const loaded = new Map<string, ShareChecker>();
  const checkers: ShareChecker[] = [];
  for (const { algorithm, custom } of sources) {
    let checker = loaded.get(algorithm.name);
    if (checker === undefined) {
      const row: Algorithm =
        custom === undefined
          ? algorithm
          : {
              ...(await loadCustom(algorithm.name, custom.module, custom.directory)),
              ...algorithm,
            };
      checker = ShareChecker.load(row);
      loaded.set(algorithm.name, checker);
    }
    checkers.push(checker);
  }
  return checkers;
}

if (!isMainThread && parentPort !== null) {
  const control = parentPort;
  const data = workerData as ListenerData;
  try {
    await new Listener(data, await loadCheckers(data.sources), control).start();
  } catch (error) {
    control.postMessage({ type: 'failed', message: messageOf(error) } satisfies FromListener);
    control.close();
  }
}
