/**
 * A listener's side of the rates that vardiff follows: what its sessions had accepted since the last
 * batch, and what the control thread last said of each address or worker that mines on this thread.
 * One table per group of servers (one reporter). As many keys as there are sessions at most.
 */
import { RateDeltas } from './rates.ts';
import type { RateDelta, RateEcho } from './rates.ts';
import type { KeyRate } from './vardiff.ts';

/** The rate of one key, shared by the sessions that mine for it. */
export interface RateSlot {
  readonly key: string;
  rate: KeyRate | undefined;
  sessions: number;
}

export class RateTable {
  readonly #slots = new Map<string, RateSlot>();
  readonly #deltas = new RateDeltas();

  join(key: string): RateSlot {
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = { key, rate: undefined, sessions: 0 };
      this.#slots.set(key, slot);
    }
    slot.sessions++;
    return slot;
  }

  leave(slot: RateSlot): void {
    if (--slot.sessions === 0) this.#slots.delete(slot.key);
  }

  add(slot: RateSlot, difficulty: number, sinceMs: number): void {
    this.#deltas.add(slot.key, difficulty, sinceMs);
  }

  drain(): RateDelta[] {
    return this.#deltas.drain();
  }

  hear(echoes: readonly RateEcho[]): void {
    for (const echo of echoes) {
      const slot = this.#slots.get(echo.key);
      if (slot !== undefined) slot.rate = echo;
    }
  }
}
