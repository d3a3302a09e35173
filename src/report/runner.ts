/**
 * Takes the ledger to one sink, a batch at a time: waits until one is due, delivers it, notes the position
 * once the back end has confirmed, and after a failure waits (longer each time, with jitter) and asks the
 * sink where it stands. Holds one batch and no queue: a back end that is down costs no memory.
 *
 *   connecting → idle ⇄ delivering
 *        ↖ retrying ↙ (any failure)            stop: from any state
 */
import { messageOf } from '../errors.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { LedgerPosition, ShareRecord, Sink, SinkBatch } from '../ports.ts';
import { SinkRefused, SinkUnfit } from './errors.ts';
import { limited } from './narrow.ts';
import { Progress } from './progress.ts';
import type { Extent, LedgerSource } from './source.ts';
import { Waker } from './waker.ts';

/** How often an idle runner looks into the ledger. */
const POLL_MS = 200;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 30_000;
/** An own position is copied to the ledger, for retention, at most this often. */
const NOTE_MS = 5000;

export interface RunnerOptions {
  readonly sink: Sink;
  readonly source: LedgerSource;
  /** Where the ledger's cursor stands, and the batch under way when that was noted. */
  readonly position: LedgerPosition;
  readonly until: LedgerPosition | null;
  /** Notes the position in the ledger; resolves once it is on disk. */
  readonly note: (position: LedgerPosition, until?: LedgerPosition) => Promise<void>;
  /** The first attempt to reach the back end is over; `unfit` says why it can never work. */
  readonly onTried: (unfit?: string) => void;
  readonly progress: Progress;
  readonly clock: Clock;
  readonly log: Log;
  readonly random?: () => number;
}

