/**
 * Named counters with a memory of one hour, as `/counters/` shows them (contract §4, §6). They live on
 * the control thread; listeners send what they counted in batches. Pure: time is passed to `tick`.
 * Not here: rates of addresses (stratum/rates.ts), latencies (latency.ts). Entry point: Counters.
 */

/** One line of `/counters/`. */
export interface CounterView {
  readonly name: string;
  readonly owner: string;
  /** Since the start. */
  readonly total: number;
  /** Precision 'minute': in the last full minute; 'second': in the last sixty full seconds. */
  readonly min_total: number;
  /** In the last sixty full minutes. */
  readonly hour_total: number;
  /** hour_total / 60, also while the process is younger than an hour. */
  readonly min_avg: number;
}

export type Precision = 'minute' | 'second';

const RING = 60;

/** What came in during the last sixty full spans of time, and in the present one. */
class Ring {
  present = 0;
  readonly #past = new Float64Array(RING);
  #at = 0;

  rotate(): void {
    this.#past[this.#at] = this.present;
    this.#at = (this.#at + 1) % RING;
    this.present = 0;
  }

  get last(): number {
    return this.#past[(this.#at + RING - 1) % RING] ?? 0;
  }

  get sum(): number {
    return this.#past.reduce((sum, value) => sum + value, 0);
  }
}

interface Counter {
  readonly owner: string;
  readonly name: string;
  total: number;
  readonly minutes: Ring;
  readonly seconds: Ring | undefined;
}

export class Counters {
  readonly #max: number;
  readonly #counters = new Map<string, Counter>();
  /** Unix second up to which the rings are rotated. */
  #second: number;

  /** `maxCounters` bounds the table; what comes beyond it is not counted. */
  constructor(nowMs: number, maxCounters = 10_000) {
    this.#max = maxCounters;
    this.#second = Math.floor(nowMs / 1000);
  }

  get size(): number {
    return this.#counters.size;
  }

  /** Makes a counter that is shown although it is still zero. */
  declare(owner: string, names: readonly string[], precision: Precision = 'minute'): void {
    for (const name of names) this.#counter(owner, name, precision);
  }

  count(owner: string, name: string, n = 1): void {
    const counter = this.#counter(owner, name, 'minute');
    if (counter === undefined) return;
    counter.total += n;
    counter.minutes.present += n;
    if (counter.seconds !== undefined) counter.seconds.present += n;
  }

  /** Closes the seconds and minutes that have ended by `nowMs` (unix ms). To be called every second. */
  tick(nowMs: number): void {
    const now = Math.floor(nowMs / 1000);
    // After a jump of more than an hour every ring holds zeroes only, however often it is turned.
    const from = Math.max(this.#second, now - RING * 60 - 60);
    for (let second = from + 1; second <= now; second++) {
      for (const counter of this.#counters.values()) {
        counter.seconds?.rotate();
        if (second % 60 === 0) counter.minutes.rotate();
      }
    }
    this.#second = now;
  }

  /** By owner, then name. */
  snapshot(): CounterView[] {
    return [...this.#counters.values()]
      .toSorted((a, b) => compare(a.owner, b.owner) || compare(a.name, b.name))
      .map(viewOf);
  }

  /** One counter; zeroes where there is none. */
  view(owner: string, name: string): CounterView {
    const counter = this.#counters.get(keyOf(owner, name));
    if (counter !== undefined) return viewOf(counter);
    return { name, owner, total: 0, min_total: 0, hour_total: 0, min_avg: 0 };
  }

  #counter(owner: string, name: string, precision: Precision): Counter | undefined {
    const key = keyOf(owner, name);
    const known = this.#counters.get(key);
    if (known !== undefined || this.#counters.size >= this.#max) return known;
    const seconds = precision === 'second' ? new Ring() : undefined;
    const counter: Counter = { owner, name, total: 0, minutes: new Ring(), seconds };
    this.#counters.set(key, counter);
    return counter;
  }
}

function viewOf({ owner, name, total, minutes, seconds }: Counter): CounterView {
  const hour = minutes.sum;
  return {
    name,
    owner,
    total,
    min_total: seconds === undefined ? minutes.last : seconds.sum,
    hour_total: hour,
    min_avg: hour / 60,
  };
}

function keyOf(owner: string, name: string): string {
  return `${owner}\n${name}`;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
