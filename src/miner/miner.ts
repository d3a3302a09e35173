/**
 * The CPU test miner: one connection, some hash threads. Each thread searches its own extranonce2 (and
 * version bits) of the newest job. Used by `powerpool mine` and `powerpool demo`.
 */
import { Worker } from 'node:worker_threads';
import { targetFromDifficulty, targetToLE } from '../coin/target.ts';
import type { Startable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { Algorithm } from '../pow/algorithms.ts';
import { StratumMinerClient } from './client.ts';
import type { ClientOptions } from './client.ts';
import type { SearchOrder, SearchReport } from './hash-thread.ts';
import { headerOf, rolledBits } from './work.ts';
import type { Work } from './work.ts';

export interface MinerOptions extends ClientOptions {
  readonly algorithm: Pick<Algorithm, 'name' | 'diff1' | 'txidKind'>;
  readonly threads: number;
  /** Accepted shares after which no more are sent. */
  readonly wanted?: number;
  readonly log: Log;
}

export interface MinerCounts {
  accepted: number;
  rejected: number;
  hashes: number;
}

interface Search {
  readonly work: Work;
  readonly extranonce2: Uint8Array;
  readonly versionBits: number | undefined;
}

interface HashThread {
  readonly worker: Worker;
  serial: number;
  search: Search | undefined;
}

export class Miner implements Startable {
  readonly key = 'miner';
  readonly counts: MinerCounts = { accepted: 0, rejected: 0, hashes: 0 };
  readonly #options: MinerOptions;
  readonly #client: StratumMinerClient;
  readonly #onResult: (accepted: boolean) => void;
  #threads: HashThread[] = [];
  #work: Work | undefined;
  /** Shares sent and not answered on this connection. */
  #underWay = 0;
  /** Numbers the extranonce2 values (and version bits) handed out; starts anew with each job id. */
  #counter = 0;

  constructor(options: MinerOptions, onResult: (accepted: boolean) => void = () => {}) {
    this.#options = options;
    this.#onResult = onResult;
    this.#client = new StratumMinerClient(options, {
      work: (work) => this.#begin(work),
      idle: () => this.#idle(),
      result: (accepted, reason) => this.#result(accepted, reason),
    });
  }

  /** Hashes since the last call. */
  takeHashes(): number {
    const { hashes } = this.counts;
    this.counts.hashes = 0;
    return hashes;
  }

  start(): Promise<void> {
    this.#threads = Array.from({ length: this.#options.threads }, () => this.#spawn());
    this.#client.start();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#client.stop();
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
    this.#threads = [];
  }

  #spawn(): HashThread {
    const worker = new Worker(new URL(import.meta.resolve('./hash-thread.ts')));
    const thread: HashThread = { worker, serial: 0, search: undefined };
    worker.on('message', (report: SearchReport) => this.#report(thread, report));
    worker.on('error', (error) => {
      this.#options.log.error('a hash thread failed', { error: error.message });
    });
    return thread;
  }

  #begin(work: Work): void {
    this.#work = work;
    this.#counter = 0;
    for (const thread of this.#threads) this.#assign(thread, work);
  }

  #assign(thread: HashThread, work: Work): void {
    const client = this.#client;
    const extranonce2 = new Uint8Array(client.extranonce2Size);
    const view = new DataView(extranonce2.buffer);
    if (extranonce2.length >= 4) view.setUint32(extranonce2.length - 4, this.#counter);
    else if (extranonce2.length > 0) view.setUint8(extranonce2.length - 1, this.#counter & 0xff);
    const mask = client.versionMask;
    const versionBits = mask === 0 ? undefined : rolledBits(this.#counter, mask);
    this.#counter += 1;
    const version = ((work.version & ~mask) | (versionBits ?? work.version & mask)) >>> 0;
    const { name, diff1, txidKind } = this.#options.algorithm;
    thread.serial += 1;
    thread.search = { work, extranonce2, versionBits };
    const order: SearchOrder = {
      serial: thread.serial,
      algorithm: name,
      header: headerOf(work, client.extranonce1, extranonce2, version, txidKind),
      targetLE: targetToLE(targetFromDifficulty(client.difficulty, diff1)),
    };
    thread.worker.postMessage(order);
  }

  #idle(): void {
    this.#work = undefined;
    this.#underWay = 0;
    for (const thread of this.#threads) {
      thread.search = undefined;
      thread.worker.postMessage(null);
    }
  }

  #report(thread: HashThread, report: SearchReport): void {
    if (report.kind === 'hashes') {
      this.counts.hashes += report.count;
      return;
    }
    const { search } = thread;
    if (search === undefined || report.serial !== thread.serial) return;
    if (report.kind === 'found') {
      if (this.counts.accepted + this.#underWay >= (this.#options.wanted ?? Infinity)) return;
      this.#underWay += 1;
      const { work, extranonce2, versionBits } = search;
      this.#client.submit(work.jobId, extranonce2, work.time, report.nonce, versionBits);
    } else if (this.#work !== undefined) {
      this.#assign(thread, this.#work);
    }
  }

  #result(accepted: boolean, reason: string | undefined): void {
    this.#underWay = Math.max(0, this.#underWay - 1);
    if (accepted) {
      this.counts.accepted += 1;
      this.#options.log.info('share accepted', { accepted: this.counts.accepted });
    } else {
      this.counts.rejected += 1;
      this.#options.log.warn('share refused', { reason });
    }
    this.#onResult(accepted);
  }
}
