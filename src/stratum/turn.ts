/**
 * The shares of one turn of the loop: hashed together by job, written to the ledger as one batch, and
 * answered when that batch is on disk, in the order in which each miner sent them. A refusal waits for
 * nothing but earlier replies of its own connection. Long work is sliced: between two slices `urgent`
 * lets a new job go out. Entry points: ShareTurn.add, say, work, acknowledged.
 */
import type { Clock } from '../clock.ts';
import { FLAG_SOLVED } from '../ledger/record.ts';
import type { LedgerWriter } from '../ledger/writer.ts';
import { MEETS_AUX, MEETS_MAIN } from '../pow/checker.ts';
import type { ShareChecker } from '../pow/checker.ts';
import { SHARE_KIND } from '../ports.ts';
import type { JobBook, JobEntry } from './jobs.ts';
import { grade, STRIDE } from './share.ts';
import type { Draft, Judged, Verdict } from './share.ts';
import type { Term } from './terms.ts';
import { acceptedReply, refusedReply } from './v1/replies.ts';

/** The session as a share knows it. */
export interface ShareOwner {
  /** Items of this session in the turn that have not been judged. */
  staged: number;
  /** Shares that have not been answered. */
  unanswered: number;
  /** Number of the last batch that holds an answer of this session. */
  lastBatch: number;
  /** Grace for late shares, ms. */
  readonly graceMs: number;
  readonly workerRef: number;
  ledgerSource(entry: JobEntry): number;
  append(text: string): void;
  /** The answer of a share has left (`append` came before). */
  settled(verdict: Verdict, entry: JobEntry, difficulty: number): void;
  solved(entry: JobEntry, found: Found, term: Term): void;
}

/** What a solving share is made of; the arrays are the caller's to keep. */
export interface Found {
  readonly chains: readonly string[];
  readonly header: Uint8Array;
  readonly extranonce: Uint8Array;
  readonly hashLE: Uint8Array;
}

/** What of a share checker a turn uses. */
export type TurnChecker = Pick<
  ShareChecker,
  | 'extranonces'
  | 'versions'
  | 'ntimes'
  | 'nonces'
  | 'shareTargets'
  | 'flags'
  | 'hashes'
  | 'headers'
  | 'sliceShares'
  | 'run'
  | 'solvedAux'
> & { readonly algorithm: { readonly headerBytes: number } };

export interface TurnOptions {
  readonly jobs: JobBook;
  /** By source. */
  readonly checkers: readonly TurnChecker[];
  /** floating-point difficulty 1 by source, for the difficulty of a hash. */
  readonly diff1: readonly number[];
  readonly ledger: Pick<LedgerWriter, 'add' | 'flush'>;
  readonly clock: Clock;
  /** Lets whatever must not wait (a new job) happen between two slices. */
  readonly urgent: () => void;
  /** Makes sure that `work` is called at the end of this turn. */
  readonly schedule: () => void;
}

/** Time after which the loop gets a turn although shares are left. */
const BUDGET_MS = 4;
const FIRST_CAPACITY = 256;

interface Item {
  owner: ShareOwner;
  /** JSON text of the id; of a reply that is ready, the reply. */
  text: string;
  /** undefined: a reply that only waits for its turn. */
  entry: JobEntry | undefined;
  term: Term | undefined;
  ntime: number;
  nonce: number;
  version: number;
  verdict: Verdict;
}

/** Answers that wait for one batch of the ledger. */
type Waiting = Item[];

