/**
 * The program of the child process that chain.ts starts: a bcoin full node on regtest, all in memory,
 * with a wallet. It obeys the messages of its parent and ends when the parent is gone. Nothing imports
 * this file. bcoin carries no types: the part of it that is used is written down here.
 */
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

import { CHAIN_KEY } from './chain.ts';
import type { ChainReply, ChainRequest } from './chain.ts';

interface Address {
  toString(network: string): string;
}

interface Wallet {
  receiveAddress(): Promise<Address>;
  send(options: {
    outputs: readonly { address: Address; value: number }[];
    rate: number;
  }): Promise<{ txid(): string; hash(encoding: 'hex'): string }>;
}

interface WalletDb {
  readonly primary: Wallet;
  readonly height: number;
}

interface Block {
  rhash(): string;
}

interface FullNode {
  readonly chain: { add(block: Block): Promise<unknown>; readonly height: number };
  readonly miner: { mineBlock(tip: null, address: Address): Promise<Block> };
  readonly mempool: { has(hash: string): boolean };
  readonly http: { readonly http: { address(): { port: number } } };
  use(plugin: unknown): { readonly wdb: WalletDb };
  open(): Promise<void>;
  connect(): Promise<void>;
  startSync(): void;
  close(): Promise<void>;
}

interface Bcoin {
  readonly FullNode: new (options: Readonly<Record<string, unknown>>) => FullNode;
  readonly Network: { get(name: string): { minerWindow: number; activationThreshold: number } };
  readonly wallet: { readonly plugin: unknown };
}

/**
 * BIP9 window of this chain, blocks, and how many of them must signal (regtest's own: 144 and 108).
 * Segwit is active from the third window on: after 24 blocks instead of 432.
 */
const WINDOW = 8;
const THRESHOLD = 6;

/** Smallest unit per 1000 virtual bytes: well above the relay minimum, so that blocks have fees. */
const FEE_RATE = 20_000;

const PATIENCE_MS = 10;
const MAX_WAITS = 1000;

/** bcoin's wallet and mempool follow its chain a little later, and have no event for having done so. */
async function until(condition: () => boolean): Promise<void> {
  for (let waits = 0; !condition(); waits += 1) {
    if (waits === MAX_WAITS) throw new Error('the wallet did not follow the chain in time');
    await sleep(PATIENCE_MS);
  }
}

async function main(): Promise<void> {
  const apiKey = process.env[CHAIN_KEY] ?? '';
  const port = process.argv[2] ?? '0';
  const { FullNode, Network, wallet } = createRequire(import.meta.url)('bcoin') as Bcoin;
  const network = Network.get('regtest');
  network.minerWindow = WINDOW;
  network.activationThreshold = THRESHOLD;
  const node = new FullNode({
    network: 'regtest',
    memory: true,
    workers: false,
    listen: false,
    noDns: true,
    httpHost: '127.0.0.1',
    httpPort: Number(port),
    apiKey,
    logLevel: 'none',
    walletHttpHost: '127.0.0.1',
    walletHttpPort: 0,
    // The bip32 wallet makes witness addresses: transactions and blocks carry witnesses.
    walletWitness: true,
  });
  const { wdb } = node.use(wallet.plugin);
  await node.open();
  await node.connect();
  node.startSync();
  const address = await wdb.primary.receiveAddress();

  const mine = async (count: number): Promise<string[]> => {
    const hashes: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const block = await node.miner.mineBlock(null, address);
      await node.chain.add(block);
      hashes.push(block.rhash());
    }
    await until(() => wdb.height === node.chain.height);
    return hashes;
  };
  const send = async (count: number, amountSat: number): Promise<string[]> => {
    const txids: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const outputs = [{ address, value: amountSat }];
      const tx = await wdb.primary.send({ outputs, rate: FEE_RATE });
      await until(() => node.mempool.has(tx.hash('hex')));
      txids.push(tx.txid());
    }
    return txids;
  };

  const reply = (message: ChainReply): void => {
    process.send?.(message);
  };
  const obey = async (request: ChainRequest): Promise<void> => {
    try {
      const result =
        request.kind === 'mine'
          ? await mine(request.count)
          : await send(request.count, request.amountSat);
      reply({ kind: 'done', id: request.id, result });
    } catch (error) {
      reply({ kind: 'failed', id: request.id, message: String(error) });
    }
  };
  // One after the other: a wallet must have seen the last transaction before it makes the next.
  let last = Promise.resolve();
  process.on('message', (request: ChainRequest) => {
    last = last.then(() => obey(request));
  });
  // Ctrl-C goes to the whole group; this process ends when its parent does.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.on('disconnect', () => void node.close());
  reply({
    kind: 'ready',
    port: node.http.http.address().port,
    address: address.toString('regtest'),
  });
}

await main();
