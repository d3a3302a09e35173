/**
 * A reporter of your own: appends the accepted shares to a CSV file. Used as
 * `type: './csv-sink.ts#CsvSink'` with the setting `file`. It keeps no position of its own, so the pool
 * does: after a crash the last batch may come again, recognisable by its sequence numbers.
 */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

interface Share {
  readonly seq: number;
  readonly address: string;
  readonly worker: string;
  readonly kind: number;
  readonly difficulty: number;
  readonly time: number;
}

interface Batch {
  shares(): AsyncIterable<readonly Share[]>;
}

export class CsvSink {
  readonly keeps = 'ledger';
  readonly pace = { maxShares: 10_000, maxSlices: 10_000, intervalMs: 1000 };
  readonly #path: string;
  #file: FileHandle | undefined;

  constructor(context: { readonly settings: { readonly file: string } }) {
    this.#path = context.settings.file;
  }

  async open(): Promise<undefined> {
    await this.#file?.close();
    this.#file = await open(this.#path, 'a');
  }

  /** Resolves once the lines are on disk; if it rejects, the same batch comes again. */
  async deliver(batch: Batch): Promise<void> {
    for await (const page of batch.shares()) {
      const lines = page
        .filter(({ kind }) => kind === 0)
        .map((one) => [one.seq, one.time, one.address, one.worker, one.difficulty].join(','));
      if (lines.length > 0) await this.#file?.appendFile(`${lines.join('\n')}\n`);
    }
    await this.#file?.sync();
  }

  async stop(): Promise<void> {
    await this.#file?.close();
  }
}
