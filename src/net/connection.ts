/**
 * One peer on a socket: lines in, text out, both bounded. Output gathers in a string and leaves in one
 * write at the end of the turn (`EndOfTurn`); a peer that does not read is not read from either, and
 * what is broadcast skips it (`isSlow`) until it has caught up (`onDrain`).
 * No closure, timer or listener of its own per connection: the functions below are shared by all.
 * Entry point: `Connection`. What a line means is the handler's business.
 */
import type { Socket } from 'node:net';
import type { EndOfTurn } from './end-of-turn.ts';
import { LineReader } from './lines.ts';
import type { LineSink } from './lines.ts';

export interface ConnectionHandler {
  /** One line without its ending, valid only during the call. */
  onLine(buffer: Buffer, start: number, end: number): void;
  /** A line grew beyond the limit: say so if the protocol has words for it; the connection closes. */
  onLongLine(): void;
  /** Everything that was unsent has been sent; only after the connection had been slow. */
  onDrain(): void;
  /** The connection is gone; called once. */
  onClose(): void;
}

/** Bounds shared by all connections of a port. */
export interface ConnectionLimits {
  /** Longest line, without its ending. */
  readonly lineBytes: number;
  /** Unsent output beyond which a peer counts as slow. */
  readonly sendBytes: number;
  /** A handler threw, which it must not: that connection is cut off, the others live on. */
  readonly onFault: (error: unknown) => void;
}

/** A peer that does not take the last words of its connection is cut off after this time. */
const LINGER_MS = 10_000;

const PEER = Symbol('connection');

interface PeerSocket extends Socket {
  [PEER]?: Connection;
}

export class Connection implements LineSink {
  closed = false;
  readonly remoteAddress: string;
  readonly #socket: PeerSocket;
  readonly #handler: ConnectionHandler;
  readonly #limits: ConnectionLimits;
  readonly #turn: EndOfTurn;
  readonly #lines = new LineReader();
  #out = '';
  #slow = false;
  #held = false;
  #deaf = false;
  #closing = false;

  constructor(
    socket: Socket,
    makeHandler: (connection: Connection) => ConnectionHandler,
    limits: ConnectionLimits,
    turn: EndOfTurn,
  ) {
    this.#socket = socket;
    this.#limits = limits;
    this.#turn = turn;
    this.remoteAddress = socket.remoteAddress ?? '';
    this.#socket[PEER] = this;
    this.#handler = makeHandler(this);
    socket.on('data', onData);
    socket.on('drain', onDrain);
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  /** The peer has not read what was sent to it: more than `sendBytes` wait. */
  get isSlow(): boolean {
    return this.#slow;
  }

  /** Adds text (ASCII or latin1) to what leaves at the end of the turn. */
  append(text: string): void {
    if (this.closed) return;
    if (this.#out === '') this.#turn.willWrite(this);
    this.#out += text;
  }

  /** Something was appended that has not left. */
  get hasUnsent(): boolean {
    return this.#out !== '';
  }

  /** Sends what was appended, then `bytes`, now. */
  sendNow(bytes: Uint8Array): void {
    this.flush();
    if (this.closed) return;
    this.#socket.write(bytes);
    this.#noteBacklog();
  }

  /** Sends what was appended. */
  flush(): void {
    if (this.#out === '' || this.closed) return;
    const text = this.#out;
    this.#out = '';
    this.#socket.write(text, 'latin1');
    this.#noteBacklog();
  }

  /** Stops reading while the handler has enough to do; `release` undoes it. */
  hold(): void {
    this.#held = true;
    this.#socket.pause();
  }

  release(): void {
    if (!this.#held || this.#deaf) return;
    this.#held = false;
    if (!this.#slow && !this.closed) this.#socket.resume();
  }

  /** Reads no further, for good: what was read before is still answered. */
  stopReading(): void {
    this.#deaf = true;
    this.hold();
  }

  /** Sends what is pending and closes; a peer that does not read is cut off. */
  end(): void {
    if (this.closed) return;
    this.flush();
    this.#closing = true;
    if (this.#slow) {
      this.destroy();
      return;
    }
    this.#finish();
    this.#socket.setTimeout(LINGER_MS, onLinger);
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#finish();
    this.#socket.destroy();
  }

  onLine(buffer: Buffer, start: number, end: number): void {
    this.#handler.onLine(buffer, start, end);
  }

  receive(chunk: Buffer): void {
    if (this.closed) return;
    this.guard(() => {
      if (this.#lines.push(chunk, this.#limits.lineBytes, this)) return;
      this.#handler.onLongLine();
      this.end();
    });
  }

  drained(): void {
    if (!this.#slow || this.closed) return;
    this.#slow = false;
    if (!this.#held) this.#socket.resume();
    this.guard(() => this.#handler.onDrain());
  }

  /** Runs what is done for this peer alone; should it throw, this peer is cut off and nobody else. */
  guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#limits.onFault(error);
      this.destroy();
    }
  }

  gone(): void {
    this.#finish();
  }

  #finish(): void {
    if (this.closed) return;
    this.closed = true;
    this.#out = '';
    this.#lines.clear();
    this.#handler.onClose();
  }

  #noteBacklog(): void {
    if (this.#slow || this.#closing || this.#socket.writableLength <= this.#limits.sendBytes)
      return;
    this.#slow = true;
    this.#socket.pause();
  }
}

function onData(this: PeerSocket, chunk: Buffer): void {
  this[PEER]?.receive(chunk);
}

function onDrain(this: PeerSocket): void {
  this[PEER]?.drained();
}

function onLinger(this: PeerSocket): void {
  this.destroy();
}

/** A reset or broken pipe: 'close' follows and does the rest. */
function onError(this: PeerSocket): void {
  this.destroy();
}

function onClose(this: PeerSocket): void {
  this[PEER]?.gone();
}
