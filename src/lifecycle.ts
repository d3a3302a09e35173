/**
 * Starting and stopping: components start in the order given and stop in reverse, each step named and
 * with a deadline, so that a hang says where it hangs and what it waits for.
 */
import { PoolError, messageOf } from './errors.ts';

export interface Startable {
  readonly key: string;
  start(): Promise<void>;
  /** Resolves once everything is flushed and closed; called once, also after a failed start. */
  stop(): Promise<void>;
}

export class LifecycleError extends PoolError {}

/** Runs `step`, failing with a message that names it when `timeoutMs` passes first. */
export async function withDeadline<T>(
  name: string,
  timeoutMs: number,
  step: () => Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new LifecycleError('TIMEOUT', `${name} did not finish within ${timeoutMs / 1000} s`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([step(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Starts and stops a fixed list of components. */
export class Lifecycle {
  readonly #parts: readonly Startable[];
  readonly #started: Startable[] = [];
  readonly #onProblem: (message: string) => void;

  constructor(parts: readonly Startable[], onProblem: (message: string) => void) {
    this.#parts = parts;
    this.#onProblem = onProblem;
  }

  async start(stepTimeoutMs: number): Promise<void> {
    for (const part of this.#parts) {
      this.#started.push(part);
      await withDeadline(`start of ${part.key}`, stepTimeoutMs, () => part.start());
    }
  }

  /** Stops what was started, newest first, within `timeoutMs` in all; reports what failed or hung. */
  async stop(timeoutMs: number): Promise<void> {
    const endsAt = performance.now() + timeoutMs;
    for (const part of this.#started.toReversed()) {
      const left = Math.max(100, endsAt - performance.now());
      try {
        await withDeadline(`stop of ${part.key}`, left, () => part.stop());
      } catch (error) {
        this.#onProblem(messageOf(error));
      }
    }
    this.#started.length = 0;
  }
}
