/**
 * A listener thread's end of the ledger: packs share records into the open batch, posts it to the
 * writer thread once a turn and hears when it is on disk. Nothing here touches the disk or waits.
 * Entry point: LedgerWriter, made from a port of Ledger.connect().
 */
import type { MessagePort } from 'node:worker_threads';
import type { ShareKind, ShareSource } from '../ports.ts';
import type { AckMessage, BatchMessage, SourceBinding, WorkerBinding } from './messages.ts';
import { RecordBuffer } from './record.ts';

export interface LedgerWriterOptions {
  /** Bytes posted and not yet answered; a batch that would pass it is refused. */
  readonly maxOutstandingBytes?: number;
}

/** About 350,000 shares: seconds of any load this machine can check. */
const DEFAULT_MAX_OUTSTANDING_BYTES = 16 * 1024 * 1024;

interface WorkerRef {
  readonly ref: number;
  readonly key: string;
  readonly address: string;
  readonly worker: string;
  uses: number;
  announced: boolean;
}

export class LedgerWriter {
  readonly #port: MessagePort;
  readonly #maxOutstandingBytes: number;
  readonly #open = new RecordBuffer();
  readonly #workersByName = new Map<string, WorkerRef>();
  readonly #workers: (WorkerRef | undefined)[] = [];
  readonly #sourceRefs = new Map<string, number>();
  /** Refs nobody uses: free at once, or once the open batch that may name them is posted. */
  readonly #freeRefs: number[] = [];
  #releasedRefs: number[] = [];
  #newWorkers: WorkerBinding[] = [];
  #newSources: SourceBinding[] = [];
  /** Bytes of each batch that was posted and not answered. */
  readonly #outstanding = new Map<number, number>();
  #outstandingBytes = 0;
  #lastBatch = 0;
  #lastAnswered = 0;
  #closed = false;
  #onAck: (batch: number, ok: boolean) => void = () => {};

  constructor(port: MessagePort, options: LedgerWriterOptions = {}) {
    this.#port = port;
    this.#maxOutstandingBytes = options.maxOutstandingBytes ?? DEFAULT_MAX_OUTSTANDING_BYTES;
    port.on('message', (ack: AckMessage) => this.#answered(ack.upTo, ack.ok));
    port.on('close', () => this.#lost());
  }

  /**
   * The ref of a worker for add(). Every call counts as one use until releaseWorker(); a worker enters
   * the ledger with its first record only.
   */
  worker(address: string, worker: string): number {
    const key = `${address}\0${worker}`;
    const known = this.#workersByName.get(key);
    if (known !== undefined) {
      known.uses++;
      return known.ref;
    }
    const ref = this.#freeRefs.pop() ?? this.#workers.length;
    const entry: WorkerRef = { ref, key, address, worker, uses: 1, announced: false };
    this.#workersByName.set(key, entry);
    this.#workers[ref] = entry;
    return ref;
  }

  /** Gives a ref back (the session ended), so that a listener's table does not grow for ever. */
  releaseWorker(ref: number): void {
    const entry = this.#workers[ref];
    if (entry === undefined || --entry.uses > 0) return;
    this.#workersByName.delete(entry.key);
    this.#workers[ref] = undefined;
    this.#releasedRefs.push(ref);
  }

  /** The ref of a source; there are as many as configured servers times chains. */
  source(source: ShareSource): number {
    const key = JSON.stringify([source.server, source.chain, source.currency, source.algorithm]);
    const known = this.#sourceRefs.get(key);
    if (known !== undefined) return known;
    const ref = this.#sourceRefs.size;
    this.#sourceRefs.set(key, ref);
    this.#newSources.push([ref, source]);
    return ref;
  }

  /**
   * Appends one record to the open batch. `difficulty` is what is credited (the sum, for `count`
   * rejects in one record), `hashDifficulty` that of the hash itself (0 if unknown), and the 8 bytes of
   * `hashLE` from `hashOffset` on are the lowest of the hash: the record's fingerprint.
   */
  add(
    workerRef: number,
    sourceRef: number,
    kind: ShareKind,
    timeMs: number,
    difficulty: number,
    hashDifficulty: number,
    height: number,
    hashLE: Uint8Array,
    hashOffset: number,
    count: number,
    flags: number,
  ): void {
    const worker = this.#workers[workerRef];
    if (worker === undefined) throw new RangeError(`ledger: no worker has ref ${workerRef}`);
    if (!worker.announced) {
      worker.announced = true;
      this.#newWorkers.push([workerRef, worker.address, worker.worker]);
    }
    this.#open.add(
      workerRef,
      sourceRef,
      kind,
      timeMs,
      difficulty,
      hashDifficulty,
      height,
      hashLE,
      hashOffset,
      count,
      flags,
    );
  }

  /**
   * Posts the open batch and returns its number, 0 if there is nothing to send. Every number is
   * answered through onAck exactly once, never before flush has returned. A batch is refused (answered
   * false in a microtask) when the writer lags by more than maxOutstandingBytes or is gone.
   */
  flush(): number {
    const bytes = this.#open.byteLength;
    if (bytes === 0) return 0;
    const batch = ++this.#lastBatch;
    const records = this.#open.take();
    this.#outstanding.set(batch, bytes);
    this.#outstandingBytes += bytes;
    if (this.#closed || this.#outstandingBytes > this.#maxOutstandingBytes) {
      queueMicrotask(() => this.#settle(batch, false));
    } else {
      this.#post(batch, records);
    }
    if (this.#releasedRefs.length > 0) {
      this.#freeRefs.push(...this.#releasedRefs);
      this.#releasedRefs = [];
    }
    return batch;
  }

  /** Sets who hears of each batch: `ok` once it is on disk, not ok when it was not recorded. */
  onAck(listener: (batch: number, ok: boolean) => void): void {
    this.#onAck = listener;
  }

  get outstandingBytes(): number {
    return this.#outstandingBytes;
  }

  /** Closes the port; batches that are still unanswered are answered false. */
  close(): void {
    this.#port.close();
    this.#lost();
  }

  #post(batch: number, records: ArrayBuffer): void {
    const message: BatchMessage = {
      batch,
      records,
      ...(this.#newWorkers.length > 0 && { workers: this.#newWorkers }),
      ...(this.#newSources.length > 0 && { sources: this.#newSources }),
    };
    this.#port.postMessage(message, [records]);
    if (this.#newWorkers.length > 0) this.#newWorkers = [];
    if (this.#newSources.length > 0) this.#newSources = [];
  }

  #answered(upTo: number, ok: boolean): void {
    for (let batch = this.#lastAnswered + 1; batch <= upTo; batch++) this.#settle(batch, ok);
    this.#lastAnswered = Math.max(this.#lastAnswered, upTo);
  }

  #settle(batch: number, ok: boolean): void {
    const bytes = this.#outstanding.get(batch);
    if (bytes === undefined) return;
    this.#outstanding.delete(batch);
    this.#outstandingBytes -= bytes;
    this.#onAck(batch, ok);
  }

  #lost(): void {
    this.#closed = true;
    for (const batch of this.#outstanding.keys()) this.#settle(batch, false);
  }
}
