/**
 * The jobs of one session, outward: what is sent when, and what it is worth. Difficulty, version mask
 * and extranonce1 are fixed for a job by the first send of its id and change only ahead of a new one;
 * a keep-alive repeats the id and changes nothing. A slow reader is skipped and gets the newest job when
 * it has caught up. Entry points: announce, keepAlive, caughtUp, retargetIfDue.
 */
import { randomInt } from 'node:crypto';
import type { Connection } from '../net/connection.ts';
import type { JobEntry } from './jobs.ts';
import type { ServerPort } from './port.ts';
import type { RateSlot } from './rate-table.ts';
import { TermHistory } from './terms.ts';
import { noteChanged, noteChecked, openWindow, retarget, retargetDue } from './vardiff.ts';
import type { VardiffWindow } from './vardiff.ts';
import { setDifficultyLine, setExtranonceLine, setVersionMaskLine } from './v1/replies.ts';

export class JobFeed {
  readonly terms = new TermHistory();
  extranonce1: Uint8Array;
  /** What the next new job will be judged by. */
  difficulty = 0;
  /** Version bits agreed on (BIP310), before a job's own mask. */
  versionMask = 0;
  /** The mask the miner was last told; -1: it does not roll. */
  announcedMask = -1;
  jobCount = 0;
  /** Monotonic ms of the last job that was sent. */
  lastJobAt = 0;
  readonly #port: ServerPort;
  readonly #id: string;
  readonly #connection: Connection;
  #lastJob: JobEntry | undefined = undefined;
  /** A job that told the miner to drop its work was skipped: the next one has to. */
  #mustClean = false;
  readonly #pushAfterMs: number;
  #tiers: readonly number[] | undefined = undefined;
  #window: VardiffWindow | undefined = undefined;
  #rate: RateSlot | undefined = undefined;
  /** Unix ms of the last accepted share, or of the first job. */
  #lastShareAt = 0;

  constructor(port: ServerPort, id: string, connection: Connection, extranonce1: Uint8Array) {
    this.#port = port;
    this.#id = id;
    this.#connection = connection;
    this.extranonce1 = extranonce1;
    const interval = port.settings.push_job_interval * 1000;
    this.#pushAfterMs = interval - (interval * randomInt(1000)) / 3000;
  }

  /** Difficulty and tiers are known: jobs may be sent. */
  open(difficulty: number, tiers: readonly number[] | undefined, rateKey: string): void {
    this.difficulty = difficulty;
    this.#tiers = tiers;
    if (tiers !== undefined) this.#rate = this.#port.rates.join(rateKey);
  }

