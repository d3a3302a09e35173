/**
 * Refused shares on their way to the ledger: summed per worker, source and kind, written once a second
 * as one record each, so that a flood of them costs the ledger nothing. Nobody waits for these records.
 */
import type { LedgerWriter } from '../ledger/writer.ts';
import type { ShareKind } from '../ports.ts';

interface Sum {
  readonly worker: number;
  readonly source: number;
  readonly kind: ShareKind;
  height: number;
  count: number;
  difficulty: number;
}

const NO_HASH = new Uint8Array(32);
const SOURCES = 2 ** 16;
const KINDS = 4;

export type TallyLedger = Pick<LedgerWriter, 'add' | 'flush' | 'releaseWorker'>;

export class RefusalTally {
  readonly #ledger: TallyLedger;
  readonly #sums = new Map<number, Sum>();
  #leaving: number[] = [];

  constructor(ledger: TallyLedger) {
    this.#ledger = ledger;
  }

  add(worker: number, source: number, kind: ShareKind, height: number, difficulty: number): void {
    const key = (worker * SOURCES + source) * KINDS + kind;
    const sum = this.#sums.get(key);
    if (sum === undefined) {
      this.#sums.set(key, { worker, source, kind, height, count: 1, difficulty });
      return;
    }
    sum.count++;
    sum.height = height;
    sum.difficulty += difficulty;
  }

  /** Gives a worker's ref back once nothing here names it any more. */
  release(worker: number): void {
    this.#leaving.push(worker);
  }

  flush(nowMs: number): void {
    for (const { worker, source, kind, height, count, difficulty } of this.#sums.values()) {
      this.#ledger.add(worker, source, kind, nowMs, difficulty, 0, height, NO_HASH, 0, count, 0);
    }
    this.#sums.clear();
    this.#ledger.flush();
    for (const worker of this.#leaving) this.#ledger.releaseWorker(worker);
    this.#leaving = [];
  }
}
