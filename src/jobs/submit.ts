/**
 * A found block is never lost and never waits (design rule 5): logged, sent to every live daemon at
 * once, sent again until one has answered, also after a restart. Each daemon has its own pace: at once,
 * then after a pause that doubles; one that comes to life meanwhile is served within the next tick.
 * Not here: what an answer means (submission.ts), what becomes of the block (block-watch.ts).
 * Entry point: Submitter.
 */
import type { Clock } from '../clock.ts';
import type { Cancel, Timers } from '../daemon/timers.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { BlockLog, SolvedBlock } from '../ports.ts';
import { isInBestChain, offer } from './submission.ts';
import type { BlockDaemon, Offer } from './submission.ts';

export interface SubmitterOptions {
  /** Key of the job manager. */
  readonly chain: string;
  /** Those that live now. */
  readonly daemons: () => readonly BlockDaemon[];
  /** Whether the settings still name the daemon that a block must go to; every one unless given. */
  readonly isConfigured?: (daemon: string) => boolean;
  /** Asks what a block pays of which that is not known; null where the daemon does not say. */
  readonly askValue?: (daemon: BlockDaemon, block: SolvedBlock) => Promise<bigint | null>;
  readonly blockLog: BlockLog;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** A daemon took the block: its chain has a new tip. */
  readonly onAccepted: () => void;
}

/** Contract §6, block_stats; times in unix seconds. */
export interface BlockStats {
  readonly solves: number;
  readonly accepts: number;
  readonly rejects: number;
  readonly last_solve_hash: string | null;
  readonly last_solve_height: number | null;
  readonly last_solve_time: number | null;
  readonly last_solve_worker: string | null;
  /** Blocks that no daemon has answered for yet. */
  readonly pending: number;
  /** Ms from the solution to the first acceptance, of the last block that was accepted. */
  readonly last_submission_ms: number | null;
  /** Why the last block could not be written to the ledger; null while all is well. */
  readonly block_log_error: string | null;
}

/** Contract §2: 200 tries at 0.1 s while no daemon lives; then at a slower pace. */
const TICK_MS = 100;
const FAST_TICKS = 200;
const SLOW_TICK_MS = 2000;
/** Pauses of one daemon: 0.25, 0.5, 1 … 60 s. */
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 60_000;
/** Blocks carried in memory at a time: a new one takes the place of the oldest, which waits in the ledger. */
const MAX_OPEN = 64;
/** As few as this are carried when those that wait in the ledger are taken up again. */
const LOW_OPEN = MAX_OPEN / 2;
/** Hashes remembered so that a replay is recognised also while the ledger cannot be written. */
const MAX_RECENT = 1024;

/** One daemon's part in the submission of one block. */
interface Try {
  busy: boolean;
  count: number;
  /** Monotonic ms. */
  nextAt: number;
  answer: string | undefined;
}

interface Open {
  readonly block: SolvedBlock;
  /** Monotonic ms. */
  readonly since: number;
  readonly tries: Map<string, Try>;
  ticks: number;
  refused: boolean;
}

export class Submitter {
  readonly #options: SubmitterOptions;
  readonly #open = new Map<string, Open>();
  readonly #recent = new Set<string>();
  /** Those of them that the ledger may still list as pending, as it writes states a little later. */
  readonly #settled = new Set<string>();
  readonly #underWay = new Set<Promise<void>>();
  #cancelTick: Cancel | undefined;
  #stopped = false;
  /** Some logged blocks are not carried in memory. */
  #overflow = false;
  #solves = 0;
  #accepts = 0;
  #rejects = 0;
  #last: SolvedBlock | undefined;
  #lastSubmissionMs: number | null = null;
  #blockLogError: string | null = null;

  constructor(options: SubmitterOptions) {
    this.#options = options;
  }

  /** A replay of this run: not worth assembling a block for. */
  has(hashHexBE: string): boolean {
    return this.#recent.has(hashHexBE);
  }

  /** Logs and submits a solution; false for a replay, which is neither logged nor submitted again. */
  submit(block: SolvedBlock): boolean {
    if (!this.#isNew(block)) return false;
    this.#solves += 1;
    this.#last = block;
    this.#options.log.info(`block ${block.height} found: ${block.hashHexBE}`, {
      address: block.address,
      worker: block.worker,
    });
    if (this.#blockLogError === null) this.#makeRoom();
    this.#carry(block);
    return true;
  }

