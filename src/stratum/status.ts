/**
 * What the control thread knows of one stratum server, as the monitor shows it (contract §6). The
 * numbers arrive batched from the listener threads. Entry point: ServerStatus.
 */
import type { Clock } from '../clock.ts';
import type { Job, StatusSource } from '../ports.ts';
import { DifficultyWindow } from '../stats/hashrate.ts';
import type { Directory } from './directory.ts';
import type { CounterDeltas } from './messages.ts';
import type { StratumServer } from './manager.ts';
import { ACCEPTED } from './refusals.ts';

const HASHRATE_SPAN_MS = 60_000;

export interface JobCounts {
  readonly active: number;
  readonly stale: number;
}

export class ServerStatus implements StatusSource {
  readonly key: string;
  readonly className = 'StratumServer';
  readonly settings: Readonly<Record<string, unknown>>;
  jobs: JobCounts = { active: 0, stale: 0 };
  /** Port that is listened on; 0 before the start. */
  port = 0;
  readonly #server: StratumServer;
  readonly #directory: Directory;
  readonly #clock: Clock;
  readonly #accepted: DifficultyWindow;
  readonly #totals = new Map<string, number>();
  #lastFlush: Record<string, unknown> | null = null;

  constructor(server: StratumServer, directory: Directory, clock: Clock) {
    this.key = server.key;
    this.settings = server.settings;
    this.#server = server;
    this.#directory = directory;
    this.#clock = clock;
    this.#accepted = new DifficultyWindow(clock.now());
  }

  /** Amounts since the last call. */
  count(deltas: CounterDeltas): void {
    for (const [name, amount] of Object.entries(deltas)) {
      this.#totals.set(name, this.total(name) + amount);
    }
    const difficulty = deltas[ACCEPTED.counter];
    if (difficulty !== undefined) this.#accepted.add(difficulty, this.#clock.now());
  }

  /** A counter since the start. */
  total(counter: string): number {
    return this.#totals.get(counter) ?? 0;
  }

  /** Hashes per second over the last minute. */
  hashrate(): number {
    const { hashesPerShare } = this.#server;
    return this.#accepted.hashrate(HASHRATE_SPAN_MS, this.#clock.now(), hashesPerShare);
  }

  noteJob(job: Job): void {
    if (job.kind !== 'flush') return;
    this.#lastFlush = {
      algo: job.algorithm,
      pow_block_hash: this.#server.powBlockHash,
      currency: job.currency,
      job_id: job.id,
      merged_networks: job.aux.map((aux) => aux.currency),
      pushed_at: new Date(this.#clock.now()).toISOString(),
    };
  }

  status(): Record<string, unknown> {
    const hps = this.hashrate();
    return {
      mhps: hps / 1e6,
      hps,
      last_flush_job: this.#lastFlush,
      ...this.#directory.counts(this.key),
      active_jobs: this.jobs.active,
      stale_jobs: this.jobs.stale,
    };
  }
}
