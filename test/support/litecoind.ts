/**
 * Litecoin Core on regtest (scrypt, segwit, MWEB). It serves templates only with a peer and a tip that
 * counts as recent, so `startLitecoinPair` starts two that are connected. Debian's build has no ZMQ.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { bech32 } from '@scure/base';

import { freePort } from './ports.ts';
import { removeFolder, rpcCall, startServer, temporaryFolder } from './servers.ts';
import type { Server } from './servers.ts';

export interface LitecoindOptions {
  /** Connect to this one. */
  readonly peer?: Litecoind;
  /** No user and password: the daemon writes a cookie file. */
  readonly cookie?: boolean;
  /** Folder of an earlier run, for a restart; kept by stop() if given. */
  readonly folder?: string;
  /** Ports of an earlier run. */
  readonly rpcPort?: number;
  readonly p2pPort?: number;
  readonly args?: readonly string[];
}

const USER = 'litecoinrpc';
const PASSWORD = 'litecoin-test';

export class Litecoind {
  readonly host = '127.0.0.1';
  readonly folder: string;
  readonly rpcPort: number;
  readonly p2pPort: number;
  readonly user: string;
  readonly password: string;
  readonly cookieFile: string;
  readonly #usesCookie: boolean;
  readonly #keepFolder: boolean;
  #server: Server | undefined;

  constructor(options: LitecoindOptions, rpcPort: number, p2pPort: number) {
    this.folder = options.folder ?? temporaryFolder('litecoind');
    this.#keepFolder = options.folder !== undefined;
    this.#usesCookie = options.cookie === true;
    this.user = this.#usesCookie ? '' : USER;
    this.password = this.#usesCookie ? '' : PASSWORD;
    this.rpcPort = rpcPort;
    this.p2pPort = p2pPort;
    this.cookieFile = join(this.folder, 'regtest', '.cookie');
  }

  get pid(): number {
    return this.#server?.pid ?? 0;
  }

  async start(options: LitecoindOptions): Promise<void> {
    const credentials = this.#usesCookie
      ? []
      : [`-rpcuser=${this.user}`, `-rpcpassword=${this.password}`];
    const peer = options.peer === undefined ? [] : [`-addnode=127.0.0.1:${options.peer.p2pPort}`];
    this.#server = await startServer({
      command: 'litecoind',
      install: 'apt-get install -y litecoind',
      args: [
        '-regtest',
        `-datadir=${this.folder}`,
        `-rpcport=${this.rpcPort}`,
        `-bind=127.0.0.1:${this.p2pPort}`,
        '-rpcbind=127.0.0.1',
        '-rpcallowip=127.0.0.1',
        '-server',
        '-listen',
        '-dnsseed=0',
        '-discover=0',
        '-listenonion=0',
        '-fallbackfee=0.001',
        '-maxtipage=2000000000',
        '-printtoconsole=0',
        ...credentials,
        ...peer,
        ...(options.args ?? []),
      ],
      isReady: async () => typeof (await this.cli('getblockcount')) === 'number',
    });
  }

  cli(method: string, params: readonly unknown[] = []): Promise<unknown> {
    const authorization = this.#usesCookie
      ? readFileSync(this.cookieFile, 'utf8').trim()
      : `${this.user}:${this.password}`;
    return rpcCall(this.rpcPort, authorization, method, params);
  }

  /** Mines blocks to an address of nobody; their ids. */
  async mine(count: number, address?: string): Promise<string[]> {
    return (await this.cli('generatetoaddress', [count, address ?? BURN])) as string[];
  }

  async peers(): Promise<number> {
    return (await this.cli('getconnectioncount')) as number;
  }

  /** An orderly end where the folder is kept; it takes seconds, so a folder that goes is not closed. */
  async stop(): Promise<void> {
    if (this.#keepFolder) {
      await this.#server?.stop();
      return;
    }
    await this.#server?.kill();
    removeFolder(this.folder);
  }

  /** As a crash; the folder stays for a restart. */
  async kill(): Promise<void> {
    await this.#server?.kill();
  }
}

/** P2WPKH of twenty zero bytes on Litecoin's regtest. */
const BURN = bech32.encode('rltc', [0, ...bech32.toWords(new Uint8Array(20))]);

export async function startLitecoind(options: LitecoindOptions = {}): Promise<Litecoind> {
  const node = new Litecoind(
    options,
    options.rpcPort ?? (await freePort()),
    options.p2pPort ?? (await freePort()),
  );
  await node.start(options);
  return node;
}

export async function startLitecoinPair(
  options: LitecoindOptions = {},
): Promise<[Litecoind, Litecoind]> {
  const first = await startLitecoind(options);
  const second = await startLitecoind({ ...options, peer: first });
  while ((await first.peers()) === 0 || (await second.peers()) === 0) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return [first, second];
}
