/**
 * A stratum server for tests: the real StratumManager with its listener threads over a job source that
 * makes jobs when told to, and a ledger that is either the real one or a stand-in that can be told to
 * wait or to fail. The work of a share is recomputed here with node:crypto, from the wire only.
 */
import { createHash, randomBytes } from 'node:crypto';
import { MessageChannel } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { systemClock } from '../../src/clock.ts';
import { stratumSchema } from '../../src/config/schema/stratum-server.ts';
import { RecordView } from '../../src/ledger/record.ts';
import { createLog, silentLog } from '../../src/log.ts';
import type { Job, JobKind, JobSource, Solve } from '../../src/ports.ts';
import { algorithm } from '../../src/pow/algorithms.ts';
import { StratumManager } from '../../src/stratum/manager.ts';
import type { Line } from './stratum-client.ts';

export const IMPOSSIBLE = new Uint8Array(32);

export function doubleSha(data: Uint8Array): Buffer {
  const once = createHash('sha256').update(data).digest();
  return createHash('sha256').update(once).digest();
}

export interface JobWishes {
  readonly kind?: JobKind;
  readonly clean?: boolean;
  readonly tip?: number;
  readonly chain?: string;
  readonly versionMask?: number;
  readonly targetLE?: Uint8Array;
  readonly aux?: Job['aux'];
  readonly extranonceSize?: number;
  readonly branchLevels?: number;
  /** Spaces at the end of the notify line: a large line that means the same. */
  readonly padding?: number;
}

let jobNumber = 0;

/** A job with a coinbase of its own, whose notify line says what its fields say. */
export function makeJob(wishes: JobWishes = {}): Job {
  const number = ++jobNumber;
  const id = number.toString(16).padStart(8, '0');
  const coinb1 = Buffer.concat([Buffer.alloc(50, 1), Buffer.from(id, 'hex'), randomBytes(8)]);
  const coinb2 = Buffer.alloc(120, 2);
  const branch = Buffer.alloc(32 * (wishes.branchLevels ?? 3), 7);
  const prevHashLE = Buffer.alloc(32, 9);
  const time = 1_800_000_000;
  const kind = wishes.kind ?? 'flush';
  const levels = Array.from({ length: branch.length / 32 }, (_, i) =>
    branch.subarray(i * 32, i * 32 + 32).toString('hex'),
  );
  const groups = Buffer.from(prevHashLE).swap32().toString('hex');
  const line = (clean: boolean): Buffer =>
    Buffer.from(
      `${JSON.stringify({
        id: null,
        method: 'mining.notify',
        params: [
          id,
          groups,
          coinb1.toString('hex'),
          coinb2.toString('hex'),
          levels,
          '20000000',
          '1d00ffff',
          time.toString(16),
          clean,
        ],
      })}${' '.repeat(wishes.padding ?? 0)}\n`,
    );
  return {
    id,
    chain: wishes.chain ?? 'main',
    currency: 'TST',
    algorithm: 'sha256d',
    kind,
    clean: wishes.clean ?? kind === 'flush',
    tip: wishes.tip ?? 1,
    height: 100 + (wishes.tip ?? 1),
    coinb1,
    coinb2,
    extranonceSize: wishes.extranonceSize ?? 8,
    branch,
    version: 0x20000000,
    prevHashLE,
    bits: 0x1d00ffff,
    time,
    minTime: time - 100,
    maxTime: time + 7000,
    versionMask: wishes.versionMask ?? 0x1fffe000,
    targetLE: wishes.targetLE ?? IMPOSSIBLE,
    networkDifficulty: 1,
    aux: wishes.aux ?? [],
    notify: line(false),
    notifyClean: line(true),
    bornAt: 0,
  };
}

export class FakeSource implements JobSource {
  readonly key = 'main';
  readonly algorithm = 'sha256d';
  readonly solves: Solve[] = [];
  variants = 0;
  onSolve: (solve: Solve) => void = () => {};
  onVariant: () => void = () => {};
  #current: Job | undefined;
  readonly #listeners = new Set<(job: Job) => void>();
  readonly #retire = new Set<(ids: readonly string[]) => void>();

  current(): Job | undefined {
    return this.#current;
  }

