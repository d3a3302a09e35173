/**
 * One coin daemon: JSON-RPC over keep-alive HTTP. This is the only file that imports undici. Three lanes
 * of connections, so that nothing waits behind something slow: `calls` (up to maxConnections), `longpoll`
 * (one, with a call open for minutes) and `submit`, kept warm so that a block leaves at once.
 * Not here: which daemon is used and when (group.ts). Entry point: `Daemon`.
 */
import { Readable } from 'node:stream';

import { Pool, errors } from 'undici';

import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import { Authorization } from './auth.ts';
import { callFrame, checkRawAnswer, decodeAnswer, decodeBatch, encodeCall } from './envelope.ts';
import type { Asked, Call, CallResult } from './envelope.ts';
import { DaemonError } from './error.ts';
import { singleFlightLookup } from './resolve.ts';

export { DaemonError } from './error.ts';

export interface DaemonOptions {
  /** "address:port", as the monitor names it. */
  readonly key: string;
  readonly host: string;
  readonly port: number;
  /** Both blank: no Authorization header. */
  readonly username: string;
  readonly password: string;
  /** Used instead of username and password. */
  readonly cookieFile?: string;
  /** The live daemon with the highest number serves templates. */
  readonly priority: number;
  readonly maxConnections: number;
  /** For a whole call, from the name look-up to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Endpoint of the daemon's ZMQ hashblock publisher, e.g. tcp://127.0.0.1:28332. */
  readonly zmq?: string;
  /** Longest answer taken, bytes; DEFAULT_MAX_ANSWER_BYTES unless given. */
  readonly maxAnswerBytes?: number;
}

export type Lane = 'calls' | 'submit' | 'longpoll';

export interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** 'calls' unless given ('submit' for callParts). */
  readonly lane?: Lane;
}

/** One open connection, as the monitor shows it (contract §6). */
export interface ConnectionStatus {
  /** Seconds from the last call of this lane to its answer; null before the first, and for longpoll. */
  readonly last_rtt: number | null;
  /** Unix seconds. */
  readonly connected_since: number;
}

export const DEFAULT_MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Bitcoin-like daemons close a connection that is idle for 30 s, Node's HTTP servers say 5 s in a header. */
const KEEP_ALIVE_MS = 25_000;

/** A block goes out in pieces of this size: the first one leaves while the rest is still being gathered. */
const PIECE_BYTES = 64 * 1024;

const SUBMIT_CONNECTIONS = 4;

/** A block that leaves as the pool stops must still arrive; a daemon that hangs must not hold the stop up. */
const CLOSE_SUBMIT_MS = 3000;

interface LaneState {
  readonly pool: Pool;
  readonly connectedAt: Map<unknown, number>;
  lastRttMs: number | undefined;
}

type Body = string | (() => Readable);

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** Small parts are gathered, large ones handed on as they are. */
function* pieces(parts: Iterable<Uint8Array>): Generator<Uint8Array> {
  let gathered: Uint8Array[] = [];
  let length = 0;
  let limit = 1;
  for (const part of parts) {
    gathered.push(part);
    length += part.length;
    if (length < limit) continue;
    yield gathered.length === 1 ? part : Buffer.concat(gathered, length);
    gathered = [];
    length = 0;
    limit = PIECE_BYTES;
  }
  if (length > 0) yield Buffer.concat(gathered, length);
}

