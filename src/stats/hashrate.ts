/**
 * Hashrate from accepted difficulty: what shares say about the work behind them. Pure: time is passed
 * in, unix or monotonic ms alike. Entry points: hashrateOf, DifficultyWindow.
 */

/**
 * Hashes per second behind `difficulty` in `seconds`. `hashesPerDifficulty` is the `hashes_per_share`
 * of the algorithm: the mean number of hashes for difficulty 1, 2^256 over the difficulty-1 target.
 */
export function hashrateOf(
  difficulty: number,
  seconds: number,
  hashesPerDifficulty: number,
): number {
  return seconds > 0 ? (difficulty * hashesPerDifficulty) / seconds : 0;
}

/** 2^256 / (target + 1): the mean number of hashes until one is not above `target`. */
export function hashesPerShare(target: bigint): number {
  const scale = 1n << 64n;
  return Number(((1n << 256n) * scale) / (target + 1n)) / 2 ** 64;
}

/** Sums of difficulty in buckets of time, for rates over any span up to the whole window. */
export class DifficultyWindow {
  readonly #bucketMs: number;
  readonly #sums: Float64Array<ArrayBuffer>;
  readonly #startedMs: number;
  /** Number of the newest bucket. */
  #newest: number;

  /** An hour in buckets of ten seconds, unless told otherwise. */
  constructor(nowMs: number, bucketMs = 10_000, buckets = 361) {
    this.#bucketMs = bucketMs;
    this.#sums = new Float64Array(buckets);
    this.#startedMs = nowMs;
    this.#newest = Math.floor(nowMs / bucketMs);
  }

  add(difficulty: number, nowMs: number): void {
    this.#advance(nowMs);
    const at = this.#newest % this.#sums.length;
    this.#sums[at] = (this.#sums[at] ?? 0) + difficulty;
  }

  /**
   * Hashes per second over the last `spanMs`, to the precision of a bucket; over the time since the
   * start while that is shorter.
   */
  hashrate(spanMs: number, nowMs: number, hashesPerDifficulty: number): number {
    this.#advance(nowMs);
    const wanted = Math.max(Math.round(spanMs / this.#bucketMs), 1);
    const full = Math.min(wanted, this.#sums.length - 1);
    let sum = 0;
    for (let back = 0; back <= full; back++) {
      sum += this.#sums[(this.#newest - back) % this.#sums.length] ?? 0;
    }
    const beginMs = Math.max((this.#newest - full) * this.#bucketMs, this.#startedMs);
    const seconds = Math.max(nowMs - beginMs, this.#bucketMs) / 1000;
    return hashrateOf(sum, seconds, hashesPerDifficulty);
  }

  #advance(nowMs: number): void {
    const present = Math.floor(nowMs / this.#bucketMs);
    const passed = present - this.#newest;
    if (passed <= 0) return;
    if (passed >= this.#sums.length) this.#sums.fill(0);
    else {
      for (let next = this.#newest + 1; next <= present; next++) {
        this.#sums[next % this.#sums.length] = 0;
      }
    }
    this.#newest = present;
  }
}
