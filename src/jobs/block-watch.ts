/**
 * What becomes of accepted blocks: at every new tip the daemon in use is asked which block it has at
 * the heights of those that are still open, a bounded number at a time and in turn, until each is
 * matured or out of the best chain for good (the ledger stops listing an orphan after a day). Asked by
 * height and not by hash: bcoin counts confirmations also for blocks beside its best chain. Entry
 * point: BlockWatch.
 */
import type { CallResult } from '../daemon/envelope.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { BlockLog, BlockRef, BlockState } from '../ports.ts';
import type { BlockDaemon } from './submission.ts';

export interface BlockWatchOptions {
  readonly chain: string;
  readonly daemon: () => Pick<BlockDaemon, 'key' | 'batch'> | undefined;
  readonly blockLog: BlockLog;
  /** Confirmations from which on a reward can be spent. */
  readonly maturity: number;
  readonly log: Log;
}

const MAX_LOOKUPS = 20;

export class BlockWatch {
  readonly #options: BlockWatchOptions;
  #running: Promise<void> | undefined;
  #turn = 0;
  #orphans = 0;
  #matured = 0;

  constructor(options: BlockWatchOptions) {
    this.#options = options;
  }

  /** Blocks of this run that left the best chain, less those that came back; and those that matured. */
  stats(): { readonly orphans: number; readonly matured: number } {
    return { orphans: this.#orphans, matured: this.#matured };
  }

  /** One look at a time: a tip that comes during one is covered by the next. */
  newTip(): void {
    this.#running ??= this.#look().finally(() => {
      this.#running = undefined;
    });
  }

  async stop(): Promise<void> {
    await this.#running;
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { blockLog, chain, daemon, log } = this.#options;
    try {
      const all = await blockLog.unsettled(chain);
      const asked = daemon();
      if (asked === undefined || all.length === 0) return;
      const some = this.#choose(all);
      const hashes = some.map(({ height }) => ({ method: 'getblockhash', params: [height] }));
      const results = await asked.batch([{ method: 'getblockcount', params: [] }, ...hashes]);
      const tip = results[0]?.ok === true ? results[0].result : undefined;
      if (typeof tip !== 'number') return;
      for (const [index, block] of some.entries()) {
        const result = results[index + 1];
        if (result !== undefined) this.#judge(block, result, tip - block.height + 1);
      }
    } catch (error) {
      log.warn(`found blocks of ${chain} could not be looked up: ${messageOf(error)}; next block`);
    }
  }

  /** The newest half of the limit always, as those may be orphaned; the older ones take turns. */
  #choose(all: readonly BlockRef[]): readonly BlockRef[] {
    if (all.length <= MAX_LOOKUPS) return all;
    const newest = all.slice(-MAX_LOOKUPS / 2);
    const older = all.slice(0, -MAX_LOOKUPS / 2);
    const start = this.#turn % older.length;
    this.#turn = start + MAX_LOOKUPS / 2;
    return [...older.slice(start, start + MAX_LOOKUPS / 2), ...newest];
  }

  /** `confirmations` if it is in the best chain. */
  #judge(block: BlockRef, result: CallResult, confirmations: number): void {
    if (!result.ok || typeof result.result !== 'string') return;
    const isThere = result.result.toLowerCase() === block.hashHexBE;
    const matured = confirmations >= this.#options.maturity ? 'matured' : 'accepted';
    const state: BlockState = isThere ? matured : 'orphaned';
    if (state === block.state) return;
    const { blockLog, chain, log } = this.#options;
    blockLog.settled(chain, block.hashHexBE, state);
    if (state === 'matured') this.#matured += 1;
    if (state === 'orphaned') this.#orphans += 1;
    if (block.state === 'orphaned') this.#orphans = Math.max(0, this.#orphans - 1);
    log[state === 'orphaned' ? 'warn' : 'info'](`block ${block.height} is ${state}`, {
      hash: block.hashHexBE,
    });
  }
}
