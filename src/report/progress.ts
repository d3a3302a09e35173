/**
 * What is known of a sink's work: backlog, rate, failures; and the alarms about it, in the log at once and
 * then at growing intervals. The monitor shows it.
 */
import type { Clock } from '../clock.ts';
import { RECORD_BYTES } from '../ledger/record.ts';
import type { Log } from '../log.ts';
import type { LedgerPosition } from '../ports.ts';
import type { SinkStatus } from './messages.ts';
import type { Extent } from './source.ts';

const RATE_MS = 10_000;
/** The whole backlog is counted at most this often. */
const COUNT_MS = 10_000;
const FIRST_ALARM_PAUSE_MS = 60_000;
const LONGEST_ALARM_PAUSE_MS = 3_600_000;

export interface ProgressOptions {
  /** What waits from a share on: asked now and then. */
  readonly backlog: (seq: number) => { readonly records: number; readonly oldestMs: number | null };
  /** Age of the oldest share from which on it is an alarm. */
  readonly alarmMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

export class Progress {
  state: SinkStatus['state'] = 'connecting';
  refused = 0;
  readonly #options: ProgressOptions;
  #records = 0;
  #oldestMs: number | null = null;
  #countedAt = -Infinity;
  #isComplete = false;
  #delivered = 0;
  #batches = 0;
  #failures = 0;
  #failuresInRow = 0;
  #lastError: string | null = null;
  #window: { at: number; delivered: number }[] = [];
  #isLate = false;
  #nextAlarmAt = 0;
  #alarmPauseMs = FIRST_ALARM_PAUSE_MS;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** The runner has looked into the ledger. */
  seen(extent: Extent): void {
    this.#isComplete = extent.atEnd && extent.records === 0;
  }

  delivered(extent: Extent, tookMs: number): void {
    if (this.#failuresInRow > 0) {
      this.#options.log.warn('the back end takes records again', {
        failures: this.#failuresInRow,
      });
    }
    this.#failuresInRow = 0;
    this.#delivered += extent.records;
    this.#records = Math.max(0, this.#records - extent.records);
    this.#batches += 1;
    this.#options.log.debug('delivered', {
      records: extent.records,
      minutes: extent.minutes,
      events: extent.events,
      ms: Math.round(tookMs),
    });
  }

  failed(message: string, retryMs: number): void {
    this.state = 'retrying';
    this.#isComplete = false;
    this.#failures += 1;
    this.#failuresInRow += 1;
    const isNew = message !== this.#lastError || this.#failuresInRow === 1;
    this.#lastError = message;
    const text = `${message}; nothing is lost, tried again in ${(retryMs / 1000).toFixed(1)} s`;
    this.#options.log[isNew ? 'warn' : 'debug'](text);
  }

  /** To be asked once a second: counts what waits, raises or ends the alarm. */
  status(position: LedgerPosition): SinkStatus {
    const { clock } = this.#options;
    const now = clock.monotonic();
    this.#count(position, now);
    this.#window = [
      ...this.#window.filter(({ at }) => now - at <= RATE_MS),
      { at: now, delivered: this.#delivered },
    ];
    const first = this.#window[0]!;
    const seconds = (now - first.at) / 1000;
    const ageMs = this.#oldestMs === null ? 0 : Math.max(0, clock.now() - this.#oldestMs);
    this.#alarm(ageMs, now);
    return {
      state: this.state,
      queue_size: this.#records,
      queue_bytes: this.#records * RECORD_BYTES,
      queue_age: Math.round(ageMs / 1000),
      rate: seconds > 0 ? Math.round((this.#delivered - first.delivered) / seconds) : 0,
      delivered: this.#delivered,
      batches: this.#batches,
      refused: this.refused,
      failures: this.#failures,
      last_error: this.#lastError,
      position,
    };
  }

  #count(position: LedgerPosition, now: number): void {
    if (this.#isComplete) {
      this.#records = 0;
      this.#oldestMs = null;
      this.#countedAt = -Infinity;
      return;
    }
    if (now - this.#countedAt < COUNT_MS) return;
    this.#countedAt = now;
    const { records, oldestMs } = this.#options.backlog(position.seq);
    this.#records = records;
    this.#oldestMs = oldestMs;
  }

  #alarm(ageMs: number, now: number): void {
    const { log, alarmMs } = this.#options;
    if (ageMs <= alarmMs) {
      if (this.#isLate) log.warn('the backlog is taken');
      this.#isLate = false;
      this.#nextAlarmAt = 0;
      this.#alarmPauseMs = FIRST_ALARM_PAUSE_MS;
      return;
    }
    if (now < this.#nextAlarmAt) return;
    log.error('the back end is behind: shares wait in the ledger', {
      records: this.#records,
      oldest_seconds: Math.round(ageMs / 1000),
      last_error: this.#lastError,
    });
    this.#isLate = true;
    this.#nextAlarmAt = now + this.#alarmPauseMs;
    this.#alarmPauseMs = Math.min(this.#alarmPauseMs * 2, LONGEST_ALARM_PAUSE_MS);
  }
}
