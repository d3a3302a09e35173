/**
 * What becomes of accepted blocks: at every new tip the daemon in use is asked about those that are
 * still open, a bounded number at a time and in turn, until each is matured or out of the best chain
 * for good (the ledger stops listing an orphan after a day). Entry point: BlockWatch.
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
/** RPC_INVALID_ADDRESS_OR_KEY: no such block. */
const NOT_FOUND = -5;
const METHOD_NOT_FOUND = -32601;
/** A block that the daemon does not know counts as orphaned when the chain is this far past it. */
const UNKNOWN_DEPTH = 6;

export class BlockWatch {
  readonly #options: BlockWatchOptions;
  #method: 'getblockheader' | 'getblock' = 'getblockheader';
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

  /** `height` of the newest block. One look at a time: a tip that comes meanwhile is not waited for. */
  newTip(height: number): void {
    this.#running ??= this.#look(height).finally(() => {
      this.#running = undefined;
    });
  }

  async stop(): Promise<void> {
    await this.#running;
  }

  /** Never rejects. */
  async #look(height: number): Promise<void> {
    const { blockLog, chain, daemon, log } = this.#options;
    try {
      const asked = daemon();
      const all = await blockLog.unsettled(chain);
      if (asked === undefined || all.length === 0) return;
      const some = this.#choose(all);
      const calls = some.map((one) => ({ method: this.#method, params: [one.hashHexBE] }));
      const results = await asked.batch(calls);
      for (const [index, block] of some.entries()) {
        const result = results[index];
        if (result !== undefined) this.#judge(block, result, height);
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

  #judge(block: BlockRef, result: CallResult, height: number): void {
    if (!result.ok && result.error.rpcCode === METHOD_NOT_FOUND) this.#method = 'getblock';
    const state = stateOf(result, height - block.height, this.#options.maturity);
    if (state === undefined || state === block.state) return;
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

/** Undefined where the answer decides nothing. */
function stateOf(result: CallResult, depth: number, maturity: number): BlockState | undefined {
  if (!result.ok) {
    return result.error.rpcCode === NOT_FOUND && depth >= UNKNOWN_DEPTH ? 'orphaned' : undefined;
  }
  const { result: value } = result;
  if (typeof value !== 'object' || value === null || !('confirmations' in value)) return undefined;
  const { confirmations } = value;
  if (typeof confirmations !== 'number') return undefined;
  if (confirmations < 1) return 'orphaned';
  return confirmations >= maturity ? 'matured' : 'accepted';
}
