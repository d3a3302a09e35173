/**
 * Which source hears of a new tip first, and by how much: a statistic that tells an operator whether
 * ZMQ or a push is worth setting up. Pure but for its own state; times are given.
 */

/** Why a template was asked for, or what brought it. */
export type TipSource = 'start' | 'poll' | 'longpoll' | 'zmq' | 'push' | 'refresh' | 'failover';

export interface SourceStatus {
  /** New tips this source was the first to tell of. */
  readonly first: number;
  /** New tips it told of at all. */
  readonly seen: number;
  /** Mean lead over the second source when it was first, ms; null without a second. */
  readonly lead_ms: number | null;
  /** Mean delay behind the first source when it was not, ms; null if it always was. */
  readonly lag_ms: number | null;
}

interface Tally {
  first: number;
  seen: number;
  leads: number;
  leadMs: number;
  lags: number;
  lagMs: number;
}

interface Race {
  readonly winner: TipSource;
  readonly at: number;
  readonly seenBy: Set<TipSource>;
}

/** Tips that later sources may still be telling of. */
const MAX_RACES = 16;

export class TipRace {
  readonly #races = new Map<string, Race>();
  readonly #tallies = new Map<TipSource, Tally>();

  /** `source` told of `tip` at `at` (monotonic ms). Repeats do nothing. */
  saw(tip: string, source: TipSource, at: number): void {
    const race = this.#races.get(tip);
    if (race === undefined) {
      this.#races.set(tip, { winner: source, at, seenBy: new Set([source]) });
      const oldest = this.#races.keys().next();
      if (this.#races.size > MAX_RACES && oldest.done !== true) this.#races.delete(oldest.value);
      const tally = this.#tally(source);
      tally.first += 1;
      tally.seen += 1;
      return;
    }
    if (race.seenBy.has(source)) return;
    race.seenBy.add(source);
    const behindMs = Math.max(0, at - race.at);
    const tally = this.#tally(source);
    tally.seen += 1;
    tally.lags += 1;
    tally.lagMs += behindMs;
    if (race.seenBy.size > 2) return;
    const winner = this.#tally(race.winner);
    winner.leads += 1;
    winner.leadMs += behindMs;
  }

  status(): Partial<Record<TipSource, SourceStatus>> {
    const status: Partial<Record<TipSource, SourceStatus>> = {};
    for (const [source, tally] of this.#tallies) {
      status[source] = {
        first: tally.first,
        seen: tally.seen,
        lead_ms: tally.leads === 0 ? null : tally.leadMs / tally.leads,
        lag_ms: tally.lags === 0 ? null : tally.lagMs / tally.lags,
      };
    }
    return status;
  }

  #tally(source: TipSource): Tally {
    let tally = this.#tallies.get(source);
    if (tally === undefined) {
      tally = { first: 0, seen: 0, leads: 0, leadMs: 0, lags: 0, lagMs: 0 };
      this.#tallies.set(source, tally);
    }
    return tally;
  }
}
