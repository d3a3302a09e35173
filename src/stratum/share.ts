/**
 * The two halves of a share, pure and synchronous, on the thread that holds the session. `admit`
 * decides from the submission alone whether there is something to hash; `grade` decides from the hash
 * what the miner is told. Between them: one run of the kernel (turn.ts). Nothing throws, nothing is
 * padded, and whether a chain was solved is looked at before anything here is decided.
 */
import { MEETS_SHARE } from '../pow/checker.ts';
import type { Job } from '../ports.ts';
import type { RefusalName } from './refusals.ts';
import type { JobBook, JobEntry } from './jobs.ts';
import type { Submission } from './v1/submission.ts';
import type { Term, TermHistory } from './terms.ts';

/** Bytes between two extranonces, as the kernel reads them. */
export const STRIDE = 16;

/** The result of `admit`, one object per thread, filled again for every submit. */
export class Draft {
  entry!: JobEntry;
  term!: Term;
  ntime = 0;
  nonce = 0;
  version = 0;
  /** extranonce1 ‖ extranonce2. */
  readonly extranonce = new Uint8Array(STRIDE);
}

/** Fills `draft` or says why not. */
export function admit(
  jobs: JobBook,
  source: number,
  terms: TermHistory,
  submission: Submission,
  draft: Draft,
): RefusalName | undefined {
  const { time, nonce, versionBits } = submission;
  if (time === -1 || nonce === -1 || versionBits === -1) return 'malformedSubmit';
  const entry = jobs.find(submission.jobId);
  if (entry === undefined || entry.source !== source) return 'stale';
  const term = terms.of(entry.sequence);
  if (term === undefined) return 'stale';
  const { extranonce1 } = term;
  const size = entry.job.extranonceSize - extranonce1.length;
  if (!submission.writeExtranonce2(draft.extranonce, extranonce1.length, size)) {
    return 'malformedSubmit';
  }
  const mask = entry.job.versionMask & term.versionMask;
  if ((versionBits & ~mask) !== 0) return 'versionBitsOutsideMask';
  for (let i = 0; i < extranonce1.length; i++) draft.extranonce[i] = extranonce1[i]!;
  draft.entry = entry;
  draft.term = term;
  draft.ntime = time;
  draft.nonce = nonce;
  draft.version = (entry.job.version | versionBits) >>> 0;
  return undefined;
}

/** `late`: accepted, on a job that a new tip overtook less than late_share_grace ago. */
export type Verdict = 'accepted' | 'late' | RefusalName;

export interface Judged {
  /** MEETS_… bits of the kernel. */
  readonly meets: number;
  readonly ntime: number;
  /** Whether the hash was new to the job; 'full' when the job can count no more. */
  readonly seen: 'added' | 'known' | 'full' | 'unasked';
}

export function grade(
  job: Pick<Job, 'minTime' | 'maxTime'>,
  staleForMs: number,
  graceMs: number,
  judged: Judged,
): Verdict {
  if (staleForMs > graceMs) return 'stale';
  if (judged.ntime < job.minTime || judged.ntime > job.maxTime) return 'timeOutOfRange';
  if (judged.seen === 'known') return 'duplicate';
  if ((judged.meets & MEETS_SHARE) === 0) return 'lowDifficulty';
  if (judged.seen === 'full') return 'notRecorded';
  return staleForMs < 0 ? 'accepted' : 'late';
}
