/**
 * Jobs that can still be submitted to: those of the newest tip, and a few of the tip before it, since
 * a late solution may still win. Bounded in both; what falls out is reported so that listeners forget
 * it too. A solution may be on its way from a listener meanwhile, so the newest of what fell out can
 * still be found.
 */
import type { JobWork } from './builder.ts';

/** Forgotten jobs that a solution may still come for. */
const MAX_RETIRED = 16;

export class JobHistory {
  readonly #maxActive: number;
  readonly #maxStale: number;
  /** Oldest first. */
  readonly #works = new Map<string, JobWork>();
  readonly #retired = new Map<string, JobWork>();

  constructor(maxActive: number, maxStale: number) {
    this.#maxActive = maxActive;
    this.#maxStale = maxStale;
  }

  get size(): number {
    return this.#works.size;
  }

  get(jobId: string): JobWork | undefined {
    return this.#works.get(jobId);
  }

  /** For a solution that was found before its job was forgotten. */
  find(jobId: string): JobWork | undefined {
    return this.#works.get(jobId) ?? this.#retired.get(jobId);
  }

  /** Adds the newest job and returns the ids of those that are forgotten for it. */
  add(work: JobWork): readonly string[] {
    this.#works.set(work.job.id, work);
    const { tip } = work.job;
    const retired: string[] = [];
    const late: [string, JobWork][] = [];
    let active = 0;
    let stale = 0;
    for (const [id, one] of [...this.#works].toReversed()) {
      const { job } = one;
      const isActive = job.tip === tip;
      if (isActive) active += 1;
      else stale += 1;
      const isKept = isActive
        ? active <= this.#maxActive
        : job.tip === tip - 1 && stale <= this.#maxStale;
      if (isKept) continue;
      this.#works.delete(id);
      retired.push(id);
      late.unshift([id, one]);
    }
    for (const [id, one] of late) this.#retired.set(id, one);
    for (const id of this.#retired.keys()) {
      if (this.#retired.size <= MAX_RETIRED) break;
      this.#retired.delete(id);
    }
    return retired;
  }
}
