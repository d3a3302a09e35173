/**
 * Jobs that can still be submitted to: those of the newest tip, and a few of the tip before it, since
 * a late solution may still win. Bounded in both; what falls out is reported so that listeners forget
 * it too.
 */
import type { JobWork } from './builder.ts';

export class JobHistory {
  readonly #maxActive: number;
  readonly #maxStale: number;
  /** Oldest first. */
  readonly #works = new Map<string, JobWork>();

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

  /** Adds the newest job and returns the ids of those that are forgotten for it. */
  add(work: JobWork): readonly string[] {
    this.#works.set(work.job.id, work);
    const { tip } = work.job;
    const retired: string[] = [];
    let active = 0;
    let stale = 0;
    for (const [id, { job }] of [...this.#works].toReversed()) {
      const isActive = job.tip === tip;
      if (isActive) active += 1;
      else stale += 1;
      const isKept = isActive
        ? active <= this.#maxActive
        : job.tip === tip - 1 && stale <= this.#maxStale;
      if (isKept) continue;
      this.#works.delete(id);
      retired.push(id);
    }
    return retired;
  }
}
