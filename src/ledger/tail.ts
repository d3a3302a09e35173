/**
 * The shares that are in no minute group yet, summed: what makes a reader's answers current to the
 * second. Reads each batch once and starts over when the watermark has moved.
 */
import type { Batch } from './day-file.ts';
import { MinuteTable } from './minute-table.ts';
import { RecordView } from './record.ts';

export class Tail {
  readonly #minuteMs: number;
  readonly #batchesFrom: (seq: number) => Iterable<Batch>;
  #watermark = -1;
  #nextSeq = 0;
  #minutes = new Map<number, MinuteTable>();

  constructor(minuteMs: number, batchesFrom: (seq: number) => Iterable<Batch>) {
    this.#minuteMs = minuteMs;
    this.#batchesFrom = batchesFrom;
  }

  /** The sums by minute of all records from `watermark` on. */
  update(watermark: number): ReadonlyMap<number, MinuteTable> {
    if (watermark !== this.#watermark) {
      this.#watermark = watermark;
      this.#nextSeq = watermark;
      this.#minutes = new Map();
    }
    for (const batch of this.#batchesFrom(this.#nextSeq)) {
      const minute = Math.floor(batch.timeMs / this.#minuteMs);
      let table = this.#minutes.get(minute);
      if (table === undefined) this.#minutes.set(minute, (table = new MinuteTable()));
      table.addBatch(new RecordView(batch.data), Math.max(0, this.#nextSeq - batch.seq));
      this.#nextSeq = batch.seq + batch.count;
    }
    return this.#minutes;
  }
}
