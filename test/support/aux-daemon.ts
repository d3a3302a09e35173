/**
 * A merge-mined chain's daemon for tests: a real HTTP JSON-RPC server that keeps a chain, issues work by
 * createauxblock or getauxblock, and takes proofs by the rules of consensus (auxpow-oracle.ts), with the
 * answers that daemons in the field give. Its faults are scripted. Nothing of src/ is used. What it took
 * can be shown to another checker: `accepted`. Entry point: AuxDaemon.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { checkAuxPow } from './auxpow-oracle.ts';
import type { AuxPowClaim } from './auxpow-oracle.ts';

export interface AuxDaemonOptions {
  readonly name: string;
  readonly chainId: number;
  readonly pow: AuxPowClaim['pow'];
  /** Compact target; regtest's unless given. */
  readonly bits?: number;
  /** 'modern' is Namecoin's answer, 'dogecoin' has `target`, 'old' only hash, chainid and target. */
  readonly style?: 'modern' | 'dogecoin' | 'old';
}

export type AuxFault =
  /** Takes the call and never answers. */
  | 'hang'
  /** An answer that is not JSON. */
  | 'garbage'
  /** JSON whose result is nonsense. */
  | 'nonsense'
  /** An earlier work of this daemon instead of the present one. */
  | 'replay'
  /** false, whatever the proof is. */
  | 'false'
  /** The answer to a good call gets lost: the connection breaks instead. */
  | 'lose-answer';

export interface AuxBlock {
  readonly hash: string;
  readonly prev: string;
  readonly height: number;
  /** Smallest unit. */
  readonly value: number;
  readonly txid: string;
}

interface RpcError {
  readonly code: number;
  readonly message: string;
}

interface Request {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** Aux calls of real daemons work from about this height on. */
const FIRST_HEIGHT = 20;
const SUBSIDY = 5_000_000_000;

const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

class Refusal extends Error {
  readonly error: RpcError;

  constructor(code: number, message: string) {
    super(message);
    this.error = { code, message };
  }
}

export class AuxDaemon {
  /** Method → fault, '*' for every method; stays until it is deleted. */
  readonly faults = new Map<string, AuxFault>();
  readonly asked: string[] = [];
  /** Proofs that were taken, for another checker. */
  readonly accepted: AuxPowClaim[] = [];
  /** Why proofs were refused, in the words of consensus. */
  readonly refusals: string[] = [];
  readonly user: string = 'aux';
  readonly password: string = 'secret';
  chainId: number;
  bits: number;
  readonly #options: AuxDaemonOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #blocks = new Map<string, AuxBlock>();
  /** Best chain, from the first block. */
  #best: AuxBlock[] = [];
  /** Work that was issued and is known; its target is that of its issue. */
  readonly #works = new Map<string, AuxBlock>();
  /** By address: the work that is handed out until tip or transactions change. */
  readonly #current = new Map<string, { readonly block: AuxBlock; readonly key: string }>();
  readonly #issued: AuxBlock[] = [];
  #transactions = 0;
  #serial = 0;
  #port = 0;

