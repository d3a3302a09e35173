/**
 * The last difficulty of a worker, so that a returning one starts where it left off instead of
 * climbing from start_difficulty again. Bounded, least recently used first out, and forgetful: what
 * is older than `ttlMs` says little about the hardware. Entry point: RememberedDifficulties.
 */

interface Remembered {
  readonly difficulty: number;
  readonly atMs: number;
}

export class RememberedDifficulties {
  readonly #max: number;
  readonly #ttlMs: number;
  /** By `address.worker`, least recently used first. */
  readonly #entries = new Map<string, Remembered>();

  constructor(max: number, ttlMs: number) {
    this.#max = max;
    this.#ttlMs = ttlMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  set(address: string, worker: string, difficulty: number, nowMs: number): void {
    const key = workerKey(address, worker);
    this.#entries.delete(key);
    this.#entries.set(key, { difficulty, atMs: nowMs });
    if (this.#entries.size <= this.#max) return;
    const oldest = this.#entries.keys().next();
    if (oldest.done !== true) this.#entries.delete(oldest.value);
  }

  get(address: string, worker: string, nowMs: number): number | undefined {
    const key = workerKey(address, worker);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (nowMs - entry.atMs > this.#ttlMs) return undefined;
    this.#entries.set(key, entry);
    return entry.difficulty;
  }
}

/** `address.worker`, with the dot also where the worker has no name. */
export function workerKey(address: string, worker: string): string {
  return `${address}.${worker}`;
}
