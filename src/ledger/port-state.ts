/**
 * One listener's port on the writer thread: which worker and source its refs mean, the batches of this
 * turn, and the answers to them. Rewrites a batch's refs to row ids in place.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ShareSource } from '../ports.ts';
import type { AckMessage, BatchMessage } from './messages.ts';
import type { WorkerName } from './names.ts';
import { RECORD_BYTES, RecordView } from './record.ts';

/** Looks names up; undefined where one has no id yet. */
export interface NameLookup {
  workerId(name: WorkerName): number | undefined;
  sourceId(source: ShareSource): number | undefined;
}

export interface MissingNames {
  readonly workers: WorkerName[];
  readonly sources: ShareSource[];
}

export class PortState {
  readonly #port: MessagePort;
  readonly #lookup: NameLookup;
  /** Row id by ref; 0 while the name in the other map has none. */
  readonly #workerIds: number[] = [];
  readonly #sourceIds: number[] = [];
  readonly #unnamedWorkers = new Map<number, WorkerName>();
  readonly #unnamedSources = new Map<number, ShareSource>();

  constructor(port: MessagePort, lookup: NameLookup) {
    this.#port = port;
    this.#lookup = lookup;
  }

  /** Adds the names that have no id yet: those a message brings, and those left from earlier ones. */
  collectMissing(message: BatchMessage, missing: MissingNames): void {
    const workers = (message.workers ?? []).map(([, address, worker]) => ({ address, worker }));
    for (const name of [...workers, ...this.#unnamedWorkers.values()]) {
      if (this.#lookup.workerId(name) === undefined) missing.workers.push(name);
    }
    const sources = (message.sources ?? []).map(([, source]) => source);
    for (const source of [...sources, ...this.#unnamedSources.values()]) {
      if (this.#lookup.sourceId(source) === undefined) missing.sources.push(source);
    }
  }

  /**
   * The message's records with row ids for refs, in place. Messages have to be taken in order: one may
   * give a ref of the one before to somebody else. Undefined when a name has no id (its insert failed)
   * or the records are none.
   */
  take(message: BatchMessage): Uint8Array | undefined {
    for (const [ref, address, worker] of message.workers ?? []) {
      this.#unnamedWorkers.set(ref, { address, worker });
      this.#workerIds[ref] = 0;
    }
    for (const [ref, source] of message.sources ?? []) {
      this.#unnamedSources.set(ref, source);
      this.#sourceIds[ref] = 0;
    }
    this.#resolve();
    const records = new Uint8Array(message.records);
    return this.#rewrite(records) ? records : undefined;
  }

  answer(upTo: number, ok: boolean): void {
    const ack: AckMessage = { upTo, ok };
    this.#port.postMessage(ack);
  }

  #resolve(): void {
    for (const [ref, name] of this.#unnamedWorkers) {
      const id = this.#lookup.workerId(name);
      if (id === undefined) continue;
      this.#workerIds[ref] = id;
      this.#unnamedWorkers.delete(ref);
    }
    for (const [ref, source] of this.#unnamedSources) {
      const id = this.#lookup.sourceId(source);
      if (id === undefined) continue;
      this.#sourceIds[ref] = id;
      this.#unnamedSources.delete(ref);
    }
  }

  #rewrite(records: Uint8Array): boolean {
    if (records.length === 0 || records.length % RECORD_BYTES !== 0) return false;
    const view = new RecordView(records);
    for (let i = 0; i < view.count; i++) {
      const worker = this.#workerIds[view.worker(i)];
      const source = this.#sourceIds[view.source(i)];
      if (!worker || !source) return false;
      view.setWorker(i, worker);
      view.setSource(i, source);
    }
    return true;
  }
}
