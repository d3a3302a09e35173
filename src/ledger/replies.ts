/** Questions to a thread that wait for their numbered answers. */
import type { LedgerError } from './errors.ts';

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: LedgerError) => void;
}

export class Replies<T> {
  readonly #waiting = new Map<number, Waiting<T>>();
  #lastId = 0;

  /** Sends a question under a new id and waits for its answer. */
  wait(send: (id: number) => void): Promise<T> {
    const id = ++this.#lastId;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      send(id);
    });
  }

  resolve(id: number, value: T): void {
    this.#waiting.get(id)?.resolve(value);
    this.#waiting.delete(id);
  }

  reject(id: number, error: LedgerError): void {
    this.#waiting.get(id)?.reject(error);
    this.#waiting.delete(id);
  }

  failAll(error: LedgerError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
