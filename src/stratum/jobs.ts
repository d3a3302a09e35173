/**
 * Jobs as one listener thread holds them: by id, with the kernel's slot, the shares already seen, and
 * when they went stale. Bounded: a job source that never retires anything keeps JOBS_KEPT jobs, and the
 * slots of a kernel go to the jobs used last. Entry point: JobBook.
 */
import type { Job } from '../ports.ts';
import type { ShareChecker } from '../pow/checker.ts';
import { DuplicateTable } from './duplicates.ts';

/** Jobs of one source that can be submitted to at a time. */
const JOBS_KEPT = 256;
/** Shares a job can count, about 40 MB; a retarget or the next template comes long before. */
const MAX_SHARES_PER_JOB = 1 << 21;

/** The part of ShareChecker that holds jobs. */
export type JobSlots = Pick<ShareChecker, 'addJob' | 'dropJob' | 'jobSlots'>;

export class JobEntry {
  readonly job: Job;
  /** Index of the source in this thread. */
  readonly source: number;
  /** Order of arrival over all sources of this thread, from 1. */
  readonly sequence: number;
  readonly notify: Buffer;
  readonly notifyClean: Buffer;
  /** The shares that counted, or solved something. */
  readonly seen = new DuplicateTable(MAX_SHARES_PER_JOB);
  /** Monotonic ms since when a newer tip is known, -1 while there is none. */
  staleSinceMs = -1;
  /** Slot in the kernel, -1 while it has none. */
  slot = -1;
  lastUsed = 0;
  retired = false;
  /** Refs of the ledger's ShareSource, by the port that looked it up. */
  readonly ledgerRefs = new Map<object, number>();
  /** Shares of the present slice, by position in the turn. */
  readonly staged: number[] = [];
  #cleanText: string | undefined = undefined;

  constructor(job: Job, source: number, sequence: number) {
    this.job = job;
    this.source = source;
    this.sequence = sequence;
    this.notify = asBuffer(job.notify);
    this.notifyClean = asBuffer(job.notifyClean);
  }

  /** One of the two lines as text, for where something else goes out with it. */
  textOf(bytes: Buffer): string {
    if (bytes !== this.notifyClean) return bytes.toString('latin1');
    this.#cleanText ??= bytes.toString('latin1');
    return this.#cleanText;
  }
}

interface SourceJobs {
  readonly slots: JobSlots;
  readonly entries: JobEntry[];
  /** Newest tip by chain: a switcher's source has several. */
  readonly tips: Map<string, number>;
  current: JobEntry | undefined;
}

export class JobBook {
  readonly #byId = new Map<string, JobEntry>();
  readonly #sources: readonly SourceJobs[];
  /** Entries that have a slot, by the kernel the slot is in. */
  readonly #loaded = new Map<JobSlots, Set<JobEntry>>();
  #sequence = 0;
  #uses = 0;

  /** One kernel per source, by index; sources of one algorithm share theirs. */
  constructor(slotsBySource: readonly JobSlots[]) {
    this.#sources = slotsBySource.map((slots) => {
      this.#loaded.set(slots, new Set());
      return { slots, entries: [], tips: new Map(), current: undefined };
    });
  }

  get size(): number {
    return this.#byId.size;
  }

  find(jobId: string): JobEntry | undefined {
    return this.#byId.get(jobId);
  }

  current(source: number): JobEntry | undefined {
    return this.#sources[source]?.current;
  }

  /** Jobs of a source that pay, and those that a newer tip has overtaken. */
  count(source: number): { readonly active: number; readonly stale: number } {
    const entries = this.#sources[source]?.entries ?? [];
    const stale = entries.filter((entry) => entry.staleSinceMs !== -1).length;
    return { active: entries.length - stale, stale };
  }

  /**
   * Takes a job and makes it the source's current one. Throws PowError where it does not fit the
   * kernel; it is not served then. A job that is known already is returned as it is.
   */
  add(source: number, job: Job, nowMs: number): JobEntry {
    const jobs = this.#sources[source]!;
    const known = this.#byId.get(job.id);
    if (known !== undefined) return known;
    const entry = new JobEntry(job, source, ++this.#sequence);
    this.slotOf(entry);
    if (job.tip > (jobs.tips.get(job.chain) ?? -1)) {
      jobs.tips.set(job.chain, job.tip);
      this.#markStale(jobs, job, nowMs);
    } else if (job.tip < jobs.tips.get(job.chain)!) {
      entry.staleSinceMs = nowMs;
    }
    jobs.entries.push(entry);
    jobs.current = entry;
    this.#byId.set(job.id, entry);
    if (jobs.entries.length > JOBS_KEPT) this.#forget(jobs.entries[0]!);
    return entry;
  }

  /** Forgets jobs that can no longer be submitted to; a source's current one stays. */
  retire(jobIds: readonly string[]): void {
    for (const id of jobIds) {
      const entry = this.#byId.get(id);
      if (entry !== undefined && this.#sources[entry.source]!.current !== entry)
        this.#forget(entry);
    }
  }

  /** The entry's slot in its kernel; loads the job, in place of the one unused longest, if need be. */
  slotOf(entry: JobEntry): number {
    entry.lastUsed = ++this.#uses;
    if (entry.slot !== -1) return entry.slot;
    const { slots } = this.#sources[entry.source]!;
    const loaded = this.#loaded.get(slots)!;
    if (loaded.size >= slots.jobSlots) this.#unload(leastUsed(loaded), slots);
    entry.slot = slots.addJob(entry.job);
    loaded.add(entry);
    return entry.slot;
  }

  /** To be called when the shares of a slice are judged: a job retired meanwhile gives its slot back. */
  done(entry: JobEntry): void {
    if (entry.retired && entry.slot !== -1) {
      this.#unload(entry, this.#sources[entry.source]!.slots);
    }
  }

  #markStale(jobs: SourceJobs, job: Job, nowMs: number): void {
    for (const entry of jobs.entries) {
      if (entry.staleSinceMs === -1 && entry.job.chain === job.chain && entry.job.tip < job.tip) {
        entry.staleSinceMs = nowMs;
      }
    }
  }

  #forget(entry: JobEntry): void {
    const jobs = this.#sources[entry.source]!;
    entry.retired = true;
    this.#byId.delete(entry.job.id);
    jobs.entries.splice(jobs.entries.indexOf(entry), 1);
    if (entry.slot !== -1) this.#unload(entry, jobs.slots);
  }

  #unload(entry: JobEntry, slots: JobSlots): void {
    slots.dropJob(entry.slot);
    entry.slot = -1;
    this.#loaded.get(slots)!.delete(entry);
  }
}

function leastUsed(entries: ReadonlySet<JobEntry>): JobEntry {
  let found: JobEntry | undefined;
  for (const entry of entries) {
    if (found === undefined || entry.lastUsed < found.lastUsed) found = entry;
  }
  return found!;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
