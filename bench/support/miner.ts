/**
 * One miner of the load generator: handshake, the newest job, a window of submits that are always
 * outstanding, and when what came. Written for speed: a reply and a notify that everybody gets are known
 * by their bytes and not parsed. Shares are never ground: the port's difficulty has to be one that every
 * hash meets, or none. What is done with all miners together is in swarm.ts.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** A mining.notify, parsed. */
export interface Work {
  readonly jobId: string;
  readonly prevHash: string;
  readonly coinb1: string;
  readonly coinb2: string;
  readonly branch: readonly string[];
  readonly version: string;
  readonly bits: string;
  readonly ntime: string;
  readonly clean: boolean;
}

/** What miners tell whoever drives them. */
export interface MinerEvents {
  /** Subscribed, authorised, and has a job. */
  ready(miner: Miner): void;
  failed(miner: Miner, why: string): void;
  work(miner: Miner, work: Work, atMs: number): void;
  /** `tookMs`: from writing the submit to reading its reply. */
  replied(miner: Miner, accepted: boolean, tookMs: number, line: string): void;
  now(): number;
}

interface NotifyMessage {
  readonly id: unknown;
  readonly method?: string;
  readonly params?: readonly unknown[];
  readonly result?: unknown;
  readonly error?: unknown;
}

const NEWLINE = 0x0a;
const SUBSCRIBE = 'subscribe';
const AUTHORIZE = 'authorize';
/** Digits 0 to 9 are the slots of a window: ids of one digit make replies that are read by offset. */
export const MAX_WINDOW = 10;
const SLOT_AT = '{"id":'.length;
const COMMA = 0x2c;
const ACCEPTED = Buffer.from(',"result":true,"error":null}');
const BYTE_HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** The last lines that were parsed: everybody gets the same ones. */
const parsedLines: { readonly line: Buffer; readonly work: Work }[] = [];
const PARSED_KEPT = 4;

function workOf(line: Buffer): Work | undefined {
  const known = parsedLines.find((parsed) => parsed.line.equals(line));
  if (known !== undefined) return known.work;
  const message = JSON.parse(line.toString('latin1')) as NotifyMessage;
  if (message.method !== 'mining.notify') return undefined;
  const [jobId, prevHash, coinb1, coinb2, branch, version, bits, ntime, clean] =
    message.params as unknown as [...string[]] & { 4: readonly string[]; 8: boolean };
  const work = { jobId, prevHash, coinb1, coinb2, branch, version, bits, ntime, clean } as Work;
  parsedLines.unshift({ line: Buffer.from(line), work });
  parsedLines.length = Math.min(parsedLines.length, PARSED_KEPT);
  return work;
}

export class Miner {
  readonly user: string;
  extranonce1 = '';
  extranonce2Size = 0;
  latest: Work | undefined;
  /** Submits sent and not answered. */
  outstanding = 0;
  sent = 0;
  /** While it is set, every reply is followed by another submit. */
  submitting = false;
  readonly startedAt: number;
  readonly #events: MinerEvents;
  readonly #socket: Socket;
  readonly #sentAt = new Float64Array(MAX_WINDOW);
  #ready = false;
  #authorized = false;
  #tail: Buffer | undefined;
  #nonce = 0;
  /** The text of a submit up to its id's digit is always the same; from there to the nonce: */
  #middle = '';
  #next = '';

