/**
 * How much difficulty each address (or worker) had accepted, by minute over the last ten: what vardiff
 * follows. Listeners collect RateDeltas and send them batched; the control thread keeps the one
 * RateBook of a reporter, over all ports and threads, and echoes what it knows. Times are unix ms.
 * Entry points: RateBook (control), RateDeltas (listener).
 */

/** Listener → control: accepted since the last delta of this key. */
export interface RateDelta {
  readonly key: string;
  /** Sum of difficulty. */
  readonly difficulty: number;
  /** When the time began in which it was earned, unix ms. */
  readonly sinceMs: number;
}

/** Control → listener: what is known of a key; the session's KeyRate. */
export interface RateEcho {
  readonly key: string;
  /** Accepted difficulty per minute: mean over the minutes of the last ten that had shares. */
  readonly perMinute: number;
  /** How many minutes that were, the first and the present one in part. */
  readonly minutes: number;
  /** Connections that share the key, over all threads. */
  readonly connections: number;
}

/** The key that vardiff goes by. */
export function rateKey(per: 'address' | 'worker', address: string, worker: string): string {
  return per === 'address' ? address : `${address}.${worker}`;
}

export interface Rate {
  readonly perMinute: number;
  readonly minutes: number;
}

const MINUTE_MS = 60_000;
const MINUTES = 10;
const INITIAL_SLOTS = 256;
/** A present minute just begun counts as this much of one, so that it cannot weigh nothing. */
const SHORTEST_MINUTES = 1 / 60;

export class RateBook {
  readonly #maxKeys: number;
  /** Key → slot, least recently active first. */
  readonly #slots = new Map<string, number>();
  /** MINUTES sums a slot; minute m stands at m mod MINUTES. */
  #sums = new Float64Array(INITIAL_SLOTS * MINUTES);
  /** The newest minute a slot has sums for. */
  #newest = new Float64Array(INITIAL_SLOTS);
  /** When the slot's present activity began, unix ms. */
  #since = new Float64Array(INITIAL_SLOTS);

  constructor(maxKeys = 100_000) {
    this.#maxKeys = maxKeys;
  }

  /** Keys held, never more than `maxKeys`. */
  get size(): number {
    return this.#slots.size;
  }

  /** `sinceMs`: when the time began in which it was earned; matters for a key that was not active. */
  add(key: string, difficulty: number, nowMs: number, sinceMs = nowMs): void {
    const slot = this.#touch(key, nowMs, Math.min(sinceMs, nowMs));
    const at = slot * MINUTES + (this.#newestOf(slot) % MINUTES);
    this.#sums[at] = (this.#sums[at] ?? 0) + difficulty;
  }

  /** undefined: no share in the last ten minutes. */
  rate(key: string, nowMs: number): Rate | undefined {
    const slot = this.#slots.get(key);
    if (slot === undefined) return undefined;
    const newest = this.#newestOf(slot);
    const present = Math.max(Math.floor(nowMs / MINUTE_MS), newest);
    const since = this.#since[slot] ?? 0;
    let difficulty = 0;
    let minutes = 0;
    for (let minute = present - MINUTES + 1; minute <= newest; minute++) {
      const sum = this.#sums[slot * MINUTES + (minute % MINUTES)] ?? 0;
      if (sum === 0) continue;
      difficulty += sum;
      const begin = Math.max(minute * MINUTE_MS, since);
      const end = Math.min((minute + 1) * MINUTE_MS, nowMs);
      minutes += Math.max((end - begin) / MINUTE_MS, SHORTEST_MINUTES);
    }
    return minutes === 0 ? undefined : { perMinute: difficulty / minutes, minutes };
  }

  /** Accepted difficulty per minute; 0 where nothing is known. */
  perMinute(key: string, nowMs: number): number {
    return this.rate(key, nowMs)?.perMinute ?? 0;
  }

  #newestOf(slot: number): number {
    return this.#newest[slot] ?? 0;
  }

  /** The slot of a key, moved on to the present minute, made when there is none. */
  #touch(key: string, nowMs: number, sinceMs: number): number {
    const minute = Math.floor(nowMs / MINUTE_MS);
    const known = this.#slots.get(key);
    const slot = known ?? this.#vacantSlot();
    this.#slots.delete(key);
    this.#slots.set(key, slot);
    const newest = this.#newestOf(slot);
    if (known === undefined || minute - newest >= MINUTES) {
      this.#sums.fill(0, slot * MINUTES, (slot + 1) * MINUTES);
      this.#newest[slot] = minute;
      this.#since[slot] = sinceMs;
      return slot;
    }
    for (let next = newest + 1; next <= minute; next++) {
      this.#sums[slot * MINUTES + (next % MINUTES)] = 0;
    }
    this.#newest[slot] = Math.max(newest, minute);
    return slot;
  }

  #vacantSlot(): number {
    if (this.#slots.size >= this.#maxKeys) {
      const oldest = this.#slots.entries().next();
      if (oldest.done !== true) {
        this.#slots.delete(oldest.value[0]);
        return oldest.value[1];
      }
    }
    const slot = this.#slots.size;
    if (slot >= this.#newest.length) this.#grow();
    return slot;
  }

  #grow(): void {
    const slots = Math.min(this.#newest.length * 2, Math.max(this.#maxKeys, INITIAL_SLOTS));
    this.#sums = grown(this.#sums, slots * MINUTES);
    this.#newest = grown(this.#newest, slots);
    this.#since = grown(this.#since, slots);
  }
}

function grown(from: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const to = new Float64Array(length);
  to.set(from);
  return to;
}

/**
 * A listener's sums between two batches to the control thread. As many keys at most as there are
 * connections that submit between two calls of `drain`.
 */
export class RateDeltas {
  #sums = new Map<string, { difficulty: number; sinceMs: number }>();

  get size(): number {
    return this.#sums.size;
  }

  /** `sinceMs`: the previous share of this connection, or when it got its first job. */
  add(key: string, difficulty: number, sinceMs: number): void {
    const sum = this.#sums.get(key);
    if (sum === undefined) {
      this.#sums.set(key, { difficulty, sinceMs });
      return;
    }
    sum.difficulty += difficulty;
    sum.sinceMs = Math.min(sum.sinceMs, sinceMs);
  }

  /** What has come together since the last call. */
  drain(): RateDelta[] {
    const deltas: RateDelta[] = [];
    for (const [key, { difficulty, sinceMs }] of this.#sums) {
      deltas.push({ key, difficulty, sinceMs });
    }
    this.#sums.clear();
    return deltas;
  }
}
