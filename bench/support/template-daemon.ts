/**
 * Stands in for a coin daemon where a benchmark needs its moments to the microsecond: serves a synthetic
 * template, holds long polls, moves its tip when told to, and notes when the first byte of each
 * submitblock came. It is not a node: what it is sent is checked for proof of work and merkle root only,
 * and only when asked. Runs in a process of its own: daemon-process.ts.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeBlock, display, doubleSha, rootOf } from '../../test/support/oracle.ts';
import { machineMs } from './machine.ts';
import { syntheticTransaction, templateOf } from './template.ts';
import type { TemplateTransaction } from './template.ts';

export interface DaemonWishes {
  readonly transactions: number;
  /** Compact target, hex. */
  readonly bitsHex: string;
}

/** A block as it was submitted. */
export interface Submitted {
  readonly headerHex: string;
  /** When the first byte of the request was there, machineMs. */
  readonly firstByteAt: number;
}

interface Call {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

const START_HEIGHT = 100_000;
/** Transactions that change with every tip, so that the merkle branch does. */
const CHANGED = 8;
const METHOD_NOT_FOUND = -32601;
const HEADER_HEX = 160;

export function targetOf(bitsHex: string): bigint {
  const bits = Number.parseInt(bitsHex, 16);
  return BigInt(bits & 0x7fffff) << (8n * BigInt((bits >>> 24) - 3));
}

export class TemplateDaemon {
  readonly #wishes: DaemonWishes;
  readonly #server: Server;
  readonly #transactions: TemplateTransaction[];
  #height = START_HEIGHT;
  #tip = `${'00'.repeat(4)}${'5a'.repeat(28)}`;
  #longpollId = '';
  #template = Buffer.alloc(0);
  #waiting: (() => void)[] = [];
  #submitted: Submitted[] = [];
  #blocks: string[] = [];

  constructor(wishes: DaemonWishes) {
    this.#wishes = wishes;
    this.#transactions = Array.from({ length: wishes.transactions }, (_, index) =>
      syntheticTransaction(index),
    );
    this.#renew();
    this.#server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
      this.#take(request, response, machineMs());
    });
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => {
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** Moves the tip; returns the moment at which the new template was there to be asked for. */
  mine(): number {
    this.#height += 1;
    this.#tip = `${'00'.repeat(4)}${display(doubleSha(Buffer.from(this.#tip))).slice(0, 56)}`;
    this.#renew();
    const readyAt = machineMs();
    for (const answer of this.#waiting.splice(0)) answer();
    return readyAt;
  }

  /** What came since the last call. Throws where a block is wrong. */
  takeSubmitted(): readonly Submitted[] {
    const blocks = this.#blocks.splice(0);
    for (const block of blocks) this.#assertBlock(block);
    return this.#submitted.splice(0);
  }

  #renew(): void {
    for (let i = 0; i < Math.min(CHANGED, this.#transactions.length); i++) {
      const index = (this.#height * CHANGED + i) % this.#transactions.length;
      this.#transactions[index] = syntheticTransaction(index);
    }
    this.#longpollId = `${this.#tip}${this.#height}`;
    const template = templateOf({
      transactions: this.#transactions,
      previousHashHexBE: this.#tip,
      height: this.#height + 1,
      bitsHex: this.#wishes.bitsHex,
      targetHexBE: targetOf(this.#wishes.bitsHex).toString(16).padStart(64, '0'),
      time: Math.floor((performance.timeOrigin + performance.now()) / 1000),
      longpollId: this.#longpollId,
    });
    this.#template = Buffer.from(`{"result":${JSON.stringify(template)},"error":null,"id":`);
  }

  #take(request: IncomingMessage, response: ServerResponse, firstByteAt: number): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString('latin1')) as Call | readonly Call[];
      if (!('method' in body)) {
        const answers = body.map((call) => this.#answer(call, firstByteAt));
        return send(response, [Buffer.from(`[${answers.join(',')}]`)]);
      }
      if (body.method === 'getblocktemplate') return this.#serveTemplate(body, response);
      return send(response, [Buffer.from(this.#answer(body, firstByteAt))]);
    });
  }

  #serveTemplate({ id, params }: Call, response: ServerResponse): void {
    const asked = params[0] as { readonly longpollid?: string } | undefined;
    const answer = (): void =>
      send(response, [this.#template, Buffer.from(`${JSON.stringify(id)}}`)]);
    if (asked?.longpollid === this.#longpollId) this.#waiting.push(answer);
    else answer();
  }

  #answer({ id, method, params }: Call, firstByteAt: number): string {
    const result = this.#resultOf(method, params, firstByteAt);
    const error =
      result === undefined ? { code: METHOD_NOT_FOUND, message: 'Method not found' } : null;
    return JSON.stringify({ result: result ?? null, error, id });
  }

  /** undefined: there is no such method. */
  #resultOf(method: string, params: readonly unknown[], firstByteAt: number): unknown {
    switch (method) {
      case 'submitblock':
        this.#blocks.push(String(params[0]));
        this.#submitted.push({ headerHex: String(params[0]).slice(0, HEADER_HEX), firstByteAt });
        return null;
      case 'getblockcount':
        return this.#height;
      case 'getbestblockhash':
      case 'getblockhash':
        return this.#tip;
      case 'getblockchaininfo':
        return {
          chain: 'regtest',
          blocks: this.#height,
          headers: this.#height,
          bestblockhash: this.#tip,
          chainwork: this.#height.toString(16).padStart(64, '0'),
          initialblockdownload: false,
        };
      case 'getnetworkinfo':
        return { version: 250_000, subversion: '/bench/', protocolversion: 70_016, connections: 8 };
      default:
        return undefined;
    }
  }

  /** A block of this template, all transactions in it, whose header meets the target. */
  #assertBlock(hex: string): void {
    const bytes = Buffer.from(hex, 'hex');
    const { merkleRoot, transactions } = decodeBlock(bytes);
    const txids = transactions.map(({ txid }) => txid);
    const hash = BigInt(`0x${display(doubleSha(bytes.subarray(0, 80)))}`);
    if (
      hash > targetOf(this.#wishes.bitsHex) ||
      merkleRoot !== rootOf(txids) ||
      transactions.length !== this.#transactions.length + 1
    ) {
      throw new Error(`a wrong block was submitted: ${hex.slice(0, HEADER_HEX)}`);
    }
  }
}

/** In one write of the socket. */
function send(response: ServerResponse, pieces: readonly Buffer[]): void {
  const length = pieces.reduce((sum, { length: bytes }) => sum + bytes, 0);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': length });
  response.cork();
  for (const piece of pieces) response.write(piece);
  response.end();
  response.uncork();
}