/** A connection that broke without an answer on it: the daemon closed it while it was idle, most likely. */
function isBrokenConnection(error: unknown): boolean {
  if (error instanceof errors.SocketError) return true;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

export class Daemon {
  readonly key: string;
  readonly priority: number;
  readonly #options: DaemonOptions;
  readonly #clock: Clock;
  readonly #authorization: Authorization;
  readonly #lanes: Readonly<Record<Lane, LaneState>>;
  #lastId = 0;
  #warming = false;

  constructor(options: DaemonOptions, clock: Clock = systemClock) {
    this.key = options.key;
    this.priority = options.priority;
    this.#options = options;
    this.#clock = clock;
    this.#authorization = new Authorization(options.key, options);
    const lookup = singleFlightLookup(clock);
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    const origin = `http://${host}:${options.port}`;
    const lane = (connections: number): LaneState => {
      const pool = new Pool(origin, {
        connections,
        keepAliveTimeout: KEEP_ALIVE_MS,
        maxResponseSize: options.maxAnswerBytes ?? DEFAULT_MAX_ANSWER_BYTES,
        // The whole call has its own deadline; undici's, with their coarse timers, are off.
        headersTimeout: 0,
        bodyTimeout: 0,
        connect: { timeout: options.timeoutMs, lookup, noDelay: true },
      });
      const connectedAt = new Map<unknown, number>();
      pool.on('connect', (_origin, targets) => connectedAt.set(targets.at(-1), clock.now()));
      pool.on('disconnect', (_origin, targets) => connectedAt.delete(targets.at(-1)));
      return { pool, connectedAt, lastRttMs: undefined };
    };
    this.#lanes = {
      calls: lane(Math.max(1, options.maxConnections)),
      submit: lane(SUBMIT_CONNECTIONS),
      longpoll: lane(1),
    };
  }

  get zmqEndpoint(): string | undefined {
    return this.#options.zmq;
  }

  /** The result member of the answer; every failure is a DaemonError. The result is not validated. */
  async call<T = unknown>(
    method: string,
    params: readonly unknown[],
    options: CallOptions = {},
  ): Promise<T> {
    const asked = this.#ask(method);
    const answer = await this.#exchange(asked, encodeCall(asked.id, { method, params }), options);
    return decodeAnswer(asked, answer.status, answer.body) as T;
  }

  /** The whole answer as it came, for templates: known to be a success, not parsed. */
  async callRaw(
    method: string,
    params: readonly unknown[],
    options: CallOptions = {},
  ): Promise<Buffer> {
    const asked = this.#ask(method);
    const answer = await this.#exchange(asked, encodeCall(asked.id, { method, params }), options);
    checkRawAnswer(asked, answer.status, answer.body);
    return answer.body;
  }

  /**
   * Like `call`, on the warm connection; the inside of the params array is given as ASCII JSON in
   * parts that are joined without anything between them: for submitblock `"`, slices of hex, `"`.
   * The parts must not change until the promise settles.
   */
  async callParts(
    method: string,
    paramsJson: readonly Uint8Array[],
    options: CallOptions = {},
  ): Promise<unknown> {
    const asked = this.#ask(method);
    const { head, tail } = callFrame(asked.id, method);
    const parts = [head, ...paramsJson, tail];
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const body = (): Readable => Readable.from(pieces(parts), { objectMode: false });
    const answer = await this.#exchange(asked, body, { lane: 'submit', ...options }, length);
    return decodeAnswer(asked, answer.status, answer.body);
  }

  /** Several calls in one request, results in their order; a failed call is a value, not an exception. */
  async batch(calls: readonly Call[], options: CallOptions = {}): Promise<CallResult[]> {
    const asked = this.#ask(`batch of ${calls.length} calls`);
    const firstId = asked.id;
    this.#lastId += calls.length;
    const body = `[${calls.map((call, index) => encodeCall(firstId + index, call)).join(',')}]`;
    const answer = await this.#exchange(asked, body, options);
    return decodeBatch({ daemon: this.key }, calls, firstId, answer.status, answer.body);
  }

  /** Opens the submit connection, or keeps it open; call it more often than daemons close idle ones. */
  async connectionsReady(): Promise<void> {
    if (this.#warming) return;
    this.#warming = true;
    try {
      await this.call('getbestblockhash', [], { lane: 'submit' });
    } finally {
      this.#warming = false;
    }
  }

  connections(): ConnectionStatus[] {
    return Object.values(this.#lanes).flatMap((lane) =>
      [...lane.connectedAt.values()].map((since) => ({
        last_rtt: lane.lastRttMs === undefined ? null : lane.lastRttMs / 1000,
        connected_since: Math.floor(since / 1000),
      })),
    );
  }

  /** Ends every connection; calls under way fail with UNREACHABLE, but blocks get CLOSE_SUBMIT_MS. */
  async close(): Promise<void> {
    const { calls, longpoll, submit } = this.#lanes;
    const finish = (): Promise<void> | undefined =>
      submit.pool.destroyed ? undefined : submit.pool.close();
    const cutOff = setTimeout(() => void submit.pool.destroy(), CLOSE_SUBMIT_MS);
    try {
      await Promise.all([calls.pool.destroy(), longpoll.pool.destroy(), finish()]);
    } finally {
      clearTimeout(cutOff);
      await submit.pool.destroy();
    }
  }

  #ask(method: string): Asked {
    this.#lastId += 1;
    return { daemon: this.key, method, id: this.#lastId };
  }

  async #exchange(
    asked: Asked,
    body: Body,
    options: CallOptions,
    length?: number,
  ): Promise<Answer> {
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort('timeout'), timeoutMs);
    const giveUp = (): void => abort.abort('caller');
    options.signal?.addEventListener('abort', giveUp, { once: true });
    if (options.signal?.aborted === true) giveUp();
    const lane = options.lane ?? 'calls';
    try {
      let answer: Answer;
      try {
        answer = await this.#attempt(lane, body, length, abort.signal);
      } catch (error) {
        if (!isBrokenConnection(error) || abort.signal.aborted) throw error;
        answer = await this.#attempt(lane, body, length, abort.signal);
      }
      return answer;
    } catch (error) {
      throw this.#failure(asked, error, abort.signal, timeoutMs);
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', giveUp);
    }
  }

  /** One request; a second one when a cookie, read anew, may help. */
  async #attempt(
    lane: Lane,
    body: Body,
    length: number | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    const header = await this.#authorization.header();
    const answer = await this.#request(lane, header, body, length, signal);
    if (answer.status !== 401 || !this.#authorization.refused(header)) return answer;
    const renewed = await this.#authorization.header();
    return renewed === header ? answer : this.#request(lane, renewed, body, length, signal);
  }

  async #request(
    laneName: Lane,
    authorization: string,
    body: Body,
    length: number | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    const lane = this.#lanes[laneName];
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (authorization !== '') headers['authorization'] = authorization;
    if (length !== undefined) headers['content-length'] = String(length);
    const startedAt = this.#clock.monotonic();
    const response = await lane.pool.request({
      method: 'POST',
      path: '/',
      headers,
      body: typeof body === 'string' ? body : body(),
      signal,
    });
    const bytes = await response.body.bytes();
    if (laneName !== 'longpoll') lane.lastRttMs = this.#clock.monotonic() - startedAt;
    return {
      status: response.statusCode,
      body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    };
  }

  #failure(asked: Asked, error: unknown, signal: AbortSignal, timeoutMs: number): DaemonError {
    if (error instanceof DaemonError) return error;
    const where = `daemon ${asked.daemon}, ${asked.method}`;
    if (signal.aborted && signal.reason === 'caller') {
      return new DaemonError('ABORTED', `${where}: no longer wanted`);
    }
    if (signal.aborted || error instanceof errors.ConnectTimeoutError) {
      return new DaemonError(
        'TIMEOUT',
        `${where}: no complete answer within ${timeoutMs / 1000} s`,
      );
    }
    if (error instanceof errors.ResponseExceededMaxSizeError) {
      const limit = this.#options.maxAnswerBytes ?? DEFAULT_MAX_ANSWER_BYTES;
      return new DaemonError('BAD_ANSWER', `${where}: the answer is longer than ${limit} bytes`);
    }
    if (error instanceof errors.HTTPParserError) {
      return new DaemonError('BAD_ANSWER', `${where}: not an HTTP answer (${error.message})`);
    }
    // Several addresses were tried: the first failure stands for all.
    const cause: unknown = error instanceof AggregateError ? error.errors[0] : error;
    return new DaemonError('UNREACHABLE', `${where}: no connection, or it broke`, { cause });
  }
}
