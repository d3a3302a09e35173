/** Timers as a dependency, so that tests of anything periodic move time instead of waiting for it. */

export type Cancel = () => void;

export interface Timers {
  /** Runs `task` once, `ms` from now, unless cancelled. Never keeps the process alive. */
  after(ms: number, task: () => void): Cancel;
}

export const systemTimers: Timers = {
  after(ms, task) {
    const timer = setTimeout(task, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Runs `task` every `ms`, measured from the end of the last (synchronous) run. */
export function every(timers: Timers, ms: number, task: () => void): Cancel {
  let cancel: Cancel = () => {};
  const arm = (): void => {
    cancel = timers.after(ms, () => {
      arm();
      task();
    });
  };
  arm();
  return () => cancel();
}
