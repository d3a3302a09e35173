/**
 * The only file that reads the machine's clock. Everything that depends on time takes a Clock (or a
 * `now` argument), so that tests move time instead of waiting for it.
 */

export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch; may jump. For records and reports. */
  now(): number;
  /** Monotonic milliseconds with sub-millisecond resolution; never jumps. For intervals and rates. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/** A clock that stands still until told otherwise. */
export class ManualClock implements Clock {
  #now: number;
  #monotonic = 0;

  constructor(now = 0) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  advance(ms: number): void {
    this.#now += ms;
    this.#monotonic += ms;
  }
}
