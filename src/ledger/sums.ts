/** Gathers rows of (key, kind, difficulty, count) into sums by kind. Used by reader.ts only. */
import { SHARE_KIND } from '../ports.ts';
import type { KindSums } from './queries.ts';

export interface Gathered {
  readonly worker: number;
  readonly source: number;
  readonly minute: number;
  /** Difficulty and count by kind. */
  readonly difficulty: number[];
  readonly count: number[];
  lastAcceptedMinute: number;
}

export interface SumRow {
  readonly worker: number;
  readonly source: number;
  readonly minute: number;
  readonly kind: number;
  readonly difficulty: number;
  readonly count: number;
}

const KINDS = Object.keys(SHARE_KIND).length;

export class Sums {
  readonly #byKey = new Map<string, Gathered>();
  readonly #keyOf: (row: SumRow) => string;

  /** Rows with the same key are one sum. */
  constructor(keyOf: (row: SumRow) => string) {
    this.#keyOf = keyOf;
  }

  add(row: SumRow): void {
    const key = this.#keyOf(row);
    let sum = this.#byKey.get(key);
    if (sum === undefined) {
      sum = {
        worker: row.worker,
        source: row.source,
        minute: row.minute,
        difficulty: Array.from({ length: KINDS }, () => 0),
        count: Array.from({ length: KINDS }, () => 0),
        lastAcceptedMinute: -1,
      };
      this.#byKey.set(key, sum);
    }
    sum.difficulty[row.kind] = (sum.difficulty[row.kind] ?? 0) + row.difficulty;
    sum.count[row.kind] = (sum.count[row.kind] ?? 0) + row.count;
    if (row.kind === SHARE_KIND.accepted && row.minute > sum.lastAcceptedMinute) {
      sum.lastAcceptedMinute = row.minute;
    }
  }

  values(): Iterable<Gathered> {
    return this.#byKey.values();
  }
}

export function kindSums({ difficulty, count }: Gathered): KindSums {
  const of = (kind: number) => ({ difficulty: difficulty[kind] ?? 0, count: count[kind] ?? 0 });
  return {
    accepted: of(SHARE_KIND.accepted),
    duplicate: of(SHARE_KIND.duplicate),
    lowDifficulty: of(SHARE_KIND.lowDifficulty),
    stale: of(SHARE_KIND.stale),
  };
}
