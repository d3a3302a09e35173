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

export interface WaitingBatch {
  readonly port: PortState;
  readonly batch: number;
  readonly records: Uint8Array;
}

export class PortState {
  readonly #port: MessagePort;
  /** Row id by ref; 0 while the name in the other map has none. */
  readonly #workerIds: number[] = [];
  readonly #sourceIds: number[] = [];
  readonly #unnamedWorkers = new Map<number, WorkerName>();
  readonly #unnamedSources = new Map<number, ShareSource>();

  constructor(port: MessagePort) {
    this.#port = port;
  }

  /** Takes the bindings of a message; its records are to be rewritten after name(). */
  bind(message: BatchMessage): WaitingBatch {
    for (const [ref, address, worker] of message.workers ?? []) {
      this.#workerIds[ref] = 0;
      this.#unnamedWorkers.set(ref, { address, worker });
    }
    for (const [ref, source] of message.sources ?? []) {
      this.#sourceIds[ref] = 0;
      this.#unnamedSources.set(ref, source);
    }
    return { port: this, batch: message.batch, records: new Uint8Array(message.records) };
  }

  /** Resolves what can be; returns the names that are not in the ledger yet. */
  name(lookup: NameLookup): { workers: WorkerName[]; sources: ShareSource[] } {
    for (const [ref, name] of this.#unnamedWorkers) {
      const id = lookup.workerId(name);
      if (id === undefined) continue;
      this.#workerIds[ref] = id;
      this.#unnamedWorkers.delete(ref);
    }
    for (const [ref, source] of this.#unnamedSources) {
      const id = lookup.sourceId(source);
      if (id === undefined) continue;
      this.#sourceIds[ref] = id;
      this.#unnamedSources.delete(ref);
    }
    return {
      workers: [...this.#unnamedWorkers.values()],
      sources: [...this.#unnamedSources.values()],
    };
  }

  /** Refs to row ids; false when one has none (its insert failed) or the batch is no batch. */
  rewrite(records: Uint8Array): boolean {
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

  answer(upTo: number, ok: boolean): void {
    const ack: AckMessage = { upTo, ok };
    this.#port.postMessage(ack);
  }
}