  onJob(listener: (job: Job) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onRetire(listener: (ids: readonly string[]) => void): () => void {
    this.#retire.add(listener);
    return () => this.#retire.delete(listener);
  }

  requestVariant(): void {
    this.variants++;
    this.onVariant();
  }

  solved(solve: Solve): void {
    this.solves.push(solve);
    this.onSolve(solve);
  }

  give(wishes: JobWishes = {}): Job {
    const job = makeJob(wishes);
    this.#current = job;
    for (const listener of this.#listeners) listener(job);
    return job;
  }

  retire(ids: readonly string[]): void {
    for (const listener of this.#retire) listener(ids);
  }
}

/** The writer thread's end of the ledger's protocol, in memory. */
export class FakeLedger {
  /** Kind, credited difficulty and count of every record. */
  readonly records: { kind: number; difficulty: number; shares: number; worker: string }[] = [];
  mode: 'ok' | 'wait' | 'fail' = 'ok';
  onRecords: () => void = () => {};
  readonly #held: (() => void)[] = [];

  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    const names: string[] = [];
    port1.on('message', (message: BatchLike) => {
      for (const [ref, address, worker] of message.workers ?? [])
        names[ref] = `${address}.${worker}`;
      const answer = (ok: boolean): void => {
        if (ok) this.#keep(new RecordView(new Uint8Array(message.records)), names);
        port1.postMessage({ upTo: message.batch, ok });
      };
      if (this.mode === 'wait') this.#held.push(() => answer(true));
      else answer(this.mode === 'ok');
    });
    return port2;
  }

  /** Answers everything that waits, and from now on at once. */
  release(): void {
    this.mode = 'ok';
    for (const answer of this.#held.splice(0)) answer();
  }

  accepted(): number {
    return this.records.filter((record) => record.kind === 0).length;
  }

  #keep(view: RecordView, names: readonly string[]): void {
    for (let i = 0; i < view.count; i++) {
      this.records.push({
        kind: view.kind(i),
        difficulty: view.difficulty(i),
        shares: view.shares(i),
        worker: names[view.worker(i)] ?? '',
      });
    }
    this.onRecords();
  }
}

interface BatchLike {
  readonly batch: number;
  readonly records: ArrayBuffer;
  readonly workers?: readonly (readonly [number, string, string])[];
}

/** Settings of a server as configured, over the defaults of the schema. */
export function stratumSettings(over: Record<string, unknown> = {}) {
  return stratumSchema.parse({ algo: 'sha256', address: '127.0.0.1', ...over });
}

export interface PoolWishes {
  readonly settings?: Record<string, unknown>;
  readonly threads?: number;
  readonly ledger?: { connect(): MessagePort };
  readonly extranonceServSize?: 4 | 8;
  readonly verbose?: boolean;
}

export interface TestPool {
  readonly manager: StratumManager;
  readonly source: FakeSource;
  readonly ledger: FakeLedger;
  readonly port: number;
  stop(): Promise<void>;
}

/** Difficulty at which every hash is a share: target above 2^256 - 1, cut to it. */
export const ANY_HASH = 2 ** -40;

export async function startPool(wishes: PoolWishes = {}): Promise<TestPool> {
  const source = new FakeSource();
  const ledger = new FakeLedger();
  const row = algorithm('sha256d')!;
  const manager = new StratumManager({
    threads: wishes.threads ?? 1,
    extranonceServSize: wishes.extranonceServSize ?? 4,
    extranonceSize: 4,
    servers: [
      {
        key: 'stratum',
        settings: stratumSettings({
          start_difficulty: ANY_HASH,
          minimum_manual_diff: ANY_HASH,
          ...wishes.settings,
        }),
        port: 0,
        source,
        algorithm: row,
        diff1: row.diff1,
        hashesPerShare: row.hashesPerShare,
        powBlockHash: false,
      },
    ],
    ledger: wishes.ledger ?? ledger,
    log: wishes.verbose === true ? createLog({ level: 'debug', pretty: true }) : silentLog,
    clock: systemClock,
  });
  await manager.start();
  const port = manager.servers[0]!.port;
  return { manager, source, ledger, port, stop: () => manager.stop() };
}

/** Header of a share as a miner computes it from what it was sent. */
export function headerOf(
  notify: Line,
  extranonce1: string,
  extranonce2: string,
  ntime: string,
  nonce: string,
  versionBits = 0,
): Buffer {
  const [, prev, coinb1, coinb2, branch, version, bits] = notify.params as [
    string,
    string,
    string,
    string,
    string[],
    string,
    string,
  ];
  let root = doubleSha(Buffer.from(coinb1 + extranonce1 + extranonce2 + coinb2, 'hex'));
  for (const level of branch) root = doubleSha(Buffer.concat([root, Buffer.from(level, 'hex')]));
  const rolled = (Number.parseInt(version, 16) | versionBits) >>> 0;
  const word = (hex: string): Buffer => Buffer.from(hex, 'hex').reverse();
  return Buffer.concat([
    word(rolled.toString(16).padStart(8, '0')),
    Buffer.from(prev, 'hex').swap32(),
    root,
    word(ntime),
    word(bits),
    word(nonce),
  ]);
}
