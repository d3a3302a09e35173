/**
 * What arrives in one turn of the writer's loop becomes one transaction. Turn collects the batches of
 * all listeners, commits them together and answers each listener; a failure refuses the turn's batches,
 * is logged once and again at growing intervals, and the next turn tries anew.
 */
import { receiveMessageOnPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { isFull } from './errors.ts';
import type { BatchMessage, WriterStatus } from './messages.ts';
import { PortState } from './port-state.ts';
import type { MissingNames } from './port-state.ts';
import type { LedgerStore } from './store.ts';

const FIRST_ALARM_PAUSE_MS = 1000;
const LONGEST_ALARM_PAUSE_MS = 300_000;
/** Failures in a row after which the day's file is opened anew. */
const REOPEN_AFTER = 3;

interface Waiting {
  readonly port: PortState;
  readonly message: BatchMessage;
}

export class Turn {
  readonly #store: LedgerStore;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #ports = new Map<MessagePort, PortState>();
  #waiting: Waiting[] = [];
  #scheduled = false;
  #records = 0;
  #batches = 0;
  #failedBatches = 0;
  #slowestCommitMs = 0;
  #failuresInRow = 0;
  #failingSince: number | null = null;
  #lastError: string | null = null;
  #nextAlarmAt = 0;
  #alarmPauseMs = FIRST_ALARM_PAUSE_MS;

  constructor(store: LedgerStore, clock: Clock, log: Log) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  connect(port: MessagePort): void {
    const state = new PortState(port, this.#store);
    this.#ports.set(port, state);
    port.on('message', (message: BatchMessage) => {
      this.#waiting.push({ port: state, message });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.run());
    });
    port.on('close', () => this.#ports.delete(port));
  }

  /** Takes what has been posted but not delivered, and commits it: before the end. */
  drain(): void {
    for (const [port, state] of this.#ports) {
      for (;;) {
        const received = receiveMessageOnPort(port);
        if (received === undefined) break;
        this.#waiting.push({ port: state, message: received.message as BatchMessage });
      }
    }
    this.run();
  }

  /** Commits and answers what has arrived. */
  run(): void {
    this.#scheduled = false;
    const turn = this.#waiting;
    if (turn.length === 0) return;
    this.#waiting = [];
    this.#insertNames(turn);
    const records = turn.map(({ port, message }) => port.take(message));
    const committed = this.#commit(records.filter((batch) => batch !== undefined));
    this.#answer(
      turn,
      records.map((batch) => committed && batch !== undefined),
    );
    this.#store.absorb();
  }

  /** Counts since start, and the slowest commit since this was last asked. */
  status(): WriterStatus {
    const slowestCommitMs = this.#slowestCommitMs;
    this.#slowestCommitMs = 0;
    return {
      nextSeq: this.#store.nextSeq,
      records: this.#records,
      batches: this.#batches,
      failedBatches: this.#failedBatches,
      listeners: this.#ports.size,
      failingSince: this.#failingSince,
      lastError: this.#lastError,
      slowestCommitMs,
      minutesToIndex: this.#store.minutesToIndex,
    };
  }

  #insertNames(turn: readonly Waiting[]): void {
    const missing: MissingNames = { workers: [], sources: [] };
    for (const { port, message } of turn) port.collectMissing(message, missing);
    if (missing.workers.length + missing.sources.length === 0) return;
    try {
      this.#store.insertNames(missing.workers, missing.sources);
    } catch (error) {
      this.#failed(error);
    }
  }

  #commit(batches: readonly Uint8Array[]): boolean {
    if (batches.length === 0) return false;
    const startedAt = this.#clock.monotonic();
    const before = this.#store.nextSeq;
    try {
      this.#store.commit(batches);
    } catch (error) {
      this.#failed(error);
      return false;
    }
    this.#batches += batches.length;
    this.#records += this.#store.nextSeq - before;
    this.#slowestCommitMs = Math.max(this.#slowestCommitMs, this.#clock.monotonic() - startedAt);
    this.#recovered();
    return true;
  }

  /** One message a port and run of equal outcomes. */
  #answer(turn: readonly Waiting[], recorded: readonly boolean[]): void {
    const last = new Map<PortState, { upTo: number; ok: boolean }>();
    for (const [index, { port, message }] of turn.entries()) {
      const ok = recorded[index] === true;
      const run = last.get(port);
      if (run !== undefined && run.ok !== ok) port.answer(run.upTo, run.ok);
      last.set(port, { upTo: message.batch, ok });
      if (!ok) this.#failedBatches++;
    }
    for (const [port, { upTo, ok }] of last) port.answer(upTo, ok);
  }

  #failed(error: unknown): void {
    const now = this.#clock.monotonic();
    this.#lastError = messageOf(error);
    this.#failingSince ??= this.#clock.now();
    this.#failuresInRow++;
    if (now >= this.#nextAlarmAt) {
      const cause = isFull(error) ? 'the disk or the file is full' : this.#lastError;
      this.#log.error(
        `shares cannot be recorded: ${cause}. Miners get error 20 for them; jobs and blocks go on, ` +
          `every further batch is tried`,
        { failures: this.#failuresInRow },
      );
      this.#nextAlarmAt = now + this.#alarmPauseMs;
      this.#alarmPauseMs = Math.min(LONGEST_ALARM_PAUSE_MS, this.#alarmPauseMs * 2);
    }
    if (this.#failuresInRow % REOPEN_AFTER === 0) this.#reopen();
  }

  #reopen(): void {
    try {
      this.#store.reopenDay();
    } catch (error) {
      this.#log.warn(`the share file could not be closed: ${messageOf(error)}`);
    }
  }

  #recovered(): void {
    if (this.#failingSince === null) return;
    const seconds = Math.round((this.#clock.now() - this.#failingSince) / 1000);
    this.#log.warn(`shares are recorded again after ${seconds} s`, {
      failures: this.#failuresInRow,
    });
    this.#failingSince = null;
    this.#failuresInRow = 0;
    this.#nextAlarmAt = 0;
    this.#alarmPauseMs = FIRST_ALARM_PAUSE_MS;
  }
}
