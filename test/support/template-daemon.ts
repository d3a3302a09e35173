/**
 * A coin daemon for whole-pool tests whose `bits` can be chosen: a real HTTP server that serves templates
 * without transactions for a chain in memory, answers long polls, and takes blocks whose header is right
 * (parent, bits, proof of work by sha256d, merkle root over its one transaction). No real daemon lets a
 * test say how rare blocks are. Entry point: `startTemplateDaemon`.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { decodeBlock, rootOf } from './oracle.ts';

export interface TemplateDaemonOptions {
  /** Compact target of every block. */
  readonly bits: number;
  readonly port?: number;
}

interface Request {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

interface Answer {
  readonly result: unknown;
  readonly error: { readonly code: number; readonly message: string } | null;
  readonly id: unknown;
}

const FIRST_HEIGHT = 1000;

function targetOf(bits: number): bigint {
  return BigInt(bits & 0x7fffff) << BigInt(8 * ((bits >>> 24) - 3));
}

export class TemplateDaemon {
  readonly user = 'user';
  readonly password = 'template-daemon';
  readonly bits: number;
  /** Every block that was sent, in order, and what was answered. */
  readonly submitted: { readonly hash: string; readonly answer: string | null }[] = [];
  /** Hashes by height from FIRST_HEIGHT on. */
  readonly #chain = [createHash('sha256').update('genesis').digest('hex')];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #longpolls = new Set<() => void>();
  #port: number;

  constructor(options: TemplateDaemonOptions) {
    this.bits = options.bits;
    this.#port = options.port ?? 0;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.keepAliveTimeout = 600_000;
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
  }

  get port(): number {
    return this.#port;
  }

  get height(): number {
    return FIRST_HEIGHT + this.#chain.length - 1;
  }

  get tip(): string {
    return this.#chain[this.#chain.length - 1]!;
  }

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

  /** Another pool has found a block. */
  newTip(): void {
    this.#advance(createHash('sha256').update(`${this.height} ${this.tip}`).digest('hex'));
  }

  #advance(hash: string): void {
    this.#chain.push(hash);
    const waiting = [...this.#longpolls];
    this.#longpolls.clear();
    for (const answer of waiting) answer();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const credentials = Buffer.from(`${this.user}:${this.password}`).toString('base64');
    if (request.headers.authorization !== `Basic ${credentials}`) {
      response.writeHead(401).end();
      return;
    }
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Request | Request[];
    const answers = await Promise.all([body].flat().map((call) => this.#answer(call, request)));
    const text = JSON.stringify(Array.isArray(body) ? answers : answers[0]);
    response.writeHead(200, { 'content-type': 'application/json' }).end(text);
  }

  async #answer({ id, method, params }: Request, request: IncomingMessage): Promise<Answer> {
    const ok = (result: unknown): Answer => ({ result, error: null, id });
    switch (method) {
      case 'getblockchaininfo':
        return ok(this.#chainInfo());
      case 'getnetworkinfo':
        return ok({ version: 1, subversion: '/template-daemon/', connections: 1 });
      case 'getblockcount':
        return ok(this.height);
      case 'getbestblockhash':
        return ok(this.tip);
      case 'getblockhash':
        return ok(this.#chain[Number(params[0]) - FIRST_HEIGHT] ?? null);
      case 'submitblock':
        return ok(this.#submit(String(params[0])));
      case 'getblocktemplate':
        return ok(await this.#template(params[0] as { longpollid?: string } | undefined, request));
      default:
        return { result: null, error: { code: -32601, message: 'Method not found' }, id };
    }
  }

  #chainInfo(): Record<string, unknown> {
    return {
      chain: 'regtest',
      blocks: this.height,
      headers: this.height,
      bestblockhash: this.tip,
      chainwork: this.height.toString(16).padStart(64, '0'),
      initialblockdownload: false,
    };
  }

  async #template(
    asked: { longpollid?: string } | undefined,
    request: IncomingMessage,
  ): Promise<Record<string, unknown>> {
    if (asked?.longpollid === this.tip) {
      await new Promise<void>((resolve) => {
        this.#longpolls.add(resolve);
        request.socket.once('close', () => {
          this.#longpolls.delete(resolve);
          resolve();
        });
      });
    }
    const now = Math.floor(performance.timeOrigin / 1000 + performance.now() / 1000);
    return {
      capabilities: ['proposal'],
      version: 0x20000000,
      rules: ['csv', '!segwit'],
      vbavailable: {},
      vbrequired: 0,
      previousblockhash: this.tip,
      transactions: [],
      coinbaseaux: {},
      coinbasevalue: 5_000_000_000,
      longpollid: this.tip,
      target: targetOf(this.bits).toString(16).padStart(64, '0'),
      mintime: now - 3600,
      mutable: ['time', 'transactions', 'prevblock'],
      noncerange: '00000000ffffffff',
      sigoplimit: 80_000,
      sizelimit: 4_000_000,
      weightlimit: 4_000_000,
      curtime: now,
      bits: this.bits.toString(16).padStart(8, '0'),
      height: this.height + 1,
    };
  }

  #submit(hex: string): string | null {
    const block = decodeBlock(Buffer.from(hex, 'hex'));
    const answer = this.#judge(block);
    this.submitted.push({ hash: block.hash, answer });
    if (answer === null) this.#advance(block.hash);
    return answer;
  }

  #judge(block: ReturnType<typeof decodeBlock>): string | null {
    if (this.#chain.includes(block.hash)) return 'duplicate';
    if (block.prevHash !== this.tip) return 'inconclusive';
    if (block.bits !== this.bits) return 'bad-diffbits';
    if (BigInt(`0x${block.hash}`) > targetOf(this.bits)) return 'high-hash';
    const root = rootOf(block.transactions.map((tx) => tx.txid));
    return root === block.merkleRoot ? null : 'bad-txnmrklroot';
  }
}

export function startTemplateDaemon(options: TemplateDaemonOptions): Promise<TemplateDaemon> {
  return new TemplateDaemon(options).start();
}
