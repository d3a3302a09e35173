/**
 * Sums of one minute: (worker, source, kind) → credited difficulty, count and best hash. An open
 * addressing table over typed arrays, because every share passes through it; entries keep the order of
 * their first record. A finished minute is packed into rows of 32 bytes, little-endian:
 *
 *   0 f64 difficulty   8 f64 best hash difficulty   16 u32 worker   20 u32 count
 *  24 u16 source      26 u8 kind                    27 u8 0         28 u32 0
 */
import type { RecordView } from './record.ts';

export const SLICE_ROW_BYTES = 32;

const INITIAL_ENTRIES = 256;
const MAX_COUNT = 0xffffffff;

export interface SliceRow {
  readonly worker: number;
  readonly source: number;
  readonly kind: number;
  readonly difficulty: number;
  readonly best: number;
  readonly count: number;
}

export class MinuteTable {
  #size = 0;
  #workers = new Uint32Array(INITIAL_ENTRIES);
  /** source << 8 | kind */
  #classes = new Uint32Array(INITIAL_ENTRIES);
  #difficulties = new Float64Array(INITIAL_ENTRIES);
  #bests = new Float64Array(INITIAL_ENTRIES);
  #counts = new Float64Array(INITIAL_ENTRIES);
  /** Entry + 1, 0 for free; twice as many slots as entries, a power of two. */
  #slots = new Uint32Array(INITIAL_ENTRIES * 2);

  get size(): number {
    return this.#size;
  }

  /** Adds every record of a batch whose refs are row ids. */
  addBatch(records: RecordView, from = 0): void {
    for (let i = from; i < records.count; i++) {
      this.add(
        records.worker(i),
        records.source(i),
        records.kind(i),
        records.difficulty(i),
        records.hashDifficulty(i),
        records.shares(i),
      );
    }
  }

  add(
    worker: number,
    source: number,
    kind: number,
    difficulty: number,
    best: number,
    count: number,
  ): void {
    const entry = this.#find(worker, (source << 8) | kind);
    this.#difficulties[entry] = this.#difficulties[entry]! + difficulty;
    this.#counts[entry] = this.#counts[entry]! + count;
    if (best > this.#bests[entry]!) this.#bests[entry] = best;
  }

  *rows(): Generator<SliceRow> {
    for (let i = 0; i < this.#size; i++) {
      yield {
        worker: this.#workers[i]!,
        source: this.#classes[i]! >>> 8,
        kind: this.#classes[i]! & 0xff,
        difficulty: this.#difficulties[i]!,
        best: this.#bests[i]!,
        count: this.#counts[i]!,
      };
    }
  }

  /** The rows, ordered by worker so that their index pages are touched in order. */
  pack(): Uint8Array {
    const order = Array.from({ length: this.#size }, (_, i) => i);
    order.sort((a, b) => this.#workers[a]! - this.#workers[b]! || a - b);
    const packed = new Uint8Array(this.#size * SLICE_ROW_BYTES);
    const view = new DataView(packed.buffer);
    order.forEach((entry, row) => {
      const at = row * SLICE_ROW_BYTES;
      view.setFloat64(at, this.#difficulties[entry]!, true);
      view.setFloat64(at + 8, this.#bests[entry]!, true);
      view.setUint32(at + 16, this.#workers[entry]!, true);
      view.setUint32(at + 20, Math.min(this.#counts[entry]!, MAX_COUNT), true);
      view.setUint16(at + 24, this.#classes[entry]! >>> 8, true);
      view.setUint8(at + 26, this.#classes[entry]! & 0xff);
    });
    return packed;
  }

  #find(worker: number, shareClass: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash(worker, shareClass) & mask;
    for (;;) {
      const entry = this.#slots[slot]!;
      if (entry === 0) break;
      if (this.#workers[entry - 1] === worker && this.#classes[entry - 1] === shareClass) {
        return entry - 1;
      }
      slot = (slot + 1) & mask;
    }
    if (this.#size === this.#workers.length) {
      this.#grow();
      return this.#find(worker, shareClass);
    }
    const entry = this.#size++;
    this.#workers[entry] = worker;
    this.#classes[entry] = shareClass;
    this.#slots[slot] = entry + 1;
    return entry;
  }

  #grow(): void {
    const entries = this.#workers.length * 2;
    this.#workers = copied(this.#workers, new Uint32Array(entries));
    this.#classes = copied(this.#classes, new Uint32Array(entries));
    this.#difficulties = copied(this.#difficulties, new Float64Array(entries));
    this.#bests = copied(this.#bests, new Float64Array(entries));
    this.#counts = copied(this.#counts, new Float64Array(entries));
    this.#slots = new Uint32Array(entries * 2);
    const mask = this.#slots.length - 1;
    for (let i = 0; i < this.#size; i++) {
      let slot = hash(this.#workers[i]!, this.#classes[i]!) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = i + 1;
    }
  }
}

/** Row `index` of a packed minute. */
export function sliceRow(packed: Uint8Array, index: number): SliceRow {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const at = index * SLICE_ROW_BYTES;
  return {
    difficulty: view.getFloat64(at, true),
    best: view.getFloat64(at + 8, true),
    worker: view.getUint32(at + 16, true),
    count: view.getUint32(at + 20, true),
    source: view.getUint16(at + 24, true),
    kind: view.getUint8(at + 26),
  };
}

function copied<T extends Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Two rounds of the multiply-and-shift finaliser of MurmurHash3. */
function hash(worker: number, shareClass: number): number {
  let h = Math.imul(worker ^ Math.imul(shareClass, 0x9e3779b1), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
