/**
 * A coin for the demo and for tests: a bcoin full node on regtest, in memory, in a process of its own so
 * that it cannot hold up the pool. It has a JSON-RPC port, a wallet with one address, and nothing to
 * clean up. Entry point: `startRegtestChain`.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { PoolError } from '../errors.ts';

export class ChainError extends PoolError {}

export interface ChainOptions {
  /** RPC port; a free one unless given. */
  readonly port?: number;
  /** Blocks mined to the wallet before the promise resolves; coinbases mature after 100. */
  readonly blocks?: number;
  readonly startTimeoutMs?: number;
}

export interface RegtestChain {
  readonly rpc: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
  };
  /** Bech32 address of the wallet (prefix rb). */
  readonly address: string;
  readonly pid: number;
  /** Mines blocks to the wallet; their ids in display order. */
  mine(count: number): Promise<readonly string[]>;
  /** Sends that many wallet transactions to the wallet itself, with a fee and a witness; their txids. */
  send(count: number, amountSat?: number): Promise<readonly string[]>;
  /** Called when the node ended without being asked to. */
  onExit(listener: (reason: string) => void): void;
  stop(): Promise<void>;
}

/** Environment variable with the RPC password for the child: arguments are for everybody to see. */
export const CHAIN_KEY = 'POWERPOOL_CHAIN_KEY';

/** Messages to the child, each answered under its id. */
export type ChainRequest =
  | { readonly kind: 'mine'; readonly id: number; readonly count: number }
  | {
      readonly kind: 'send';
      readonly id: number;
      readonly count: number;
      readonly amountSat: number;
    };

export type ChainReply =
  | { readonly kind: 'ready'; readonly port: number; readonly address: string }
  | { readonly kind: 'done'; readonly id: number; readonly result: readonly string[] }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };

interface Waiting {
  readonly resolve: (result: readonly string[]) => void;
  readonly reject: (error: Error) => void;
}

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 3000;
const MAX_STDERR = 4000;

/** The child and what it said last on stderr. */
class ChainProcess {
  readonly child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exitListeners: ((reason: string) => void)[] = [];
  #lastId = 0;
  #stderr = '';
  #stopping = false;
  readonly #exited: Promise<void>;

  constructor(apiKey: string, port: number) {
    // Beside this file, as source or as compiled for the package.
    const program = fileURLToPath(
      new URL(`./chain-node${extname(fileURLToPath(import.meta.url))}`, import.meta.url),
    );
    this.child = fork(program, [String(port)], {
      // bcrypto's native addons are not built (no install script runs): it takes its JavaScript.
      env: { ...process.env, NODE_BACKEND: 'js', [CHAIN_KEY]: apiKey },
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR);
    });
    this.child.on('message', (reply: ChainReply) => this.#settle(reply));
    this.#exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => {
        resolve();
        this.#ended(`bcoin ended (${signal ?? `status ${code}`}) ${this.#stderr.trim()}`);
      });
    });
  }

  ready(timeoutMs: number): Promise<Extract<ChainReply, { kind: 'ready' }>> {
    return new Promise((resolve, reject) => {
      const fail = (reason: string): void => reject(new ChainError('CHAIN', reason));
      const timer = setTimeout(() => {
        fail(`bcoin was not ready within ${timeoutMs / 1000} s ${this.#stderr.trim()}`);
      }, timeoutMs);
      this.onExit(fail);
      this.child.on('message', (reply: ChainReply) => {
        if (reply.kind !== 'ready') return;
        clearTimeout(timer);
        resolve(reply);
      });
    });
  }

  ask(
    request:
      | Omit<Extract<ChainRequest, { kind: 'mine' }>, 'id'>
      | Omit<Extract<ChainRequest, { kind: 'send' }>, 'id'>,
  ): Promise<readonly string[]> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.child.send({ ...request, id }, (error) => {
        if (error === null) return;
        this.#waiting.delete(id);
        reject(new ChainError('CHAIN', 'bcoin is not running', { cause: error }));
      });
    });
  }

  onExit(listener: (reason: string) => void): void {
    this.#exitListeners.push(listener);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    if (this.child.connected) this.child.disconnect();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  #settle(reply: ChainReply): void {
    if (reply.kind === 'ready') return;
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.kind === 'done') waiting?.resolve(reply.result);
    else waiting?.reject(new ChainError('CHAIN', `bcoin: ${reply.message}`));
  }

  #ended(reason: string): void {
    for (const waiting of this.#waiting.values()) waiting.reject(new ChainError('CHAIN', reason));
    this.#waiting.clear();
    if (this.#stopping) return;
    for (const listener of this.#exitListeners) listener(reason);
  }
}

export async function startRegtestChain(options: ChainOptions = {}): Promise<RegtestChain> {
  const password = randomBytes(16).toString('hex');
  const node = new ChainProcess(password, options.port ?? 0);
  try {
    const { port, address } = await node.ready(options.startTimeoutMs ?? START_TIMEOUT_MS);
    const mine = (count: number): Promise<readonly string[]> => node.ask({ kind: 'mine', count });
    if (options.blocks !== undefined) await mine(options.blocks);
    return {
      rpc: { host: HOST, port, user: 'bitcoinrpc', password },
      address,
      pid: node.child.pid ?? 0,
      mine,
      send: (count, amountSat = 10_000) => node.ask({ kind: 'send', count, amountSat }),
      onExit: (listener) => node.onExit(listener),
      stop: () => node.stop(),
    };
  } catch (error) {
    await node.stop();
    throw error;
  }
}
