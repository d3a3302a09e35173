/** A sleep that can be ended. */
export class Waker {
  #wake: (() => void) | undefined;
  #isAwake = false;

  /** Resolves after `ms`, or at wake(); at once if that has been called before. */
  sleep(ms: number): Promise<void> {
    if (this.#isAwake) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends the sleep under way and every later one. */
  wake(): void {
    this.#isAwake = true;
    this.#wake?.();
  }
}
