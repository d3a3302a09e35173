/**
 * A merge-mined chain: takes work from its daemons, decides what of it is news, offers it to the main
 * chains that name it under `merged`, and sends solved blocks to the daemon that issued the work, the
 * only one that knows it. Nothing here is waited for by a main chain. Runs on the control thread. Not
 * here: when a job is made of it (aux-merge.ts). Entry point: AuxChain. Its group of daemons is started
 * after it and stopped before it.
 */
import type { Clock } from '../clock.ts';
import { toHex } from '../coin/bytes.ts';
import type { AuxChainSettings } from '../config/schema/chains.ts';
import type { DaemonGroup, RawTemplate } from '../daemon/group.ts';
import { systemTimers } from '../daemon/timers.ts';
import type { Timers } from '../daemon/timers.ts';
import { PoolError, messageOf } from '../errors.ts';
import type { Startable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { BlockLog, SolvedBlock, StatusSource } from '../ports.ts';
import type { AuxChange, AuxSolve, AuxSource } from './aux-merge.ts';
import { blockValue } from './aux-value.ts';
import { parseAuxWork } from './aux-work.ts';
import type { AuxWork } from './aux-work.ts';
import { BlockWatch } from './block-watch.ts';
import { Submitter } from './submit.ts';

/** What an aux chain needs of its daemons. */
export type AuxGroup = Pick<
  DaemonGroup,
  'onTemplate' | 'refuse' | 'look' | 'all' | 'live' | 'preferred' | 'status'
>;

export interface AuxChainOptions {
  readonly key: string;
  readonly settings: AuxChainSettings;
  /** Canonical name of the proof-of-work algorithm. */
  readonly algorithm: string;
  readonly diff1: bigint;
  readonly group: AuxGroup;
  readonly blockLog: BlockLog;
  readonly clock: Clock;
  readonly log: Log;
  readonly timers?: Timers;
}

/** Superseded work of one daemon that is recognised when it is handed out again. */
const MAX_SUPERSEDED = 64;

export class AuxChain implements AuxSource, StatusSource, Startable {
  readonly key: string;
  readonly currency: string;
  readonly flush: boolean;
  readonly className = 'MonitorAuxNetwork';
  readonly settings: Readonly<Record<string, unknown>>;
  readonly #options: AuxChainOptions;
  readonly #submitter: Submitter;
  readonly #watch: BlockWatch;
  readonly #listeners = new Set<(change: AuxChange) => void>();
  readonly #unsubscribe: () => void;
  readonly #alarms = new Map<string, string>();
  /** By daemon: ids of work that it replaced with other work. */
  readonly #superseded = new Map<string, Set<string>>();
  #work: AuxWork | undefined;
  /** Monotonic ms of the last good answer. */
  #heardAt = 0;
  /** A job was made without the work because it was too old: its return is news. */
  #missed = false;
  #outdated = 0;
  #lastProblem: string | null = null;
  /** Unix ms; 0 before the first. */
  #lastBlockAt = 0;
  #workAt = 0;
  #lastSignalAt = 0;

  constructor(options: AuxChainOptions) {
    const { key, settings, group, blockLog, clock, log } = options;
    this.key = key;
    this.currency = settings.currency;
    this.flush = settings.flush;
    this.settings = settings;
    this.#options = options;
    const watch = new BlockWatch({
      chain: key,
      daemon: () => group.preferred(),
      blockLog,
      maturity: settings.maturity,
      log,
    });
    this.#watch = watch;
    this.#submitter = new Submitter({
      chain: key,
      daemons: () => group.live,
      askValue: blockValue,
      isConfigured: (daemon) => group.all.some(({ key: name }) => name === daemon),
      blockLog,
      clock,
      timers: options.timers ?? systemTimers,
      log,
      onAccepted: () => {
        group.look('push');
        // A daemon says true also of a block that is not in its best chain: look now, not at the next tip.
        watch.newTip();
      },
    });
    this.#unsubscribe = group.onTemplate((raw) => this.#arrived(raw));
  }

  async start(): Promise<void> {
    await this.#submitter.resume();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    await Promise.all([this.#submitter.stop(), this.#watch.stop()]);
  }

  /**
   * While no daemon answers, the last work stays: until the next tip of the main chain, or until it is
   * older than stale_after.
   */
  current(forNewTip: boolean): AuxWork | undefined {
    if (this.#work === undefined) return undefined;
    const isServed = this.#options.group.preferred() !== undefined;
    if (!this.#isStale(isServed) && (isServed || !forNewTip)) return this.#work;
    this.#missed = true;
    return undefined;
  }

  onWork(listener: (change: AuxChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  alarm(mainChain: string, reason: string | undefined): void {
    if (reason === undefined) this.#alarms.delete(mainChain);
    else this.#alarms.set(mainChain, reason);
  }

  /** A push notification came (contract §7): look for a new block now. */
  lookNow(): void {
    this.#lastSignalAt = this.#options.clock.now();
    this.#options.group.look('push');
  }

  /** Sends the block to the daemon that issued the work, outdated or not: it decides. */
  solved(found: AuxSolve): void {
    const { work } = found;
    if (this.#submitter.has(work.hashHexBE)) return;
    if (work !== this.#work) this.#outdated += 1;
    this.#submitter.submit(this.#blockOf(found));
  }

  status(): Record<string, unknown> {
    const network = this.#networkStatus();
    const isServed = this.#options.group.preferred() !== undefined;
    return {
      currency: this.currency,
      net_state: network,
      current_net: network,
      block_stats: {
        ...this.#submitter.stats(),
        ...this.#watch.stats(),
        stale: this.#outdated,
      },
      last_signal: this.#lastSignalAt / 1000,
      last_work: this.#workStatus(),
      stale: this.#work === undefined || this.#isStale(isServed),
      problem: this.#lastProblem,
      alarms: Object.fromEntries(this.#alarms),
      ...this.#options.group.status(),
    };
  }

  #networkStatus(): Record<string, unknown> {
    const work = this.#work;
    return {
      difficulty: work?.networkDifficulty ?? null,
      height: work?.height ?? null,
      last_block: this.#lastBlockAt / 1000,
      prev_hash: work?.prevHashHexBE ?? null,
      transactions: null,
      subsidy: work === undefined || work.value === null ? null : Number(work.value),
    };
  }

  #workStatus(): Record<string, unknown> | null {
    const work = this.#work;
    if (work === undefined) return null;
    const { clock } = this.#options;
    return {
      hash: work.hashHexBE,
      chain_id: work.chainId,
      height: work.height,
      bits: work.bitsHex,
      daemon: work.daemon,
      since: this.#workAt / 1000,
      last_answer_s: (clock.monotonic() - this.#heardAt) / 1000,
    };
  }

  /** Without polling a daemon is asked for work only when there is a block: its pings stand for answers. */
  #isStale(isServed: boolean): boolean {
    const { settings, clock } = this.#options;
    if (isServed && settings.poll === false) return false;
    return clock.monotonic() - this.#heardAt > settings.stale_after * 1000;
  }

  #arrived(raw: RawTemplate): void {
    const { settings, diff1 } = this.#options;
    try {
      const work = parseAuxWork(raw, { chainId: settings.chain_id, diff1 });
      if (this.#superseded.get(work.daemon)?.has(work.hashHexBE) === true) {
        this.#refuse(raw, `work ${work.hashHexBE} is handed out again after newer work`);
      } else {
        this.#take(work, raw.receivedAt);
      }
    } catch (error) {
      if (!(error instanceof PoolError)) throw error;
      this.#refuse(raw, messageOf(error));
    }
  }

  #refuse(raw: RawTemplate, reason: string): void {
    this.#lastProblem = `${raw.daemon.key}: ${reason}`;
    this.#options.group.refuse(raw, reason);
  }

  #take(work: AuxWork, receivedAt: number): void {
    const before = this.#work;
    this.#heardAt = this.#options.clock.monotonic();
    this.#lastProblem = null;
    const isSame = before !== undefined && sameWork(before, work);
    if (isSame && !this.#missed) return;
    this.#missed = false;
    const newBlock = before === undefined || isNewBlock(before, work);
    if (!isSame) {
      if (before?.daemon === work.daemon) this.#supersede(before);
      this.#work = work;
      this.#workAt = receivedAt;
    }
    if (newBlock) {
      this.#lastBlockAt = receivedAt;
      this.#watch.newTip();
    }
    for (const listener of this.#listeners) listener({ newBlock });
  }

  #supersede({ daemon, hashHexBE }: AuxWork): void {
    const hashes = this.#superseded.get(daemon) ?? new Set();
    this.#superseded.set(daemon, hashes.add(hashHexBE));
    const oldest = hashes.values().next().value;
    if (hashes.size > MAX_SUPERSEDED && oldest !== undefined) hashes.delete(oldest);
  }

  #blockOf({ work, solve, proof }: AuxSolve): SolvedBlock {
    const { settings, algorithm, clock } = this.#options;
    return {
      chain: this.key,
      currency: this.currency,
      algorithm,
      hashHexBE: work.hashHexBE,
      height: work.height,
      address: solve.address,
      worker: solve.worker,
      server: solve.server,
      time: clock.now(),
      totalSubsidy: work.value,
      fees: null,
      bitsHex: work.bitsHex,
      merged: true,
      networkDifficulty: work.networkDifficulty,
      submit: {
        kind: settings.pool_address === null ? 'getauxblock' : 'submitauxblock',
        hex: Buffer.from(toHex(proof()), 'latin1'),
        daemon: work.daemon,
      },
    };
  }
}

function sameWork(a: AuxWork, b: AuxWork): boolean {
  const isSameBlock = a.hashHexBE === b.hashHexBE && a.daemon === b.daemon;
  return isSameBlock && a.chainId === b.chainId && a.bitsHex === b.bitsHex && a.height === b.height;
}

function isNewBlock(before: AuxWork, work: AuxWork): boolean {
  if (before.prevHashHexBE === undefined || work.prevHashHexBE === undefined) {
    return before.height !== work.height;
  }
  return before.prevHashHexBE !== work.prevHashHexBE;
}
