/**
 * Long polling of the daemon that serves templates: one getblocktemplate call that the daemon answers
 * when there is other work, on its own connection, asked again at once. A daemon that answers at once
 * with the same work (seen after a restart) is asked less and less often. Failures never count against
 * the daemon here, since a proxy may cut long calls: the group is told to look instead.
 */
import type { Clock } from '../clock.ts';
import { DaemonError } from './error.ts';
import type { DaemonNode } from './node.ts';
import { longpollId, previousBlockHash, requestFor } from './template-request.ts';
import type { Cancel, Timers } from './timers.ts';

export interface LongpollOptions {
  readonly params: () => readonly unknown[];
  readonly clock: Clock;
  readonly timers: Timers;
  /** Other work came: a whole template; `askedTip` is the tip the call was made on. */
  readonly onAnswer: (node: DaemonNode, body: Buffer, askedTip: string) => void;
  /** The call failed other than by its timeout. */
  readonly onFailure: (node: DaemonNode, error: DaemonError) => void;
}

/** Daemons answer at the latest when a transaction came after a minute; then the call is made again. */
const CALL_MS = 10 * 60_000;
/** New transactions take a daemon a minute; an answer on the same tip before this is a repetition. */
const SOON_MS = 5000;
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 30_000;

/** Pause before the next call after `repeats` answers in a row that brought nothing. Pure. */
export function pauseMs(repeats: number): number {
  return repeats === 0 ? 0 : Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (repeats - 1));
}

interface Watch {
  readonly node: DaemonNode;
  readonly abort: AbortController;
  id: string;
  tip: string;
  repeats: number;
  cancelPause: Cancel | undefined;
}

export class Longpoll {
  readonly #options: LongpollOptions;
  #watch: Watch | undefined;

  constructor(options: LongpollOptions) {
    this.#options = options;
  }

  /** `node` delivered a template with this id: wait for what comes after it. */
  follow(node: DaemonNode, id: string, tip: string): void {
    const watch = this.#watch;
    if (watch?.node === node) {
      this.#renew(watch, id, tip);
      return;
    }
    this.stop();
    const fresh: Watch = {
      node,
      abort: new AbortController(),
      id,
      tip,
      repeats: 0,
      cancelPause: undefined,
    };
    this.#watch = fresh;
    void this.#ask(fresh);
  }

  stop(): void {
    this.#watch?.abort.abort();
    this.#watch?.cancelPause?.();
    this.#watch = undefined;
  }

  /** The call under way is answered by the daemon itself; a pause ends with a new tip. */
  #renew(watch: Watch, id: string, tip: string): void {
    const isNewTip = watch.tip !== tip;
    watch.id = id;
    watch.tip = tip;
    if (!isNewTip || watch.cancelPause === undefined) return;
    watch.cancelPause();
    watch.cancelPause = undefined;
    watch.repeats = 0;
    void this.#ask(watch);
  }

  /** One call and, after its pause, the next. Never rejects. */
  async #ask(watch: Watch): Promise<void> {
    const { clock, params, onAnswer, onFailure } = this.#options;
    const { node, id, tip } = watch;
    const askedAt = clock.monotonic();
    try {
      const body = await node.daemon.callRaw(
        'getblocktemplate',
        requestFor(params(), node.learned, id),
        { lane: 'longpoll', timeoutMs: CALL_MS, signal: watch.abort.signal },
      );
      if (this.#watch !== watch) return;
      const tookMs = clock.monotonic() - askedAt;
      const isNew =
        previousBlockHash(body) !== tip || (longpollId(body) !== id && tookMs >= SOON_MS);
      watch.repeats = isNew ? 0 : watch.repeats + 1;
      if (isNew) onAnswer(node, body, tip);
    } catch (error) {
      if (this.#watch !== watch || !(error instanceof DaemonError)) return;
      if (error.code !== 'TIMEOUT') {
        watch.repeats += 1;
        onFailure(node, error);
      }
    }
    this.#next(watch);
  }

  #next(watch: Watch): void {
    if (this.#watch !== watch) return;
    const pause = pauseMs(watch.repeats);
    if (pause === 0) {
      void this.#ask(watch);
      return;
    }
    watch.cancelPause = this.#options.timers.after(pause, () => {
      watch.cancelPause = undefined;
      void this.#ask(watch);
    });
  }
}