  close(): void {
    if (this.#rate !== undefined) this.#port.rates.leave(this.#rate);
    this.#rate = undefined;
    this.#lastJob = undefined;
  }

  /** It has had no job yet, or something new waits for a new id. */
  get waitsForJob(): boolean {
    const { latest } = this.terms;
    return latest?.difficulty !== this.difficulty || latest.extranonce1 !== this.extranonce1;
  }

  get extranonce1Hex(): string {
    return Buffer.from(this.extranonce1).toString('hex');
  }

  /** Monotonic ms at which the current job is due again. */
  get nextPushAt(): number {
    return this.lastJobAt + this.#pushAfterMs;
  }

  /** Monotonic ms at which vardiff wants to look again, were there no share until then. */
  nextRetargetAt(nowMs: number): number {
    if (this.#window === undefined) return Number.POSITIVE_INFINITY;
    const intervalMs = this.#port.settings.vardiff.interval * 1000;
    return Math.max(this.#window.checkedMs + intervalMs, nowMs + intervalMs / 4);
  }

  /** The difficulty of the last job sent; what the next one will have before there was one. */
  get inForce(): number {
    return this.terms.latest?.difficulty ?? this.difficulty;
  }

  announce(entry: JobEntry): void {
    const { job } = entry;
    if (this.#connection.isSlow) {
      this.#mustClean ||= job.clean;
      return;
    }
    const first = this.#lastJob === undefined;
    const known = entry === this.#lastJob;
    if (!known) this.#introduce(entry);
    const clean = !known && (first || this.#mustClean || job.clean);
    this.#mustClean = false;
    this.#lastJob = entry;
    this.jobCount++;
    const bytes = clean ? entry.notifyClean : entry.notify;
    if (this.#connection.hasUnsent) {
      // One write of text is cheaper than a vector of text and bytes.
      this.#connection.append(entry.textOf(bytes));
      this.#connection.flush();
    } else this.#connection.sendNow(bytes);
    this.lastJobAt = this.#now();
  }

  /** Sends the current job, under the id it has, when the miner has heard of none for long enough. */
  keepAlive(nowMs: number): void {
    const current = this.#port.context.jobs.current(this.#port.source);
    if (current === undefined) this.lastJobAt = nowMs;
    else if (nowMs >= this.nextPushAt) this.announce(current);
  }

  /** The miner has read what was sent: it gets the job it missed, if there is one. */
  caughtUp(): void {
    const current = this.#port.context.jobs.current(this.#port.source);
    if (current !== undefined && current !== this.#lastJob) this.announce(current);
  }

  /** From the next new job on; at once where there is one the miner has not seen. */
  #change(difficulty: number): void {
    this.difficulty = difficulty;
    this.#bringNews();
  }

  /** Other work from the next new job on, for a miner that has said it can. */
  renewExtranonce(extranonce1: Uint8Array): void {
    this.extranonce1 = extranonce1;
    this.#bringNews();
  }

  /** Whether a job that can still be submitted to was given out with this extranonce1. */
  uses(extranonce1: Uint8Array): boolean {
    return Buffer.compare(this.extranonce1, extranonce1) === 0 || this.terms.uses(extranonce1);
  }

  #bringNews(): void {
    if (!this.waitsForJob || this.#lastJob === undefined) return;
    const current = this.#port.context.jobs.current(this.#port.source);
    if (current !== undefined && current !== this.#lastJob) this.announce(current);
    else this.#port.context.wantVariant(this.#port.source);
  }

  /** A miner's suggestion, of something else than what is coming anyway. */
  suggest(difficulty: number): void {
    if (difficulty === this.difficulty) return;
    if (this.#window !== undefined) noteChanged(this.#window, this.#now());
    this.#change(difficulty);
  }

  accepted(difficulty: number): void {
    if (this.#window === undefined || this.#rate === undefined) return;
    this.#window.shares++;
    const now = this.#port.context.clock.now();
    this.#port.rates.add(this.#rate, difficulty, this.#lastShareAt);
    this.#lastShareAt = now;
    this.retargetIfDue(this.#now());
  }

  retargetIfDue(nowMs: number): void {
    const window = this.#window;
    const tiers = this.#tiers;
    const { vardiff } = this.#port.settings;
    if (window === undefined || tiers === undefined || this.waitsForJob) return;
    if (!retargetDue(window, vardiff, nowMs)) return;
    const rate = this.#rate?.rate;
    const next = retarget({
      nowMs,
      difficulty: this.difficulty,
      window,
      rate,
      tiers,
      rules: vardiff,
    });
    if (next === undefined || next === this.difficulty) noteChecked(window, nowMs);
    else this.#change(next);
  }

  /** Version rolling as agreed; a miner starts with it at once, so it holds for the jobs it has, too. */
  roll(mask: number, announced: number): void {
    this.versionMask = mask;
    this.announcedMask = announced;
    this.terms.widen(mask);
  }

  /** Says ahead of a new job what changes with it, and fixes that for the job. */
  #introduce(entry: JobEntry): void {
    const latest = this.terms.latest;
    const { difficulty, extranonce1, versionMask } = this;
    if (latest !== undefined && latest.extranonce1 !== extranonce1) {
      const size = entry.job.extranonceSize - extranonce1.length;
      this.#connection.append(setExtranonceLine(this.extranonce1Hex, size));
    }
    const mask = (versionMask & entry.job.versionMask) >>> 0;
    if (this.announcedMask !== -1 && this.announcedMask !== mask) {
      this.announcedMask = mask;
      this.#connection.append(setVersionMaskLine(mask));
    }
    if (latest?.difficulty !== difficulty) {
      this.#connection.append(setDifficultyLine(difficulty));
      this.#noteDifficulty();
    } else if (latest.extranonce1 === extranonce1 && latest.versionMask === versionMask) {
      return;
    }
    this.terms.begin({
      from: entry.sequence,
      difficulty,
      targetLE: this.#port.targets.targetLE(difficulty),
      versionMask,
      extranonce1,
    });
  }

  #noteDifficulty(): void {
    const { difficulty } = this;
    this.#port.context.event({ kind: 'difficulty', id: this.#id, difficulty });
    if (this.#tiers === undefined) return;
    if (this.#window === undefined) {
      this.#window = openWindow(this.#now());
      this.#lastShareAt = this.#port.context.clock.now();
    } else {
      noteChanged(this.#window, this.#now());
    }
  }

  #now(): number {
    return Math.round(this.#port.context.clock.monotonic());
  }
}
