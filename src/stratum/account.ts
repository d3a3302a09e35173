/**
 * The shares of one session: who is credited, what was accepted, what the ledger, the counters and the
 * control thread's directory hear of it. It is the `ShareOwner` of the turn, and lives on after its
 * connection until its last share is answered. Entry points: login, submit, report.
 */
import type { Connection } from '../net/connection.ts';
import type { SessionEvent } from './directory.ts';
import type { JobFeed } from './feed.ts';
import type { JobEntry } from './jobs.ts';
import type { ServerPort } from './port.ts';
import { ACCEPTED, LATE, REFUSALS } from './refusals.ts';
import type { Refusal, RefusalName } from './refusals.ts';
import { admit } from './share.ts';
import type { Verdict } from './share.ts';
import type { Term } from './terms.ts';
import type { Found, ShareOwner } from './turn.ts';

const NOT_LOGGED_IN = -1;

export class Account implements ShareOwner {
  readonly id: string;
  address = '';
  worker = '';
  workerRef = NOT_LOGGED_IN;
  staged = 0;
  unanswered = 0;
  lastBatch = 0;
  acceptedShares = 0;
  acceptedDifficulty = 0;
  /** Unix ms of the last submit, 0 before the first. */
  lastSubmitAt = 0;
  readonly #port: ServerPort;
  readonly #connection: Connection;
  readonly #feed: JobFeed;
  /** Accepted since the directory was last told. */
  #untold = 0;

  constructor(id: string, port: ServerPort, connection: Connection, feed: JobFeed) {
    this.id = id;
    this.#port = port;
    this.#connection = connection;
    this.#feed = feed;
  }

  get graceMs(): number {
    return this.#port.settings.late_share_grace * 1000;
  }

  login(address: string, worker: string): void {
    this.address = address;
    this.worker = worker;
    this.workerRef = this.#port.context.ledger.worker(address, worker);
  }

  /** Takes the submission the thread has just read; a refusal has been counted already. */
  submit(id: string): RefusalName | undefined {
    const { jobs, submission, draft, turn, clock } = this.#port.context;
    this.lastSubmitAt = clock.now();
    this.#port.reports.add(this);
    const refusal = admit(jobs, this.#port.source, this.#feed.terms, submission, draft);
    if (refusal === undefined) {
      turn.add(this, id, draft);
      if (this.unanswered >= this.#port.maxUnanswered) this.#connection.hold();
      return undefined;
    }
    const entry = jobs.current(this.#port.source);
    if (entry !== undefined) this.#refused(REFUSALS[refusal], entry, this.#feed.inForce);
    return refusal;
  }

  ledgerSource(entry: JobEntry): number {
    return this.#port.ledgerSource(entry);
  }

  append(text: string): void {
    this.#connection.append(text);
  }

  settled(verdict: Verdict, entry: JobEntry, difficulty: number): void {
    if (verdict === 'accepted' || verdict === 'late') this.#accepted(verdict, difficulty);
    else this.#refused(REFUSALS[verdict], entry, difficulty);
    if (this.#connection.closed) this.release();
    else if (this.unanswered === this.#port.maxUnanswered >> 1) this.#port.readOn(this.#connection);
  }

  solved(entry: JobEntry, found: Found, term: Term): void {
    const { context, source, key } = this.#port;
    context.solved(source, {
      jobId: entry.job.id,
      chains: found.chains,
      header: found.header,
      extranonce: found.extranonce,
      powHashLE: found.hashLE,
      address: this.address,
      worker: this.worker,
      server: key,
      difficulty: term.difficulty,
      time: context.clock.now(),
    });
  }

  /** What the directory has not heard yet. */
  report(): SessionEvent {
    const accepted = this.#untold;
    this.#untold = 0;
    const { id, lastSubmitAt: time } = this;
    return { kind: 'submit', id, accepted, time, jobCount: this.#feed.jobCount };
  }

  /** The connection is gone: gives the ledger's ref back once no share is under way. */
  release(): void {
    if (this.unanswered > 0 || this.workerRef === NOT_LOGGED_IN) return;
    this.#port.context.tally.release(this.workerRef);
    this.workerRef = NOT_LOGGED_IN;
  }

  #accepted(verdict: 'accepted' | 'late', difficulty: number): void {
    const port = this.#port;
    this.acceptedShares++;
    this.acceptedDifficulty += difficulty;
    port.count(ACCEPTED.counter, difficulty);
    port.count(ACCEPTED.countCounter);
    if (verdict === 'late') {
      port.count(LATE.counter, difficulty);
      port.count(LATE.countCounter);
    }
    if (this.#connection.closed) return;
    this.#untold++;
    port.reports.add(this);
    this.#feed.accepted(difficulty);
  }

  #refused(refusal: Refusal, entry: JobEntry, difficulty: number): void {
    const port = this.#port;
    if (refusal.share === undefined || refusal.countCounter === undefined) {
      port.count(refusal.counter);
      return;
    }
    port.count(refusal.counter, difficulty);
    port.count(refusal.countCounter);
    const source = port.ledgerSource(entry);
    port.context.tally.add(this.workerRef, source, refusal.share, entry.job.height, difficulty);
  }
}
