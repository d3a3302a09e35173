/**
 * The end of a turn of the event loop: whatever was read before it is worked on together and every
 * connection is written to once. `work` returns true while it wants another turn (long work is
 * sliced so that sockets and messages are served in between).
 */
import type { Connection } from './connection.ts';

export class EndOfTurn {
  readonly #work: () => boolean;
  #dirty: Connection[] = [];
  #immediate: NodeJS.Immediate | undefined = undefined;

  constructor(work: () => boolean = () => false) {
    this.#work = work;
  }

  /** Makes sure that a turn ends. */
  schedule(): void {
    this.#immediate ??= setImmediate(this.#end);
  }

  willWrite(connection: Connection): void {
    this.#dirty.push(connection);
    this.schedule();
  }

  /** Writes what connections have gathered, now. */
  flush(): void {
    if (this.#dirty.length === 0) return;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const connection of dirty) connection.flush();
  }

  stop(): void {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
  }

  readonly #end = (): void => {
    this.#immediate = undefined;
    if (this.#work()) this.schedule();
    this.flush();
  };
}