  constructor(options: AuxDaemonOptions) {
    this.#options = options;
    this.chainId = options.chainId;
    this.bits = options.bits ?? 0x207fffff;
    this.#connect(this.#newBlock('', FIRST_HEIGHT));
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

  get key(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get tip(): AuxBlock {
    return this.#best[this.#best.length - 1]!;
  }

  get height(): number {
    return this.tip.height;
  }

  /** Blocks since the start. */
  get grown(): number {
    return this.#best.length - 1;
  }

  /** All of them, also those beside the best chain. */
  get blocks(): readonly AuxBlock[] {
    return [...this.#blocks.values()];
  }

  get bestHashes(): ReadonlySet<string> {
    return new Set(this.#best.map((block) => block.hash));
  }

  /** Starts, or starts again on the same port. */
  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP port');
    this.#port = address.port;
    return this;
  }

  /** The process is gone, and with it every work it has issued; the chain is on its disk. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.#works.clear();
    this.#current.clear();
  }

  /** Somebody else finds a block. */
  mineOne(): AuxBlock {
    const block = this.#newBlock(this.tip.hash, this.height + 1);
    this.#connect(block);
    return block;
  }

  /** Other transactions in the mempool: new work on the same tip. */
  newTransactions(): void {
    this.#transactions += 1;
  }

  /** Somebody else's branch, one longer, replaces the newest blocks. */
  reorganise(depth: number): void {
    const removed = this.#best.splice(-depth);
    for (let count = 0; count <= removed.length; count += 1) this.mineOne();
  }

  count(method: string): number {
    return this.asked.filter((one) => one === method).length;
  }

  #newBlock(prev: string, height: number): AuxBlock {
    this.#serial += 1;
    const { name } = this.#options;
    const hash = sha(`${name} ${prev} ${height} ${this.#serial} ${this.bits} ${this.chainId}`);
    return { hash, prev, height, value: SUBSIDY + this.#serial, txid: sha(`coinbase ${hash}`) };
  }

  #connect(block: AuxBlock): void {
    this.#blocks.set(block.hash, block);
    this.#best.push(block);
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
    const expected = `Basic ${Buffer.from(`${this.user}:${this.password}`).toString('base64')}`;
    if (request.headers.authorization !== expected) {
      response.writeHead(401).end();
      return;
    }
    for (const call of calls) this.asked.push(call.method);
    const fault = calls
      .map(({ method }) => this.faults.get(method) ?? this.faults.get('*'))
      .find((one) => one !== undefined);
    if (fault === 'hang') {
      this.asked.push('hung');
      return;
    }
    if (fault === 'garbage') {
      response.end('%PDF-1.4 certainly no JSON');
      return;
    }
    const answers = calls.map((call) => this.#answer(call, fault));
    if (fault === 'lose-answer') {
      request.socket.destroy();
      return;
    }
    const failed = !Array.isArray(body) && answers[0]?.error !== null;
    response.writeHead(failed ? 500 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(Array.isArray(body) ? answers : answers[0]));
  }

  #answer(
    { id, method, params }: Request,
    fault: AuxFault | undefined,
  ): { readonly id: unknown; readonly result: unknown; readonly error: RpcError | null } {
    try {
      if (fault === 'nonsense') return { id, result: { hash: 5, chainid: 'x' }, error: null };
      return { id, result: this.#call(method, params, fault), error: null };
    } catch (error) {
      if (error instanceof Refusal) return { id, result: null, error: error.error };
      throw error;
    }
  }

  #call(method: string, params: readonly unknown[], fault: AuxFault | undefined): unknown {
    const [first, second] = params;
    switch (method) {
      case 'getbestblockhash':
        return this.tip.hash;
      case 'getblockcount':
        return this.height;
      case 'getblockchaininfo':
        return {
          chain: 'regtest',
          blocks: this.height,
          headers: this.height,
          bestblockhash: this.tip.hash,
          chainwork: this.height.toString(16).padStart(64, '0'),
          initialblockdownload: false,
        };
      case 'getnetworkinfo':
        return { version: 1, subversion: `/${this.#options.name}:1/`, connections: 2 };
      case 'getblockhash':
        return this.#atHeight(Number(first)).hash;
      case 'getblock':
      case 'getblockheader':
        return this.#blockInfo(String(first));
      case 'gettxout':
        return this.#output(String(first), Number(second));
      case 'createauxblock':
        if (typeof first !== 'string') throw new Refusal(-1, 'createauxblock <address>');
        return this.#work(first, fault);
      case 'getauxblock':
        if (params.length === 0) return this.#work('wallet', fault);
        return this.#submit(String(first), String(second), fault);
      case 'submitauxblock':
        return this.#submit(String(first), String(second), fault);
      default:
        throw new Refusal(-32601, 'Method not found');
    }
  }

  #atHeight(height: number): AuxBlock {
    const block = this.#best.find((one) => one.height === height);
    if (block === undefined) throw new Refusal(-8, 'Block height out of range');
    return block;
  }

  #blockInfo(hash: string): unknown {
    const block = this.#blocks.get(hash);
    if (block === undefined) throw new Refusal(-5, 'Block not found');
    const isBest = this.#best.includes(block);
    return {
      hash,
      height: block.height,
      confirmations: isBest ? this.height - block.height + 1 : -1,
      previousblockhash: block.prev,
      tx: [block.txid],
    };
  }

  #output(txid: string, index: number): unknown {
    const block = this.#best.find((one) => one.txid === txid);
    return block === undefined || index !== 0 ? null : { value: block.value / 1e8 };
  }

  /** As daemons do it: work is kept until the tip has moved and new work is created. */
  #work(address: string, fault: AuxFault | undefined): unknown {
    const key = `${this.tip.hash} ${this.#transactions} ${this.chainId} ${this.bits}`;
    const known = this.#current.get(address);
    if (known?.key !== key) {
      if (known !== undefined && known.block.prev !== this.tip.hash) this.#works.clear();
      const block = this.#newBlock(this.tip.hash, this.height + 1);
      this.#works.set(block.hash, block);
      this.#current.set(address, { block, key });
      this.#issued.push(block);
    }
    const block = fault === 'replay' ? this.#issued[0]! : this.#current.get(address)!.block;
    const targetHex = `${'00'.repeat(29)}${(this.bits & 0xffffff).toString(16).padStart(6, '0')}`;
    const littleEndian = Buffer.from(targetHex, 'hex');
    littleEndian.subarray(29).reverse();
    if (this.bits >>> 24 !== 0x20) throw new Error('the test daemon knows targets of size 20 only');
    const target = littleEndian.toString('hex');
    const { hash, prev, height, value } = block;
    if (this.#options.style === 'old') return { hash, chainid: this.chainId, target };
    return {
      hash,
      chainid: this.chainId,
      previousblockhash: prev,
      coinbasevalue: value,
      bits: this.bits.toString(16),
      height,
      [this.#options.style === 'dogecoin' ? 'target' : '_target']: target,
    };
  }

  #submit(hash: string, proofHex: string, fault: AuxFault | undefined): boolean {
    const block = this.#works.get(hash);
    if (block === undefined) throw new Refusal(-8, 'block hash unknown');
    const { chainId, bits } = this;
    const { pow } = this.#options;
    const proof = Buffer.from(proofHex, 'hex');
    const claim: AuxPowClaim = { hashHexBE: hash, proof, chainId, bits, pow };
    const reason = fault === 'false' ? 'scripted' : checkAuxPow(claim);
    if (reason !== undefined) {
      this.refusals.push(reason);
      return false;
    }
    if (this.#blocks.has(hash)) return true;
    this.accepted.push(claim);
    if (block.prev === this.tip.hash) this.#connect(block);
    else this.#blocks.set(hash, block);
    return true;
  }
}