  /** The newest block is worth most: it is sent at once, whatever the older ones wait for. */
  #makeRoom(): void {
    for (const oldest of this.#open.keys()) {
      if (this.#open.size < MAX_OPEN) return;
      this.#open.delete(oldest);
      this.#overflow = true;
    }
  }

  /** Takes up blocks of the ledger that no daemon has answered for. Never rejects. */
  async resume(): Promise<void> {
    const { blockLog, chain, log } = this.#options;
    this.#overflow = false;
    try {
      for (const block of await blockLog.pending()) {
        const { hashHexBE } = block;
        const isDone = this.#open.has(hashHexBE) || this.#settled.has(hashHexBE);
        if (block.chain !== chain || isDone) continue;
        if (this.#open.size >= MAX_OPEN) {
          this.#overflow = true;
          break;
        }
        remember(this.#recent, hashHexBE);
        if (this.#isLost(block)) continue;
        log.warn(`block ${block.height} has no answer yet, submitted again: ${hashHexBE}`);
        this.#carry(block);
      }
    } catch (error) {
      log.error(
        `unanswered blocks of ${chain} could not be read from the ledger: ${messageOf(error)}; ` +
          `they are submitted at the next start`,
      );
    }
  }

  /** The only daemon that knew the work of this block is not there any more: it is given up. */
  #isLost(block: SolvedBlock): boolean {
    const { isConfigured, blockLog, chain, clock, log } = this.#options;
    const { hashHexBE, submit } = block;
    if (submit.daemon === undefined || isConfigured?.(submit.daemon) !== false) return false;
    const answer =
      'error: the settings do not name this daemon any more, and only it knew the work';
    log.error(`block ${block.height} (${hashHexBE}), daemon ${submit.daemon}: ${answer}`);
    blockLog.answered(chain, hashHexBE, { daemon: submit.daemon, time: clock.now(), answer });
    blockLog.settled(chain, hashHexBE, 'rejected');
    return true;
  }

  stats(): BlockStats {
    const last = this.#last;
    return {
      solves: this.#solves,
      accepts: this.#accepts,
      rejects: this.#rejects,
      last_solve_hash: last?.hashHexBE ?? null,
      last_solve_height: last?.height ?? null,
      last_solve_time: last === undefined ? null : last.time / 1000,
      last_solve_worker: last === undefined ? null : `${last.address}.${last.worker}`,
      pending: this.#open.size,
      last_submission_ms: this.#lastSubmissionMs,
      block_log_error: this.#blockLogError,
    };
  }

  /** Waits for the answers under way; what is still open stays so in the ledger. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTick?.();
    await Promise.allSettled(this.#underWay);
  }

  #isNew(block: SolvedBlock): boolean {
    if (this.#recent.has(block.hashHexBE)) return false;
    remember(this.#recent, block.hashHexBE);
    try {
      const isNew = this.#options.blockLog.append(block);
      this.#blockLogError = null;
      return isNew;
    } catch (error) {
      this.#blockLogError = messageOf(error);
      this.#options.log.error(
        `ALARM: block ${block.height} (${block.hashHexBE}) could not be written to the ledger and is ` +
          `submitted all the same: ${messageOf(error)}`,
      );
      return true;
    }
  }

  #carry(block: SolvedBlock): void {
    const since = this.#options.clock.monotonic();
    const open: Open = { block, since, tries: new Map(), ticks: 0, refused: false };
    this.#open.set(block.hashHexBE, open);
    this.#offerToLive(open);
    this.#arm();
  }

  #arm(): void {
    if (this.#cancelTick !== undefined || this.#stopped || this.#open.size === 0) return;
    const isFresh = [...this.#open.values()].some((open) => open.ticks < FAST_TICKS);
    this.#cancelTick = this.#options.timers.after(isFresh ? TICK_MS : SLOW_TICK_MS, () => {
      this.#cancelTick = undefined;
      for (const open of this.#open.values()) {
        open.ticks += 1;
        if (open.ticks === FAST_TICKS) this.#warnOfWaiting(open.block);
        this.#offerToLive(open);
      }
      this.#arm();
    });
  }

  #warnOfWaiting(block: SolvedBlock): void {
    this.#options.log.error(
      `block ${block.height} (${block.hashHexBE}) has no daemon's answer yet; it is kept and tried on`,
    );
  }

  #offerToLive(open: Open): void {
    const now = this.#options.clock.monotonic();
    const only = open.block.submit.daemon;
    for (const daemon of this.#options.daemons()) {
      if (only !== undefined && daemon.key !== only) continue;
      let attempt = open.tries.get(daemon.key);
      if (attempt === undefined) {
        attempt = { busy: false, count: 0, nextAt: now, answer: undefined };
        open.tries.set(daemon.key, attempt);
      }
      if (attempt.busy || attempt.nextAt > now) continue;
      attempt.busy = true;
      const task: Promise<void> = this.#offerTo(open, daemon, attempt).finally(() =>
        this.#underWay.delete(task),
      );
      this.#underWay.add(task);
    }
  }

  /** Never rejects. */
  async #offerTo(open: Open, daemon: BlockDaemon, attempt: Try): Promise<void> {
    const { clock } = this.#options;
    const result = await offer(daemon, open.block);
    if (result.verdict === 'accepted') await this.#value(open, daemon);
    attempt.busy = false;
    attempt.nextAt =
      clock.monotonic() + Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt.count);
    attempt.count += 1;
    this.#record(open.block, daemon, attempt, result);
    if (result.verdict === 'accepted') {
      if (this.#settle(open, 'accepted')) this.#options.onAccepted();
      await this.#confirm(open.block, daemon);
      return;
    }
    open.refused ||= result.verdict === 'refused';
    const others = [...open.tries.values()].some((one) => one.busy);
    if (open.refused && !others) this.#settle(open, 'rejected');
  }

