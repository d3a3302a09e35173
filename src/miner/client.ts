/**
 * The miner's side of a Stratum V1 connection: subscribe, configure, authorize, then work in and
 * shares out; reconnects by itself. Knows nothing of hashing (miner.ts joins the two).
 *
 * States: connecting → subscribing → authorizing → mining → (closed → waiting → connecting).
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Log } from '../log.ts';
import { parseNotify } from './work.ts';
import type { Work } from './work.ts';

export interface ClientOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly versionRolling: boolean;
  readonly log: Log;
}

export interface ClientEvents {
  /** New work, or the same with another difficulty, extranonce or mask. */
  work(work: Work, client: StratumMinerClient): void;
  /** No work until the next `work`. */
  idle(): void;
  result(accepted: boolean, reason: string | undefined): void;
}

const MAX_LINE = 4 * 1024 * 1024;
const RETRY_MS = [500, 1000, 2000, 5000, 10_000];

interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

export class StratumMinerClient {
  extranonce1: Uint8Array = new Uint8Array(0);
  extranonce2Size = 0;
  difficulty = 1;
  versionMask = 0;
  readonly #options: ClientOptions;
  readonly #events: ClientEvents;
  #socket: Socket | undefined;
  #buffer = '';
  #nextId = 10;
  #failures = 0;
  #stopped = false;
  #retry: NodeJS.Timeout | undefined;
  #work: Work | undefined;
  #pendingDifficulty = 1;

  constructor(options: ClientOptions, events: ClientEvents) {
    this.#options = options;
    this.#events = events;
  }

  start(): void {
    const { host, port, log } = this.#options;
    const socket = connect({ host, port, noDelay: true });
    this.#socket = socket;
    this.#buffer = '';
    this.#work = undefined;
    this.versionMask = 0;
    socket.setEncoding('latin1');
    socket.on('connect', () => {
      log.info('connected', { host, port });
      if (this.#options.versionRolling) {
        this.#send(1, 'mining.configure', [
          ['version-rolling'],
          { 'version-rolling.mask': '1fffe000', 'version-rolling.min-bit-count': 2 },
        ]);
      }
      this.#send(2, 'mining.subscribe', ['powerpool-miner/1']);
    });
    socket.on('data', (text: string) => this.#read(text));
    socket.on('error', (error) => log.warn('connection failed', { error: error.message }));
    socket.on('close', () => this.#closed());
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#socket?.destroy();
  }

  /** Sends a share; `versionBits` undefined where version rolling is off. */
  submit(
    jobId: string,
    extranonce2: Uint8Array,
    time: number,
    nonce: number,
    versionBits: number | undefined,
  ): void {
    const word = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
    const params = [
      this.#options.user,
      jobId,
      Buffer.from(extranonce2).toString('hex'),
      word(time),
      word(nonce),
    ];
    if (versionBits !== undefined) params.push(word(versionBits));
    this.#nextId += 1;
    this.#send(this.#nextId, 'mining.submit', params);
  }

  #send(id: number, method: string, params: readonly unknown[]): void {
    this.#socket?.write(`${JSON.stringify({ id, method, params })}\n`);
  }

  #closed(): void {
    this.#events.idle();
    if (this.#stopped) return;
    const delay = RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)]!;
    this.#failures += 1;
    this.#options.log.info('connecting again', { in_ms: delay });
    this.#retry = setTimeout(() => this.start(), delay);
  }

  #read(text: string): void {
    this.#buffer += text;
    if (this.#buffer.length > MAX_LINE) {
      this.#options.log.warn('the pool sent an endless line');
      this.#socket?.destroy();
      return;
    }
    const lines = this.#buffer.split('\n');
    this.#buffer = lines.pop()!;
    for (const line of lines) if (line.trim() !== '') this.#line(line);
  }

  #line(line: string): void {
    let message: Message;
    try {
      message = JSON.parse(line) as Message;
    } catch {
      this.#options.log.warn('the pool sent a line that is not JSON', { line: line.slice(0, 200) });
      return;
    }
    const params = Array.isArray(message.params) ? (message.params as unknown[]) : [];
    if (typeof message.method === 'string') this.#notification(message.method, params, message.id);
    else this.#answer(message);
  }

  #answer(message: Message): void {
    const { log, user, password } = this.#options;
    if (message.id === 1) {
      const extensions = message.result as Record<string, unknown> | null;
      if (extensions?.['version-rolling'] === true) {
        this.versionMask = Number.parseInt(String(extensions['version-rolling.mask']), 16) >>> 0;
      }
    } else if (message.id === 2) {
      const result = message.result;
      if (!Array.isArray(result) || typeof result[1] !== 'string') {
        log.error('the pool refused the subscription', { error: message.error });
        this.#socket?.destroy();
        return;
      }
      this.extranonce1 = Buffer.from(result[1], 'hex');
      this.extranonce2Size = Number(result[2]);
      this.#send(3, 'mining.authorize', [user, password]);
    } else if (message.id === 3) {
      if (message.result === true) {
        this.#failures = 0;
        return;
      }
      log.error('the pool refused the login', { user, error: message.error });
      this.#socket?.destroy();
    } else {
      const accepted = message.result === true;
      const error = Array.isArray(message.error) ? message.error : [];
      this.#events.result(accepted, accepted ? undefined : String(error[1] ?? 'refused'));
    }
  }

  #notification(method: string, params: readonly unknown[], id: unknown): void {
    switch (method) {
      case 'mining.set_difficulty':
        this.#pendingDifficulty = Number(params[0]);
        break;
      case 'mining.set_extranonce':
        this.extranonce1 = Buffer.from(String(params[0]), 'hex');
        this.extranonce2Size = Number(params[1]);
        break;
      case 'mining.set_version_mask':
        this.versionMask = Number.parseInt(String(params[0]), 16) >>> 0;
        break;
      case 'mining.notify':
        this.#notify(params);
        break;
      case 'client.get_version':
        this.#socket?.write(
          `${JSON.stringify({ id, result: 'powerpool-miner/1', error: null })}\n`,
        );
        break;
      case 'client.show_message':
        this.#options.log.info('message from the pool', { text: String(params[0]).slice(0, 500) });
        break;
      case 'client.reconnect':
        this.#socket?.destroy();
        break;
      default:
        this.#options.log.debug('unknown method', { method: method.slice(0, 100) });
    }
  }

  #notify(params: readonly unknown[]): void {
    const work = parseNotify(params);
    if (work === undefined) {
      this.#options.log.warn('the pool sent a job that cannot be read');
      return;
    }
    if (work.jobId === this.#work?.jobId) return;
    this.#work = work;
    this.difficulty = this.#pendingDifficulty;
    this.#events.work(work, this);
  }
}
