/**
 * How many connections a port has, in all and per remote address, over all listener threads. Each
 * thread counts its own exactly; the other threads' are read from shared memory, where an address is a
 * bucket of a seeded hash. Two addresses that share a bucket on another thread are counted together:
 * with 16,384 buckets that matters only to somebody who is already near the limit.
 */

const BUCKETS = 16_384;
const ROW = BUCKETS + 1;

export interface OccupancyLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
}

/** Shared memory for `threads` rows. */
export function occupancyMemory(threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(threads * ROW * Int32Array.BYTES_PER_ELEMENT);
}

export class Occupancy {
  readonly #cells: Int32Array;
  readonly #rows: number;
  readonly #base: number;
  readonly #seed: number;
  readonly #limits: OccupancyLimits;
  readonly #local = new Map<string, number>();

  /** `row` is this thread's; whatever a thread before it left there is cleared. */
  constructor(memory: SharedArrayBuffer, row: number, seed: number, limits: OccupancyLimits) {
    this.#cells = new Int32Array(memory);
    this.#rows = this.#cells.length / ROW;
    this.#base = row * ROW;
    this.#seed = seed;
    this.#limits = limits;
    this.#cells.fill(0, this.#base, this.#base + ROW);
  }

  /** Counts a connection in, or refuses it because a limit is reached. */
  enter(address: string): 'ok' | 'full' | 'address' {
    const local = this.#local.get(address) ?? 0;
    const bucket = 1 + hash(address, this.#seed);
    if (this.#elsewhere(0) + this.#mine(0) >= this.#limits.connections) return 'full';
    if (this.#elsewhere(bucket) + local >= this.#limits.connectionsPerAddress) return 'address';
    this.#local.set(address, local + 1);
    Atomics.add(this.#cells, this.#base, 1);
    Atomics.add(this.#cells, this.#base + bucket, 1);
    return 'ok';
  }

  leave(address: string): void {
    const local = this.#local.get(address) ?? 0;
    if (local <= 1) this.#local.delete(address);
    else this.#local.set(address, local - 1);
    Atomics.sub(this.#cells, this.#base, 1);
    Atomics.sub(this.#cells, this.#base + 1 + hash(address, this.#seed), 1);
  }

  #mine(cell: number): number {
    return Atomics.load(this.#cells, this.#base + cell);
  }

  #elsewhere(cell: number): number {
    let sum = 0;
    for (let row = 0; row < this.#rows; row++) {
      const base = row * ROW;
      if (base !== this.#base) sum += Atomics.load(this.#cells, base + cell);
    }
    return sum;
  }
}

/** FNV-1a over the characters, started from the seed, folded to a bucket. */
function hash(text: string, seed: number): number {
  let h = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return ((h ^ (h >>> 14)) >>> 0) % BUCKETS;
}