export class SinkRunner {
  readonly #options: RunnerOptions;
  readonly #sink: Sink;
  readonly #source: LedgerSource;
  readonly #progress: Progress;
  readonly #waker = new Waker();
  #position: LedgerPosition;
  /** What is noted in the ledger. */
  #noted: LedgerPosition;
  #notedAt = 0;
  /** The batch a 'ledger' sink has to be given again. */
  #until: LedgerPosition | undefined;
  /** Most items of a batch while it is narrowed down to what the back end refuses. */
  #most: number | undefined;
  #lastSharesAt: number;
  #retryMs = FIRST_RETRY_MS;
  #draining = false;
  #stopped = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#sink = options.sink;
    this.#source = options.source;
    this.#progress = options.progress;
    this.#position = options.position;
    this.#noted = options.position;
    this.#until = options.until ?? undefined;
    this.#lastSharesAt = options.clock.monotonic();
  }

  get position(): LedgerPosition {
    return this.#position;
  }

  /** Runs until stop(), or until all is taken after drain(). Never rejects. */
  async run(): Promise<void> {
    let tried = false;
    while (!this.#stopped) {
      try {
        this.#progress.state = 'connecting';
        await this.#resume();
        if (!tried) this.#options.onTried();
        tried = true;
        await this.#deliverAll();
        break;
      } catch (error) {
        if (!tried) this.#options.onTried(error instanceof SinkUnfit ? error.message : undefined);
        tried = true;
        if (this.#stopped || this.#draining) break;
        await this.#pause(error);
      }
    }
    await this.#note(this.#position).catch((error: unknown) => this.#warn(error));
    this.#progress.state = 'stopped';
  }

  /** Takes what is in the ledger, without waiting for company, and ends; at once if the back end is down. */
  drain(): void {
    this.#draining = true;
    this.#waker.wake();
  }

  /** Ends now; a delivery under way is cut off. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waker.wake();
    await this.#sink.stop();
  }

  /** Asks the back end where it stands. */
  async #resume(): Promise<void> {
    const own = await this.#sink.open();
    if (this.#sink.keeps === 'ledger') return;
    if (own === undefined) {
      this.#options.log.info(
        'the back end has no position of this ledger: goes on from the one the ledger has',
        { ...this.#position },
      );
      return;
    }
    if (isBefore(own, this.#position)) {
      this.#options.log.warn(
        'the back end is behind what it had confirmed (restored?): goes on from its own position',
        { own, confirmed: this.#position },
      );
    }
    this.#position = own;
  }

  async #deliverAll(): Promise<void> {
    while (!this.#stopped) {
      const extent = this.#due();
      if (extent === undefined) {
        if (this.#draining) return;
        this.#progress.state = 'idle';
        await this.#noteIdle();
        await this.#waker.sleep(POLL_MS);
        continue;
      }
      this.#progress.state = 'delivering';
      await this.#take(extent);
      this.#retryMs = FIRST_RETRY_MS;
    }
  }

  /** The next batch, if it is time for one. */
  #due(): Extent | undefined {
    const { pace } = this.#sink;
    const from = this.#position;
    const found = this.#source.next(from, pace);
    this.#progress.seen(found);
    if (this.#until !== undefined) return { ...found, to: this.#until };
    if (this.#most !== undefined) return limited(found, this.#most, this.#source);
    const now = this.#options.clock.monotonic();
    const isDue =
      found.events > 0 ||
      found.records >= pace.maxShares ||
      this.#draining ||
      now - this.#lastSharesAt >= pace.intervalMs;
    if (found.records > 0 && isDue) return found;
    if (found.events > 0) return found;
    if (found.minutes === 0) return undefined;
    return { ...found, records: 0, to: { ...found.to, seq: from.seq } };
  }

  async #take(extent: Extent): Promise<void> {
    const { from, to } = extent;
    const batch = this.#source.batch(from, to);
    if (this.#sink.keeps === 'ledger') {
      this.#until = to;
      await this.#note(from, to);
    }
    const startedAt = this.#options.clock.monotonic();
    try {
      await this.#sink.deliver(batch);
      if (this.#most !== undefined) this.#most *= 2;
      if ((this.#most ?? 0) > this.#sink.pace.maxShares) this.#most = undefined;
    } catch (error) {
      if (!(error instanceof SinkRefused)) throw error;
      this.#until = undefined;
      if (!(await this.#refused(error, extent, batch))) return;
    }
    this.#until = undefined;
    this.#position = to;
    if (to.seq > from.seq) this.#lastSharesAt = this.#options.clock.monotonic();
    this.#progress.delivered(extent, this.#options.clock.monotonic() - startedAt);
    if (this.#sink.keeps === 'ledger') await this.#note(to);
    else await this.#noteSometimes();
  }

  /** Narrows a refused batch down; true once it was one item, which is logged and left out. */
  async #refused(error: SinkRefused, extent: Extent, batch: SinkBatch): Promise<boolean> {
    const items = extent.records + extent.minutes + extent.events;
    if (items > 1) {
      this.#most = Math.max(1, Math.floor(items / 2));
      return false;
    }
    const shares: ShareRecord[] = [];
    for await (const page of batch.shares()) shares.push(...page);
    this.#progress.refused += 1;
    this.#options.log.error(`the back end refuses this, it is left out: ${error.message}`, {
      data: JSON.stringify([...shares, ...batch.minutes, ...batch.blocks], (_, value) =>
        typeof value === 'bigint' ? String(value) : (value as unknown),
      ),
    });
    const empty = async function* () {};
    await this.#sink.open();
    await this.#sink.deliver({ ...batch, shares: empty, minutes: [], blocks: [] });
    return true;
  }

  async #pause(error: unknown): Promise<void> {
    const jitter = 0.5 + (this.#options.random ?? Math.random)() / 2;
    const waitMs = Math.round(this.#retryMs * jitter);
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
    this.#progress.failed(messageOf(error), waitMs);
    await this.#waker.sleep(waitMs);
  }

  #warn(error: unknown): void {
    this.#options.log.warn(`the position could not be noted in the ledger: ${messageOf(error)}`);
  }

  async #noteSometimes(): Promise<void> {
    const now = this.#options.clock.monotonic();
    if (now - this.#notedAt >= NOTE_MS) await this.#note(this.#position);
  }

  async #noteIdle(): Promise<void> {
    if (isBefore(this.#noted, this.#position)) await this.#noteSometimes();
  }

  async #note(position: LedgerPosition, until?: LedgerPosition): Promise<void> {
    await this.#options.note(position, until);
    this.#noted = position;
    this.#notedAt = this.#options.clock.monotonic();
  }
}

function isBefore(a: LedgerPosition, b: LedgerPosition): boolean {
  return a.seq < b.seq || a.minute < b.minute || a.block < b.block;
}
