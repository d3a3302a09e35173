/**
 * A main chain as the stratum servers see it: takes templates from its daemons, decides which of them
 * are news, keeps the jobs that can be submitted to, and turns solutions into blocks. Runs on the control
 * thread. Not here: how a job is made (prepare.ts, builder.ts), how a block is sent (submit.ts).
 * Entry point: MainChain. Its group of daemons is started after it and stopped before it.
 */
import { blockIdHexBE } from '../coin/block.ts';
import { coinbaseTransaction } from '../coin/coinbase.ts';
import { sha256d } from '../coin/hash.ts';
import type { Clock } from '../clock.ts';
import type { DaemonGroup, RawTemplate } from '../daemon/group.ts';
import { systemTimers } from '../daemon/timers.ts';
import type { Cancel, Timers } from '../daemon/timers.ts';
import { PoolError, messageOf } from '../errors.ts';
import type { Startable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type {
  BlockLog,
  Job,
  JobKind,
  JobSource,
  Readiness,
  SolvedBlock,
  Solve,
  StatusSource,
} from '../ports.ts';
import { BlockWatch } from './block-watch.ts';
import { AuxMerge } from './aux-merge.ts';
import type { AuxSource, TakenAux } from './aux-merge.ts';
import { blockHex, makeJob, scriptSigProblem } from './builder.ts';
import type { JobWork } from './builder.ts';
import { chainRules } from './chain-rules.ts';
import type { ChainOptions } from './chain-rules.ts';
import { JobHistory } from './history.ts';
import type { RunIdentity } from './identity.ts';
import { PayTo } from './pool-script.ts';
import { prepare, prepareEmpty, sameWork } from './prepare.ts';
import type { ChainRules, PreparedWork } from './prepare.ts';
import { Submitter } from './submit.ts';
import { TemplateError } from './template-error.ts';
import { parseTemplate } from './template.ts';
import { jobVersion } from './version.ts';

/** What a main chain needs of its daemons. */
export type TemplateGroup = Pick<
  DaemonGroup,
  'onTemplate' | 'refuse' | 'look' | 'live' | 'preferred' | 'status'
>;

export type ChainCounter = 'work_restarts' | 'new_jobs' | 'work_pushes';

export interface MainChainOptions extends ChainOptions {
  readonly group: TemplateGroup;
  readonly blockLog: BlockLog;
  readonly identity: RunIdentity;
  readonly clock: Clock;
  readonly log: Log;
  readonly count: (name: ChainCounter, n: number) => void;
  readonly timers?: Timers;
  /** The chains that are merge-mined with this one, in the order of the setting merged. */
  readonly aux?: readonly AuxSource[];
}

/** Jobs of the tip before the newest that are kept for a late solution. */
const MAX_STALE_JOBS = 8;
/** Least time between two jobs that differ in nothing but their coinbase. */
const VARIANT_MS = 3000;
/** A template with nothing new makes a job all the same when the newest job's time is this old. */
const TIME_REFRESH_S = 600;

export class MainChain implements JobSource, StatusSource, Readiness, Startable {
  readonly key: string;
  readonly algorithm: string;
  readonly className = 'MonitorNetwork';
  readonly settings: Readonly<Record<string, unknown>>;
  readonly #options: MainChainOptions;
  readonly #timers: Timers;
  readonly #payTo: PayTo;
  readonly #rules: ChainRules;
  readonly #history: JobHistory;
  readonly #submitter: Submitter;
  readonly #watch: BlockWatch;
  readonly #jobListeners = new Set<(job: Job) => void>();
  readonly #retireListeners = new Set<(jobIds: readonly string[]) => void>();
  readonly #merge: AuxMerge;
  readonly #unsubscribe: () => void;
  #current: JobWork | undefined;
  /** Monotonic ms at which the newest job was made. */
  #madeAt = 0;
  #cancelVariant: Cancel | undefined;
  #jobsMade = 0;
  /** Unix ms; 0 before the first. */
  #lastBlockAt = 0;
  #lastSignalAt = 0;
  #templateToJobMs: number | null = null;

  /** Throws TemplateError where pool_address cannot be paid to, or no coinbase fits its limit. */
  constructor(options: MainChainOptions) {
    const { key, settings, group, blockLog, clock, log } = options;
    this.key = key;
    this.algorithm = options.algorithm;
    this.settings = settings;
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    this.#payTo = new PayTo({
      chain: key,
      poolAddress: settings.pool_address,
      versions: settings.address_versions,
      bech32Hrp: settings.bech32_hrp,
      network: settings.network,
    });
    this.#rules = chainRules(options, this.#payTo);
    this.#history = new JobHistory(settings.max_jobs, MAX_STALE_JOBS);
    this.#submitter = new Submitter({
      chain: key,
      daemons: () => group.live,
      blockLog,
      clock,
      timers: this.#timers,
      log,
      onAccepted: () => group.look('push'),
    });
    this.#watch = new BlockWatch({
      chain: key,
      daemon: () => group.preferred(),
      blockLog,
      maturity: settings.maturity,
      log,
    });
    const aux = options.aux ?? [];
    const problem = scriptSigProblem({
      coinbaseTag: settings.coinbase_tag,
      extranonceSize: options.extranonceSize,
      merged: aux.length > 0,
    });
    if (problem !== undefined) throw new TemplateError('SCRIPT_SIG', `${key}: ${problem}`);
    this.#merge = new AuxMerge({
      chain: key,
      sources: aux,
      coalesceMs: settings.aux_coalesce * 1000,
      timers: this.#timers,
      log,
      onDue: () => this.#auxDue(),
    });
    this.#unsubscribe = group.onTemplate((template) => this.#arrived(template));
  }

  /** Submits again what earlier runs left unanswered; jobs come with the group's first template. */
  async start(): Promise<void> {
    await this.#submitter.resume();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    this.#cancelVariant?.();
    this.#merge.stop();
    await Promise.all([this.#submitter.stop(), this.#watch.stop()]);
  }

  current(): Job | undefined {
    return this.#current?.job;
  }

  onJob(listener: (job: Job) => void): () => void {
    this.#jobListeners.add(listener);
    return () => this.#jobListeners.delete(listener);
  }

  onRetire(listener: (jobIds: readonly string[]) => void): () => void {
    this.#retireListeners.add(listener);
    return () => this.#retireListeners.delete(listener);
  }

  waitingFor(): string | undefined {
    return this.#current === undefined ? `a block template of ${this.key}` : undefined;
  }

  /** A push notification came (contract §7): look for a new block now. */
  lookNow(): void {
    this.#lastSignalAt = this.#options.clock.now();
    this.#options.group.look('push');
  }

  /** At once if the newest job is old enough, else when it is; one job for all who asked meanwhile. */
  requestVariant(): void {
    if (this.#current === undefined || this.#cancelVariant !== undefined) return;
    const wait = this.#madeAt + VARIANT_MS - this.#options.clock.monotonic();
    if (wait <= 0) this.#makeVariant();
    else this.#cancelVariant = this.#timers.after(wait, () => this.#makeVariant());
  }

  /** Every chain that is solved goes its own way, the main block first. */
  solved(solve: Solve): void {
    const work = this.#history.find(solve.jobId);
    if (work === undefined) {
      this.#options.log.error(
        `a solution came for job ${solve.jobId}, which is not known any more`,
        {
          worker: `${solve.address}.${solve.worker}`,
        },
      );
      return;
    }
    // What is wrong with the block of one chain must not cost another chain its own.
    if (solve.chains.includes(this.key)) {
      this.#guarded('a solved block', () => this.#submitMain(work, solve));
    }
    const { merged } = work;
    if (merged === undefined) return;
    this.#guarded('a solution of a merge-mined chain', () =>
      this.#merge.solved(solve, merged, {
        coinbase: coinbaseTransaction(work.coinbase, solve.extranonce, { witness: false }),
        parentHashLE: sha256d(solve.header),
        coinbaseBranch: work.job.branch,
        header: solve.header,
      }),
    );
  }

  status(): Record<string, unknown> {
    const network = this.#networkStatus();
    return {
      currency: this.#rules.currency,
      net_state: network,
      current_net: network,
      block_stats: { ...this.#submitter.stats(), ...this.#watch.stats() },
      last_signal: this.#lastSignalAt / 1000,
      job_count: this.#history.size,
      jobs_made: this.#jobsMade,
      template_to_job_ms: this.#templateToJobMs,
      merged: this.#merge.status(),
      ...this.#options.group.status(),
    };
  }

  #submitMain(work: JobWork, solve: Solve): void {
    const powHash = this.#options.settings.pow_block_hash ? solve.powHashLE : undefined;
    const hashHexBE = blockIdHexBE(solve.header, powHash);
    if (!this.#submitter.has(hashHexBE))
      this.#submitter.submit(this.#blockOf(work, solve, hashHexBE));
  }

  #networkStatus(): Record<string, unknown> {
    const work = this.#current;
    const template = work?.prepared.template;
    return {
      difficulty: work?.job.networkDifficulty ?? null,
      height: work?.job.height ?? null,
      last_block: this.#lastBlockAt / 1000,
      prev_hash: template?.prevHashHexBE ?? null,
      transactions: work?.prepared.transactionCount ?? null,
      subsidy: template === undefined ? null : Number(template.coinbaseValue),
    };
  }

  #arrived(raw: RawTemplate): void {
    const startedAt = this.#options.clock.monotonic();
    try {
      const reason = this.#wrongNetwork(raw);
      if (reason !== undefined) this.#options.group.refuse(raw, reason);
      else this.#take(raw, startedAt);
    } catch (error) {
      // CoinError and TemplateError: no valid block can be made of it. Anything else is a defect.
      if (!(error instanceof PoolError)) throw error;
      this.#options.group.refuse(raw, messageOf(error));
    }
  }

  #wrongNetwork(raw: RawTemplate): string | undefined {
    const info = this.#options.group.status().coinservers[raw.daemon.key]?.last_getinfo;
    const network = info?.['chain'];
    return typeof network === 'string' ? this.#payTo.whyNotOn(network) : undefined;
  }

  #take(raw: RawTemplate, startedAt: number): void {
    const { settings } = this.#options;
    const template = parseTemplate(raw.body, settings.rules ?? []);
    const before = this.#current;
    const previous = before?.prepared.template;
    const isNewTip = previous?.prevHashHexBE !== template.prevHashHexBE;
    const isOld = before !== undefined && template.curTime - before.job.time >= TIME_REFRESH_S;
    if (!isNewTip && previous !== undefined && !isOld && sameWork(previous, template)) return;
    const tip = (before?.job.tip ?? 0) + (isNewTip ? 1 : 0);
    let kind: JobKind = isNewTip ? 'flush' : 'plain';
    if (isNewTip && settings.empty_first && template.transactions.count > 0) {
      const empty = prepareEmpty(template, this.#rules);
      if (empty !== undefined) {
        this.#make(empty, kind, tip, raw.receivedAt);
        kind = 'push';
      }
    }
    this.#make(prepare(template, this.#rules), kind, tip, raw.receivedAt);
    this.#templateToJobMs = this.#options.clock.monotonic() - startedAt;
    if (isNewTip) {
      this.#lastBlockAt = raw.receivedAt;
      this.#watch.newTip();
    }
  }

  #makeVariant(): void {
    const work = this.#current;
    this.#cancelVariant = undefined;
    if (work === undefined) return;
    this.#guarded('a job on the same template', () =>
      this.#make(work.prepared, 'plain', work.job.tip, this.#options.clock.now()),
    );
  }

  /** Aux work changed and nothing has made a job since. */
  #auxDue(): void {
    const work = this.#current;
    if (work === undefined) return;
    this.#guarded('a job for new aux work', () => {
      const taken = this.#takeAux(work.prepared, false);
      if (!taken.isNews) return;
      this.#make(work.prepared, 'push', work.job.tip, this.#options.clock.now(), taken);
    });
  }

  #takeAux(prepared: PreparedWork, isNewTip: boolean): TakenAux {
    const { version_rolling: rolling } = this.#options.settings;
    const clashing = (ids: readonly number[]): readonly number[] =>
      jobVersion(prepared.template, rolling, ids).clashes;
    return this.#merge.take(isNewTip, clashing);
  }

  /** A job that brings news of an aux chain goes out at once, whatever it was made for. */
  #make(
    prepared: PreparedWork,
    wanted: JobKind,
    tip: number,
    bornAt: number,
    taken = this.#takeAux(prepared, wanted === 'flush'),
  ): void {
    const { clock, count, identity } = this.#options;
    const { merged, isNews, clean } = taken;
    const kind = wanted === 'plain' && isNews ? 'push' : wanted;
    const work = makeJob(prepared, this.#rules, {
      identity: identity.nextJob(),
      kind,
      clean: kind === 'flush' || clean,
      tip,
      bornAt,
      merged,
    });
    this.#current = work;
    this.#madeAt = clock.monotonic();
    this.#cancelVariant?.();
    this.#cancelVariant = undefined;
    const retired = this.#history.add(work);
    this.#tell(this.#jobListeners, work.job);
    if (retired.length > 0) this.#tell(this.#retireListeners, retired);
    this.#jobsMade += 1;
    count('new_jobs', 1);
    if (kind === 'flush') count('work_restarts', 1);
    if (kind === 'push') count('work_pushes', 1);
  }

  /** For what messages and timers call: a failure there has nobody else to tell of it. */
  #guarded(what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.log.error(`ALARM: ${what} of ${this.key} failed: ${messageOf(error)}`, {
        stack: error instanceof Error ? error.stack : undefined,
      });
    }
  }

  #tell<T>(listeners: ReadonlySet<(value: T) => void>, value: T): void {
    for (const listener of listeners) this.#guarded('a listener', () => listener(value));
  }

  #blockOf(work: JobWork, solve: Solve, hashHexBE: string): SolvedBlock {
    const { job, prepared } = work;
    const { template } = prepared;
    return {
      chain: this.key,
      currency: job.currency,
      algorithm: job.algorithm,
      hashHexBE,
      height: job.height,
      address: solve.address,
      worker: solve.worker,
      server: solve.server,
      time: this.#options.clock.now(),
      totalSubsidy: prepared.value,
      fees: prepared.fees,
      bitsHex: template.bitsHex,
      merged: false,
      networkDifficulty: job.networkDifficulty,
      submit: {
        kind: 'block',
        hex: Buffer.concat(blockHex(work, solve.header, solve.extranonce)),
        ...(template.workId === undefined ? {} : { workId: template.workId }),
      },
    };
  }
}
