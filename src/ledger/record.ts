/**
 * The layout of a share record in a batch: 48 bytes, little-endian, many in one buffer, never an object
 * per share. RecordBuffer appends, RecordView reads by index. In the ledger `worker` and `source` are
 * row ids; on the way from a listener they are that listener's own refs (writer.ts, port-state.ts).
 *
 *   0 f64 time, unix ms          24 u32 worker          40 u32 count: 1, or how many rejects are summed
 *   8 f64 credited difficulty    28 u32 height          44 u16 source
 *  16 f64 difficulty of the      32 8 bytes: the hash's 46 u8  kind (SHARE_KIND)
 *         hash itself, 0 unknown    lowest 8, LE       47 u8  flags (FLAG_SOLVED)
 */
export const RECORD_BYTES = 48;
export const FINGERPRINT_BYTES = 8;
/** The share met the target of at least one chain. */
export const FLAG_SOLVED = 1;

const TIME = 0;
const DIFFICULTY = 8;
const HASH_DIFFICULTY = 16;
const WORKER = 24;
const HEIGHT = 28;
const FINGERPRINT = 32;
const COUNT = 40;
const SOURCE = 44;
const KIND = 46;
const FLAGS = 47;

const INITIAL_RECORDS = 64;

/** An open batch: grows, is taken as one exact buffer, and starts over in the same memory. */
export class RecordBuffer {
  #bytes = new Uint8Array(INITIAL_RECORDS * RECORD_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #used = 0;

  get byteLength(): number {
    return this.#used;
  }

  /** `hashLE[hashOffset … +8]` are the lowest 8 bytes of the hash. */
  add(
    worker: number,
    source: number,
    kind: number,
    timeMs: number,
    difficulty: number,
    hashDifficulty: number,
    height: number,
    hashLE: Uint8Array,
    hashOffset: number,
    count: number,
    flags: number,
  ): void {
    if (this.#used === this.#bytes.length) this.#grow();
    const at = this.#used;
    const view = this.#view;
    view.setFloat64(at + TIME, timeMs, true);
    view.setFloat64(at + DIFFICULTY, difficulty, true);
    view.setFloat64(at + HASH_DIFFICULTY, hashDifficulty, true);
    view.setUint32(at + WORKER, worker, true);
    view.setUint32(at + HEIGHT, height, true);
    for (let i = 0; i < FINGERPRINT_BYTES; i++) {
      this.#bytes[at + FINGERPRINT + i] = hashLE[hashOffset + i] ?? 0;
    }
    view.setUint32(at + COUNT, count, true);
    view.setUint16(at + SOURCE, source, true);
    view.setUint8(at + KIND, kind);
    view.setUint8(at + FLAGS, flags);
    this.#used = at + RECORD_BYTES;
  }

  /** The records so far in a buffer of their own; the batch is empty afterwards. */
  take(): ArrayBuffer {
    const records = this.#bytes.buffer.slice(0, this.#used);
    this.#used = 0;
    return records;
  }

  #grow(): void {
    const grown = new Uint8Array(this.#bytes.length * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Reads (and, for the refs, rewrites) records in place. */
export class RecordView {
  readonly count: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.count = Math.floor(bytes.length / RECORD_BYTES);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  timeMs(index: number): number {
    return this.#view.getFloat64(index * RECORD_BYTES + TIME, true);
  }

  difficulty(index: number): number {
    return this.#view.getFloat64(index * RECORD_BYTES + DIFFICULTY, true);
  }

  hashDifficulty(index: number): number {
    return this.#view.getFloat64(index * RECORD_BYTES + HASH_DIFFICULTY, true);
  }

  worker(index: number): number {
    return this.#view.getUint32(index * RECORD_BYTES + WORKER, true);
  }

  setWorker(index: number, worker: number): void {
    this.#view.setUint32(index * RECORD_BYTES + WORKER, worker, true);
  }

  height(index: number): number {
    return this.#view.getUint32(index * RECORD_BYTES + HEIGHT, true);
  }

  /** The 8 bytes of the hash; a view, not a copy. */
  fingerprint(index: number): Uint8Array {
    const at = index * RECORD_BYTES + FINGERPRINT;
    return this.#bytes.subarray(at, at + FINGERPRINT_BYTES);
  }

  shares(index: number): number {
    return this.#view.getUint32(index * RECORD_BYTES + COUNT, true);
  }

  source(index: number): number {
    return this.#view.getUint16(index * RECORD_BYTES + SOURCE, true);
  }

  setSource(index: number, source: number): void {
    this.#view.setUint16(index * RECORD_BYTES + SOURCE, source, true);
  }

  kind(index: number): number {
    return this.#view.getUint8(index * RECORD_BYTES + KIND);
  }

  flags(index: number): number {
    return this.#view.getUint8(index * RECORD_BYTES + FLAGS);
  }
}
