/**
 * A miner under the test's control that keeps books: every share it sent with its hash, and what it was
 * told. It hashes with node:crypto from the wire alone, and a share can be made to solve the block or not
 * to (on regtest every other hash does). `run` keeps a window of submits unanswered; `submit` sends one.
 * Entry point: `ScriptMiner.open`.
 */
import { scryptSync } from 'node:crypto';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { minerHeader } from '../unit/jobs/notify-miner.ts';
import type { NotifyParams } from '../unit/jobs/notify-miner.ts';
import { display, doubleSha } from './oracle.ts';

export interface SentShare {
  readonly jobId: string;
  readonly header: Buffer;
  /** Block id, display order. */
  readonly blockHash: string;
  /** First 8 bytes of the proof-of-work hash as hex: what the ledger keeps of it. */
  readonly fingerprint: string;
  /** Meets the job's bits. */
  readonly solves: boolean;
  /** The params of its mining.submit. */
  readonly params: readonly string[];
  /** The same submit was sent before. */
  readonly isRepeat: boolean;
  /** What came back: true, an error code, or undefined while unanswered. */
  answer: true | number | undefined;
}

export interface MinerJob {
  readonly params: NotifyParams;
  /** performance.now() at its arrival. */
  readonly at: number;
  /** Names what the job builds on, as hex of the notify line. */
  readonly prevHash: string;
  readonly clean: boolean;
}

export interface ScriptMinerOptions {
  readonly algo?: 'sha256d' | 'scrypt';
  readonly user?: string;
}

interface Reply {
  readonly id: number | null;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: readonly [number, string, null] | null;
}

const PATIENCE_MS = 15_000;
const MAX_NONCES = 100_000;

function targetOf(bits: number): bigint {
  return BigInt(bits & 0x7fffff) << BigInt(8 * ((bits >>> 24) - 3));
}

function scrypt(header: Uint8Array): Buffer {
  return scryptSync(header, header, 32, { N: 1024, r: 1, p: 1 });
}

export class ScriptMiner {
  readonly shares: SentShare[] = [];
  readonly jobs: MinerJob[] = [];
  /** Resolves when the pool closed the connection, or it broke. */
  readonly closed: Promise<void>;
  isClosed = false;
  readonly #socket: Socket;
  readonly #hash: (header: Uint8Array) => Buffer;
  readonly #user: string;
  readonly #calls = new Map<number, (reply: Reply) => void>();
  readonly #unanswered = new Map<number, SentShare>();
  readonly #watchers = new Set<() => void>();
  #extranonce1 = '';
  #extranonce2Size = 4;
  #nextId = 1;
  #counter = 0;
  #window = 0;
  #repeatEvery = 0;
  #solves: boolean | undefined;
  #tail = '';

