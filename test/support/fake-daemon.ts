/**
 * A coin daemon on a real HTTP socket whose faults are scripted, for what a real daemon cannot be made to
 * do: hang, break off, answer garbage. It knows a tip and serves small templates for it, answers long
 * polls, and remembers what it was asked.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export type Fault =
  /** Accepts and never answers. */
  | { readonly kind: 'hang' }
  /** An HTTP status with a page that is no JSON. */
  | { readonly kind: 'status'; readonly status: number }
  /** Half of the announced body, then the connection ends. */
  | { readonly kind: 'half-body' }
  /** One byte of the body every 20 ms. */
  | { readonly kind: 'slow-body' }
  | { readonly kind: 'wrong-id' }
  | { readonly kind: 'not-json' }
  /** Bytes that are not HTTP. */
  | { readonly kind: 'not-http' }
  /** Closes the connection without an answer. */
  | { readonly kind: 'close' }
  /** A body of this many bytes. */
  | { readonly kind: 'long'; readonly bytes: number }
  /** A JSON-RPC error, with HTTP 500 as protocol 1.0 has it unless another status is given. */
  | {
      readonly kind: 'rpc';
      readonly code: number;
      readonly message: string;
      readonly status?: number;
    };

export interface Asked {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly socket: Socket;
}

interface Request {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** A block id for tests: any text makes one. */
export function fakeHash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export class FakeDaemon {
  /** Method → fault, '*' for every method; the fault stays until it is deleted. */
  readonly faults = new Map<string, Fault>();
  /** The same, for the next call only. */
  readonly nextFault = new Map<string, Fault>();
  readonly asked: Asked[] = [];
  /** Additional answers: method → result. */
  readonly results = new Map<string, unknown>();
  user = 'user';
  password = 'password';
  chain = 'main';
  height = 100;
  peers = 8;
  initialDownload = false;
  /** Long polls are answered at once with the same work, as daemons do after a restart. */
  longpollSpins = false;
  /** Method → answers, though made at once, are held back until this promise is kept. */
  readonly gates = new Map<string, Promise<void>>();
  /** Long polls do not hear of news; `answerLongpolls` tells them. */
  longpollsAreLate = false;
  /** Characters of padding in a template, to make it as long as real ones. */
  padding = 0;
  #tip = fakeHash('genesis');
  #transactions = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #longpolls: (() => void)[] = [];
  #port = 0;

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
  }

  get port(): number {
    return this.#port;
  }

  get tip(): string {
    return this.#tip;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  /** Starts, or starts again on the same port. */
  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP port');
    this.#port = address.port;
    return this;
  }

  /** The process is gone: every connection breaks, the port is closed. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** A new block: long polls are answered. */
  newTip(tip: string, height = this.height + 1): void {
    this.#tip = tip;
    this.height = height;
    if (!this.longpollsAreLate) this.answerLongpolls();
  }

  /** New transactions on the same tip, told to long polls. */
  newTransactions(): void {
    this.#transactions += 1;
    this.answerLongpolls();
  }

  count(method: string): number {
    return this.asked.filter((one) => one.method === method).length;
  }

  answerLongpolls(): void {
    for (const answer of this.#longpolls.splice(0)) answer();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Request | Request[];
    const calls = Array.isArray(body) ? body : [body];
    for (const { method, params } of calls) {
      this.asked.push({ method, params, socket: request.socket });
    }
    const expected = `Basic ${Buffer.from(`${this.user}:${this.password}`).toString('base64')}`;
    if (request.headers.authorization !== expected) {
      response.writeHead(401).end();
      return;
    }
    const fault = calls.map((call) => this.#faultOf(call.method)).find((one) => one !== undefined);
    if (fault !== undefined && fault.kind !== 'rpc') {
      this.#fail(fault, response, calls[0]?.id);
      return;
    }
    const answers = await Promise.all(calls.map((call) => this.#answer(call, fault)));
    const failed = !Array.isArray(body) && answers[0]?.error !== null;
    const status = failed ? (fault?.status ?? 500) : 200;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(Array.isArray(body) ? answers : answers[0]));
  }

  #faultOf(method: string): Fault | undefined {
    const next = this.nextFault.get(method);
    this.nextFault.delete(method);
    return next ?? this.faults.get(method) ?? this.faults.get('*');
  }

  async #answer(
    call: Request,
    fault: Fault | undefined,
  ): Promise<{ result: unknown; error: unknown; id: unknown }> {
    const { id, method, params } = call;
    if (fault?.kind === 'rpc') {
      return { result: null, error: { code: fault.code, message: fault.message }, id };
    }
    const result = await this.#resultOf(method, params);
    await this.gates.get(method);
    if (result !== undefined) return { result, error: null, id };
    return { result: null, error: { code: -32601, message: 'Method not found' }, id };
  }

  async #resultOf(method: string, params: readonly unknown[]): Promise<unknown> {
    if (this.results.has(method)) return this.results.get(method);
    switch (method) {
      case 'getbestblockhash':
        return this.#tip;
      case 'getblockchaininfo':
        return this.#chainInfo();
      case 'getnetworkinfo':
        return { version: 1, subversion: '/Fake:1/', connections: this.peers };
      case 'submitblock':
        return null;
      case 'getblocktemplate':
        return this.#template(params);
      default:
        return undefined;
    }
  }

  #chainInfo(): Record<string, unknown> {
    return {
      chain: this.chain,
      blocks: this.height,
      headers: this.height,
      bestblockhash: this.#tip,
      chainwork: this.height.toString(16).padStart(64, '0'),
      initialblockdownload: this.initialDownload,
    };
  }

  #longpollId(): string {
    return `${this.#tip}${this.#transactions}`;
  }

  async #template(params: readonly unknown[]): Promise<Record<string, unknown>> {
    const request = params[0] as { longpollid?: string } | undefined;
    if (request?.longpollid === this.#longpollId() && !this.longpollSpins) {
      await new Promise<void>((resolve) => this.#longpolls.push(resolve));
    }
    return {
      previousblockhash: this.#tip,
      height: this.height + 1,
      transactions: [{ data: 'ab'.repeat(this.padding / 2) }],
      longpollid: this.#longpollId(),
    };
  }

  #fail(fault: Exclude<Fault, { kind: 'rpc' }>, response: ServerResponse, id: unknown): void {
    const good = JSON.stringify({ result: this.#tip, error: null, id });
    const { socket } = response;
    switch (fault.kind) {
      case 'hang':
        return;
      case 'status':
        response.writeHead(fault.status).end('<html>no JSON</html>');
        return;
      case 'half-body':
        response.writeHead(200, { 'content-length': good.length });
        response.write(good.slice(0, good.length / 2), () => socket?.destroy());
        return;
      case 'slow-body':
        this.#drip(response, good);
        return;
      case 'wrong-id':
        response.end(JSON.stringify({ result: this.#tip, error: null, id: 987_654 }));
        return;
      case 'not-json':
        response.end('certainly not JSON');
        return;
      case 'not-http':
        socket?.end('SSH-2.0-dropbear\r\n');
        return;
      case 'close':
        socket?.destroy();
        return;
      case 'long':
        response.end(`{"result":"${'x'.repeat(fault.bytes)}","error":null,"id":${String(id)}}`);
    }
  }

  #drip(response: ServerResponse, text: string): void {
    response.writeHead(200, { 'content-length': text.length });
    let at = 0;
    const timer = setInterval(() => {
      if (response.destroyed || at >= text.length) clearInterval(timer);
      else response.write(text[at]);
      at += 1;
    }, 20);
  }
}