  constructor(port: number, localAddress: string | undefined, user: string, events: MinerEvents) {
    this.user = user;
    this.#events = events;
    this.startedAt = events.now();
    const from = localAddress === undefined ? {} : { localAddress };
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true, ...from });
    this.#socket.on('connect', () => {
      this.#send({ id: SUBSCRIBE, method: 'mining.subscribe', params: ['bench/1'] });
      this.#send({ id: AUTHORIZE, method: 'mining.authorize', params: [user, 'x'] });
    });
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#socket.on('error', (error) => events.failed(this, error.message));
    this.#socket.on('close', () => events.failed(this, 'closed'));
  }

  /** Sends `window` submits; each reply is followed by another while `submitting` is set. */
  start(window: number): void {
    this.submitting = true;
    for (let slot = 0; slot < window; slot++) this.#submit(slot, this.#events.now());
    this.#flush();
  }

  /** Sends a line as it is; returns when. */
  sendLine(line: string): number {
    const at = this.#events.now();
    this.#socket.write(line, 'latin1');
    return at;
  }

  close(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.on('error', () => {});
    // Without TIME_WAIT: ten thousand ports a minute would soon be all of them.
    this.#socket.resetAndDestroy();
  }

  #send(message: unknown): void {
    this.#socket.write(`${JSON.stringify(message)}\n`, 'latin1');
  }

  #submit(slot: number, atMs: number): void {
    const nonce = this.#nonce++;
    this.#next += `{"id":${slot}${this.#middle}${BYTE_HEX[nonce >>> 24]!}${BYTE_HEX[(nonce >>> 16) & 255]!}${BYTE_HEX[(nonce >>> 8) & 255]!}${BYTE_HEX[nonce & 255]!}"]}\n`;
    this.#sentAt[slot] = atMs;
    this.outstanding++;
    this.sent++;
  }

  #flush(): void {
    if (this.#next === '') return;
    this.#socket.write(this.#next, 'latin1');
    this.#next = '';
  }

  #read(chunk: Buffer): void {
    const atMs = this.#events.now();
    const bytes = this.#tail === undefined ? chunk : Buffer.concat([this.#tail, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      this.#line(bytes, start, end, atMs);
      start = end + 1;
    }
    this.#tail = start === bytes.length ? undefined : Buffer.from(bytes.subarray(start));
    this.#flush();
  }

  #line(bytes: Buffer, start: number, end: number, atMs: number): void {
    const slot = bytes[start + SLOT_AT]! - 0x30;
    const rest = start + SLOT_AT + 1;
    if (slot >= 0 && slot < MAX_WINDOW && bytes[rest] === COMMA) {
      const isAccepted = bytes.compare(ACCEPTED, 0, ACCEPTED.length, rest, end) === 0;
      this.#replied(slot, isAccepted, isAccepted ? '' : text(bytes, start, end), atMs);
      return;
    }
    const line = bytes.subarray(start, end);
    const work = line.includes('"mining.notify"') ? workOf(line) : undefined;
    if (work === undefined) this.#handle(JSON.parse(text(bytes, start, end)) as NotifyMessage);
    else this.#take(work, atMs);
  }

  #replied(slot: number, accepted: boolean, line: string, atMs: number): void {
    this.outstanding--;
    this.#events.replied(this, accepted, atMs - this.#sentAt[slot]!, line);
    if (this.submitting) this.#submit(slot, atMs);
  }

  #take(work: Work, atMs: number): void {
    this.latest = work;
    const extranonce2 = '00'.repeat(this.extranonce2Size);
    this.#middle = `,"method":"mining.submit","params":["${this.user}","${work.jobId}","${extranonce2}","${work.ntime}","`;
    this.#events.work(this, work, atMs);
    if (this.#ready || !this.#authorized) return;
    this.#ready = true;
    this.#events.ready(this);
  }

  #handle(message: NotifyMessage): void {
    if (message.id === SUBSCRIBE) {
      const [, extranonce1, size] = message.result as [unknown, string, number];
      this.extranonce1 = extranonce1;
      this.extranonce2Size = size;
    } else if (message.id === AUTHORIZE) {
      if (message.result !== true) this.#events.failed(this, 'not authorised');
      this.#authorized = true;
    } else if (message.method === undefined) {
      this.#events.failed(this, `an unexpected reply: ${JSON.stringify(message)}`);
    }
  }
}

function text(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start, end);
}
