/**
 * Latencies as a histogram of fixed buckets: recording allocates nothing, histograms of several
 * threads add up, and every quantile is right to one part in 32. Values are milliseconds outside and
 * whole microseconds inside. Entry point: LatencyHistogram.
 *
 * Buckets are logarithmic in steps of a power of two, each step divided into 32 equal parts, as in
 * HdrHistogram; below 32 µs a bucket is one microsecond.
 */

const PARTS = 32;
const PART_BITS = 5;
/** Longer ones are counted as this: 2^31 − 1 µs, about 36 minutes. */
const LONGEST_US = 2 ** 31 - 1;
const BUCKETS = (31 - PART_BITS + 1) * PARTS;

/** A histogram as it travels between threads. */
export interface LatencyData {
  readonly counts: Float64Array<ArrayBuffer>;
  readonly maxMs: number;
  readonly sumMs: number;
}

export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #maxMs = 0;
  #sumMs = 0;

  get count(): number {
    return this.#count;
  }

  /** The longest recorded, exactly. */
  get maxMs(): number {
    return this.#maxMs;
  }

  /** 0 where nothing was recorded. */
  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#sumMs / this.#count;
  }

  record(ms: number): void {
    if (!(ms >= 0)) return;
    const us = Math.min(Math.round(ms * 1000), LONGEST_US);
    const at = bucketOf(us);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#count++;
    this.#sumMs += ms;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  /** The value that a part `q` (0 to 1) of all does not exceed, as the upper end of its bucket. */
  quantileMs(q: number): number {
    const wanted = Math.max(Math.ceil(q * this.#count), 1);
    let seen = 0;
    for (let at = 0; at < BUCKETS; at++) {
      seen += this.#counts[at] ?? 0;
      if (seen >= wanted) return Math.min(highestUs(at) / 1000, this.#maxMs);
    }
    return this.#maxMs;
  }

  /** Adds what another histogram, or thread, has recorded. */
  add(data: LatencyData): void {
    for (let at = 0; at < BUCKETS; at++) {
      const count = data.counts[at] ?? 0;
      this.#counts[at] = (this.#counts[at] ?? 0) + count;
      this.#count += count;
    }
    this.#sumMs += data.sumMs;
    this.#maxMs = Math.max(this.#maxMs, data.maxMs);
  }

  data(): LatencyData {
    return { counts: this.#counts.slice(), maxMs: this.#maxMs, sumMs: this.#sumMs };
  }

  clear(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#maxMs = 0;
    this.#sumMs = 0;
  }
}

function bucketOf(us: number): number {
  if (us < PARTS) return us;
  const step = 31 - Math.clz32(us) - PART_BITS;
  return (step + 1) * PARTS + ((us >>> step) - PARTS);
}

/** The largest value that falls into a bucket. */
function highestUs(bucket: number): number {
  if (bucket < PARTS) return bucket;
  const step = Math.floor(bucket / PARTS) - 1;
  return (bucket - (step + 1) * PARTS + PARTS + 1) * 2 ** step - 1;
}
