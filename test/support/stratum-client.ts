/**
 * A scriptable miner's end of a Stratum connection: sends raw lines, keeps everything that arrives in
 * order, and lets a test wait for what it expects. It knows the wire only, no line of src/.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface Line {
  readonly id?: number | string | null;
  readonly method?: string;
  readonly params?: readonly unknown[];
  readonly result?: unknown;
  readonly error?: readonly [number, string, null] | null;
}

interface Waiter {
  readonly wants: (line: Line) => boolean;
  readonly resolve: (line: Line) => void;
  readonly fail: (why: string) => void;
}

const PATIENCE_MS = 5000;

export class StratumClient {
  /** Everything that came, oldest first. */
  readonly lines: Line[] = [];
  readonly socket: Socket;
  extranonce1 = '';
  extranonce2Size = 0;
  sessionId = '';
  #tail = '';
  #taken = 0;
  #waiters: Waiter[] = [];
  #nextId = 100;
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.once('close', () => {
      for (const waiter of this.#waiters) waiter.fail('the connection was closed');
    });
    socket.setNoDelay(true);
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('data', (text: string) => this.#read(text));
  }

  /** `from`: another loopback address (127.0.0.2 …) for a peer of its own. */
  static async open(port: number, from = '127.0.0.1'): Promise<StratumClient> {
    const socket = connect({ host: '127.0.0.1', port, localAddress: from });
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new StratumClient(socket);
  }

  /** Connected, subscribed, authorized. */
  static async miner(port: number, user = 'donate.w1', password = 'x'): Promise<StratumClient> {
    const client = await StratumClient.open(port);
    await client.subscribe();
    await client.call('mining.authorize', [user, password]);
    return client;
  }

  send(text: string): void {
    this.socket.write(text);
  }

  say(message: unknown): void {
    this.send(`${JSON.stringify(message)}\n`);
  }

  /** Sends a request with an id of its own and resolves with the reply. */
  call(method: string, params: readonly unknown[], id: unknown = this.#nextId++): Promise<Line> {
    const reply = this.next((line) => line.method === undefined && line.id === id);
    this.say({ id, method, params });
    return reply;
  }

  async subscribe(agent = 'test/1'): Promise<Line> {
    const reply = await this.call('mining.subscribe', [agent]);
    const [subscriptions, extranonce1, size] = reply.result as [string[][], string, number];
    this.sessionId = subscriptions[1]![1]!;
    this.extranonce1 = extranonce1;
    this.extranonce2Size = size;
    return reply;
  }

  submit(fields: readonly unknown[], id?: unknown): Promise<Line> {
    return this.call('mining.submit', fields, id);
  }

  /** The next line, not looked at before, that `wants` likes; those before it are passed over. */
  next(wants: (line: Line) => boolean): Promise<Line> {
    while (this.#taken < this.lines.length) {
      const line = this.lines[this.#taken++]!;
      if (wants(line)) return Promise.resolve(line);
    }
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        clearTimeout(timer);
        const seen = this.lines.slice(-5).map((line) => JSON.stringify(line));
        reject(new Error(`${why}; wanted ${String(wants)}; last: ${seen.join(' ')}`));
      };
      const timer = setTimeout(() => fail('nothing like it came'), PATIENCE_MS);
      this.#waiters.push({
        wants,
        fail,
        resolve: (line) => {
          clearTimeout(timer);
          resolve(line);
        },
      });
    });
  }

  notify(): Promise<Line> {
    return this.next((line) => line.method === 'mining.notify');
  }

  method(name: string): Promise<Line> {
    return this.next((line) => line.method === name);
  }

  count(method: string): number {
    return this.lines.filter((line) => line.method === method).length;
  }

  async close(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  #read(text: string): void {
    const pieces = (this.#tail + text).split('\n');
    this.#tail = pieces.pop()!;
    for (const piece of pieces) this.#take(JSON.parse(piece) as Line);
  }

  #take(line: Line): void {
    this.lines.push(line);
    const waiter = this.#waiters.find((each) => each.wants(line));
    if (waiter === undefined) return;
    this.#waiters = this.#waiters.filter((each) => each !== waiter);
    this.#taken = this.lines.length;
    waiter.resolve(line);
  }
}