  private constructor(socket: Socket, options: ScriptMinerOptions) {
    this.#socket = socket;
    this.#user = options.user ?? 'donate.script';
    this.#hash = options.algo === 'scrypt' ? scrypt : doubleSha;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.once('close', () => {
      this.isClosed = true;
      this.#changed();
    });
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('error', () => {});
    socket.on('data', (text: string) => this.#read(text));
  }

  /** Connected, subscribed and authorized, with a job. */
  static async open(port: number, options: ScriptMinerOptions = {}): Promise<ScriptMiner> {
    const socket = connect({ host: '127.0.0.1', port });
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const miner = new ScriptMiner(socket, options);
    const subscribed = await miner.call('mining.subscribe', ['script/1']);
    const [, extranonce1, size] = subscribed.result as [unknown, string, number];
    miner.#extranonce1 = extranonce1;
    miner.#extranonce2Size = size;
    await miner.call('mining.authorize', [miner.#user, 'x']);
    await miner.until('a job', () => miner.jobs.length > 0);
    return miner;
  }

  get job(): MinerJob {
    return this.jobs[this.jobs.length - 1]!;
  }

  get unanswered(): number {
    return this.#unanswered.size;
  }

  get told(): readonly SentShare[] {
    return this.shares.filter(({ answer }) => answer === true);
  }

  /** Sends a request; rejects when the connection ends first. */
  async call(method: string, params: readonly unknown[]): Promise<Reply> {
    const id = this.#nextId++;
    let reply: Reply | undefined;
    this.#calls.set(id, (line) => {
      reply = line;
    });
    this.#socket.write(`${JSON.stringify({ id, method, params })}\n`);
    await this.until(`an answer to ${method}`, () => reply !== undefined || this.isClosed);
    if (reply === undefined) throw new Error(`the connection was closed before ${method}`);
    return reply;
  }

  /** Sends one share on the newest job; `solves` unset: whatever the hash is. */
  submit(solves?: boolean): SentShare {
    const share = this.#make(solves);
    this.#send(share);
    return share;
  }

  /** Sends one share and waits for its answer. */
  async share(solves?: boolean): Promise<SentShare> {
    return this.answered(this.submit(solves));
  }

  /** Sends the same submit again. */
  repeat(share: SentShare): SentShare {
    const again: SentShare = { ...share, isRepeat: true, answer: undefined };
    this.#send(again);
    return again;
  }

  async answered(share: SentShare): Promise<SentShare> {
    await this.until('an answer to a share', () => share.answer !== undefined || this.isClosed);
    return share;
  }

  /** Keeps `window` submits unanswered from now on; every `repeatEvery`-th is sent twice. */
  run(window: number, options: { repeatEvery?: number; solves?: boolean } = {}): void {
    this.#window = window;
    this.#repeatEvery = options.repeatEvery ?? 0;
    this.#solves = options.solves;
    this.#pump();
  }

  /** No new submits; resolves once all are answered or the connection is gone. */
  async pause(): Promise<void> {
    this.#window = 0;
    await this.until('all answers', () => this.#unanswered.size === 0 || this.isClosed);
  }

  /** The next job, or one that already came, of which `wants` approves. */
  async untilJob(wants: (job: MinerJob) => boolean, timeoutMs?: number): Promise<MinerJob> {
    await this.until('a job as wanted', () => this.jobs.some(wants), timeoutMs);
    return this.jobs.find(wants)!;
  }

  /** Resolves as soon as something that arrives makes `condition` true. */
  async until(what: string, condition: () => boolean, timeoutMs = PATIENCE_MS): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(check);
        reject(new Error(`not within ${timeoutMs / 1000} s: ${what}`));
      }, timeoutMs);
      const check = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#watchers.delete(check);
        resolve();
      };
      this.#watchers.add(check);
    });
  }

  async close(): Promise<void> {
    this.#window = 0;
    this.#socket.destroy();
    await this.closed;
  }

  #make(solves: boolean | undefined): SentShare {
    const { params } = this.job;
    const target = targetOf(Number.parseInt(params[6], 16));
    const extranonce2 = (this.#counter++).toString(16).padStart(this.#extranonce2Size * 2, '0');
    const header = minerHeader(params, Buffer.from(this.#extranonce1 + extranonce2, 'hex'));
    for (let nonce = 0; nonce < MAX_NONCES; nonce += 1) {
      header.writeUInt32LE(nonce, 76);
      const hash = this.#hash(header);
      const isSolution = BigInt(`0x${display(hash)}`) <= target;
      if (solves !== undefined && isSolution !== solves) continue;
      const word = nonce.toString(16).padStart(8, '0');
      return {
        jobId: params[0],
        header,
        blockHash: display(doubleSha(header)),
        fingerprint: hash.toString('hex', 0, 8),
        solves: isSolution,
        params: [this.#user, params[0], extranonce2, params[7], word],
        isRepeat: false,
        answer: undefined,
      };
    }
    throw new Error(`no nonce below ${MAX_NONCES} does it`);
  }

  #send(share: SentShare): void {
    const id = this.#nextId++;
    this.shares.push(share);
    this.#unanswered.set(id, share);
    this.#socket.write(
      `${JSON.stringify({ id, method: 'mining.submit', params: share.params })}\n`,
    );
  }

  #pump(): void {
    while (!this.isClosed && this.#unanswered.size < this.#window) {
      const share = this.submit(this.#solves);
      if (this.#repeatEvery > 0 && this.#counter % this.#repeatEvery === 0) this.repeat(share);
    }
  }

  #read(text: string): void {
    const pieces = (this.#tail + text).split('\n');
    this.#tail = pieces.pop()!;
    for (const piece of pieces) this.#line(JSON.parse(piece) as Reply);
    this.#pump();
    this.#changed();
  }

  #line(line: Reply): void {
    if (line.method === 'mining.notify') {
      const params = line.params as NotifyParams;
      this.jobs.push({
        params,
        at: performance.now(),
        prevHash: params[1],
        clean: params[8],
      });
      return;
    }
    if (line.method !== undefined || line.id === null) return;
    const share = this.#unanswered.get(line.id);
    if (share !== undefined) {
      this.#unanswered.delete(line.id);
      share.answer = line.result === true ? true : (line.error?.[0] ?? 0);
      return;
    }
    this.#calls.get(line.id)?.(line);
    this.#calls.delete(line.id);
  }

  #changed(): void {
    for (const check of this.#watchers) check();
  }
}