export class ShareTurn {
  readonly #options: TurnOptions;
  #items: Item[] = [];
  #extranonces = new Uint8Array(FIRST_CAPACITY * STRIDE);
  #next = 0;
  readonly #waiting = new Map<number, Waiting>();
  readonly #touched: JobEntry[] = [];
  readonly #judged: { -readonly [name in keyof Judged]: Judged[name] } = {
    meets: 0,
    ntime: 0,
    seen: 'unasked',
  };

  constructor(options: TurnOptions) {
    this.#options = options;
  }

  /** Batches that the ledger has not answered. */
  get waitingBatches(): number {
    return this.#waiting.size;
  }

  get idle(): boolean {
    return this.#items.length === 0 && this.#waiting.size === 0;
  }

  /** Takes an admitted share; `draft` may be filled again afterwards. */
  add(owner: ShareOwner, id: string, draft: Draft): void {
    const at = this.#items.length * STRIDE;
    if (at === this.#extranonces.length) this.#grow();
    for (let i = 0; i < STRIDE; i++) this.#extranonces[at + i] = draft.extranonce[i]!;
    owner.staged++;
    owner.unanswered++;
    this.#options.schedule();
    this.#items.push({
      owner,
      text: id,
      entry: draft.entry,
      term: draft.term,
      ntime: draft.ntime,
      nonce: draft.nonce,
      version: draft.version,
      verdict: 'accepted',
    });
  }

  /** Answers at once, or after the shares of the same connection that came before. */
  say(owner: ShareOwner, reply: string): void {
    const waiting = this.#waiting.get(owner.lastBatch);
    if (owner.staged === 0 && waiting === undefined) {
      owner.append(reply);
      return;
    }
    const item: Item = {
      owner,
      text: reply,
      entry: undefined,
      term: undefined,
      ntime: 0,
      nonce: 0,
      version: 0,
      verdict: 'accepted',
    };
    if (owner.staged === 0) {
      waiting!.push(item);
      return;
    }
    if (this.#items.length * STRIDE === this.#extranonces.length) this.#grow();
    owner.staged++;
    this.#items.push(item);
  }

  /** Judges and commits what the turn has brought. True: some of it is left for the next turn. */
  work(): boolean {
    if (this.#items.length === 0) return false;
    const { clock, ledger, urgent } = this.#options;
    const endsAt = clock.monotonic() + BUDGET_MS;
    const from = this.#next;
    for (;;) {
      const to = this.#sliceFrom(this.#next);
      this.#judge(this.#next, to);
      this.#next = to;
      if (to === this.#items.length) break;
      urgent();
      if (clock.monotonic() >= endsAt) break;
    }
    this.#answer(from, this.#next, ledger.flush());
    if (this.#next < this.#items.length) return true;
    this.#items = [];
    this.#next = 0;
    return false;
  }

  /** A batch is on disk, or could not be recorded. */
  acknowledged(batch: number, ok: boolean): void {
    const waiting = this.#waiting.get(batch);
    if (waiting === undefined) return;
    this.#waiting.delete(batch);
    for (const item of waiting) {
      if (!ok && (item.verdict === 'accepted' || item.verdict === 'late')) {
        item.verdict = 'notRecorded';
      }
      sendReply(item);
    }
  }

  /** End of what fits a slice: shares weigh by what their kernel can do in one. */
  #sliceFrom(from: number): number {
    let weight = 0;
    let to = from;
    for (; to < this.#items.length; to++) {
      const { entry } = this.#items[to]!;
      if (entry === undefined) continue;
      weight += 1 / this.#options.checkers[entry.source]!.sliceShares;
      if (weight > 1 + 1e-9) break;
    }
    return to;
  }

  #judge(from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const { entry } = this.#items[i]!;
      if (entry === undefined) continue;
      if (entry.staged.length === 0) this.#touched.push(entry);
      entry.staged.push(i);
    }
    for (const entry of this.#touched) {
      this.#hash(entry);
      entry.staged.length = 0;
      this.#options.jobs.done(entry);
    }
    this.#touched.length = 0;
  }

  /** Runs the kernel over the staged shares of one job, and grades them. */
  #hash(entry: JobEntry): void {
    const checker = this.#options.checkers[entry.source]!;
    const { extranonces, versions, ntimes, nonces, shareTargets } = checker;
    const { staged } = entry;
    for (let k = 0; k < staged.length; k++) {
      const index = staged[k]!;
      const item = this.#items[index]!;
      for (let i = 0; i < STRIDE; i++) {
        extranonces[k * STRIDE + i] = this.#extranonces[index * STRIDE + i]!;
      }
      versions[k] = item.version;
      ntimes[k] = item.ntime;
      nonces[k] = item.nonce;
      shareTargets.set(item.term!.targetLE, k * 32);
    }
    const slot = this.#options.jobs.slotOf(entry);
    checker.run(slot, staged.length);
    const nowMs = this.#options.clock.now();
    const staleForMs =
      entry.staleSinceMs === -1 ? -1 : this.#options.clock.monotonic() - entry.staleSinceMs;
    for (let k = 0; k < staged.length; k++) {
      this.#grade(entry, checker, slot, k, this.#items[staged[k]!]!, staleForMs, nowMs);
    }
  }

  #grade(
    entry: JobEntry,
    checker: TurnChecker,
    slot: number,
    k: number,
    item: Item,
    staleForMs: number,
    nowMs: number,
  ): void {
    const judged = this.#judged;
    judged.meets = checker.flags[k]!;
    judged.ntime = item.ntime;
    judged.seen = judged.meets === 0 ? 'unasked' : entry.seen.add(checker.hashes, k * 32);
    let solved = false;
    if ((judged.meets & (MEETS_MAIN | MEETS_AUX)) !== 0 && judged.seen !== 'known') {
      solved = this.#solve(entry, checker, slot, k, item);
    }
    const verdict = grade(entry.job, staleForMs, item.owner.graceMs, judged);
    item.verdict = verdict;
    if (verdict !== 'accepted' && verdict !== 'late') return;
    this.#options.ledger.add(
      item.owner.workerRef,
      item.owner.ledgerSource(entry),
      SHARE_KIND.accepted,
      nowMs,
      item.term!.difficulty,
      this.#options.diff1[entry.source]! / hashAsNumber(checker.hashes, k * 32),
      entry.job.height,
      checker.hashes,
      k * 32,
      1,
      solved ? FLAG_SOLVED : 0,
    );
  }

  /** Tells the owner of the chains that were solved, if any was; before anything else is decided. */
  #solve(entry: JobEntry, checker: TurnChecker, slot: number, k: number, item: Item): boolean {
    const chains: string[] = [];
    if ((checker.flags[k]! & MEETS_MAIN) !== 0) chains.push(entry.job.chain);
    if ((checker.flags[k]! & MEETS_AUX) !== 0) {
      for (const aux of checker.solvedAux(slot, k)) chains.push(aux.chain);
    }
    if (chains.length === 0) return false;
    const size = checker.algorithm.headerBytes;
    const at = k * STRIDE;
    item.owner.solved(
      entry,
      {
        chains,
        header: checker.headers.slice(k * size, (k + 1) * size),
        extranonce: checker.extranonces.slice(at, at + entry.job.extranonceSize),
        hashLE: checker.hashes.slice(k * 32, k * 32 + 32),
      },
      item.term!,
    );
    return true;
  }

  /** Replies, in order, to what waits for nothing; the rest waits for `batch`, or for an earlier one. */
  #answer(from: number, to: number, batch: number): void {
    const present: Waiting = [];
    for (let i = from; i < to; i++) {
      const item = this.#items[i]!;
      const { owner } = item;
      owner.staged--;
      const records = item.entry !== undefined && isAccepted(item.verdict);
      if (records || (batch !== 0 && owner.lastBatch === batch)) {
        owner.lastBatch = batch;
        present.push(item);
        continue;
      }
      const waiting = this.#waiting.get(owner.lastBatch);
      if (waiting === undefined) sendReply(item);
      else waiting.push(item);
    }
    if (present.length > 0) this.#waiting.set(batch, present);
  }

  #grow(): void {
    const grown = new Uint8Array(this.#extranonces.length * 2);
    grown.set(this.#extranonces);
    this.#extranonces = grown;
  }
}

function isAccepted(verdict: Verdict): verdict is 'accepted' | 'late' {
  return verdict === 'accepted' || verdict === 'late';
}

function sendReply(item: Item): void {
  const { owner, entry, term, verdict } = item;
  if (entry === undefined || term === undefined) {
    owner.append(item.text);
    return;
  }
  owner.append(isAccepted(verdict) ? acceptedReply(item.text) : refusedReply(item.text, verdict));
  owner.unanswered--;
  owner.settled(verdict, entry, term.difficulty);
}

/** A hash as a double; never 0, so that a difficulty can be computed from it. */
function hashAsNumber(hashesLE: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 31; i >= 0; i--) value = value * 256 + hashesLE[at + i]!;
  return value === 0 ? 1 : value;
}