  /** Adds what the block pays, where that is asked for afterwards. Never rejects. */
  async #value(open: Open, daemon: BlockDaemon): Promise<void> {
    const { askValue, blockLog, chain } = this.#options;
    const { block } = open;
    if (askValue === undefined || block.totalSubsidy !== null) return;
    const value = await askValue(daemon, block);
    if (value !== null) blockLog.valued(chain, block.hashHexBE, value);
  }

  /** A repeated answer of one daemon is recorded once. */
  #record(block: SolvedBlock, daemon: BlockDaemon, attempt: Try, result: Offer): void {
    if (attempt.answer === result.answer) return;
    attempt.answer = result.answer;
    const { blockLog, chain, clock, log } = this.#options;
    const answer = { daemon: daemon.key, time: clock.now(), answer: result.answer };
    blockLog.answered(chain, block.hashHexBE, answer);
    log[result.verdict === 'accepted' ? 'info' : 'warn'](
      `daemon ${daemon.key} on block ${block.height}: ${result.answer}`,
      { hash: block.hashHexBE },
    );
  }

  /** False if the block was settled before. */
  #settle(open: Open, state: 'accepted' | 'rejected'): boolean {
    const { block } = open;
    if (this.#settled.has(block.hashHexBE)) return false;
    this.#open.delete(block.hashHexBE);
    remember(this.#settled, block.hashHexBE);
    if (this.#open.size === 0) {
      this.#cancelTick?.();
      this.#cancelTick = undefined;
    }
    if (this.#overflow && this.#open.size <= LOW_OPEN && !this.#stopped) void this.resume();
    const { blockLog, chain, clock, log } = this.#options;
    blockLog.settled(chain, block.hashHexBE, state);
    if (state === 'accepted') {
      this.#accepts += 1;
      this.#lastSubmissionMs = clock.monotonic() - open.since;
    } else {
      this.#rejects += 1;
      log.error(`block ${block.height} was rejected by every daemon that answered`, {
        hash: block.hashHexBE,
      });
    }
    return true;
  }

  /** Says whether the block became the daemon's best one. Never rejects. */
  async #confirm(block: SolvedBlock, daemon: BlockDaemon): Promise<void> {
    const { log } = this.#options;
    try {
      if (await isInBestChain(daemon, block)) return;
      log.warn(`block ${block.height} is known to daemon ${daemon.key}, not in its best chain`, {
        hash: block.hashHexBE,
      });
    } catch (error) {
      log.debug(`block ${block.height} could not be looked up: ${messageOf(error)}`);
    }
  }
}

/** Adds to a set that keeps the newest MAX_RECENT. */
function remember(hashes: Set<string>, hashHexBE: string): void {
  hashes.add(hashHexBE);
  if (hashes.size <= MAX_RECENT) return;
  for (const oldest of hashes) {
    hashes.delete(oldest);
    return;
  }
}
