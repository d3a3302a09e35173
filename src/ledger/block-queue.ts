/**
 * Operations on blocks wait here, in order, until the main file has taken them: a full disk delays a
 * block's row (its file keeps it safe), it does not lose it. Writer thread.
 */
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { SettledBlock } from './block-table.ts';
import type { BlockOperation } from './messages.ts';
import type { LedgerStore } from './store.ts';

/** Answers beyond this are dropped, oldest first; blocks are few and their files stay. */
const MAX_WAITING = 10_000;

export class BlockQueue {
  readonly #store: LedgerStore;
  readonly #log: Log;
  readonly #onSettled: (block: SettledBlock) => void;
  #waiting: BlockOperation[] = [];
  #failing = false;

  constructor(store: LedgerStore, log: Log, onSettled: (block: SettledBlock) => void) {
    this.#store = store;
    this.#log = log;
    this.#onSettled = onSettled;
  }

  add(operations: readonly BlockOperation[]): void {
    this.#waiting.push(...operations);
    if (this.#waiting.length > MAX_WAITING)
      this.#waiting.splice(0, this.#waiting.length - MAX_WAITING);
  }

  /** Tries what waits; what fails stays and is tried at the next call. */
  run(): void {
    if (this.#waiting.length === 0) return;
    try {
      const { settled, problems } = this.#store.applyBlocks(this.#waiting);
      this.#waiting = [];
      this.#failing = false;
      for (const problem of problems) this.#log.error(problem);
      for (const block of settled) this.#onSettled(block);
    } catch (error) {
      if (!this.#failing) {
        this.#log.error(
          `solved blocks cannot be entered in the ledger: ${messageOf(error)}. They are kept in ` +
            `their files and entered once this works again`,
        );
      }
      this.#failing = true;
    }
  }
}
