/** The keys and operations of one run of assets/lua/report-batch.lua, sums added up beforehand. */

/** Values of one push: the script unpacks them onto Lua's stack, which holds some 8000. */
const PUSHED_AT_ONCE = 500;

type Operation = readonly [name: string, key: number, values: readonly string[]];

export class ScriptInput {
  readonly #keys = new Map<string, number>();
  readonly #sums = new Map<string, Map<string, number>>();
  readonly #lists = new Map<string, string[]>();
  readonly #blocks: Operation[] = [];

  constructor(cursorKey: string) {
    this.#index(cursorKey);
  }

  get keys(): readonly string[] {
    return [...this.#keys.keys()];
  }

  add(key: string, field: string, amount: number): void {
    this.#index(key);
    let fields = this.#sums.get(key);
    if (fields === undefined) this.#sums.set(key, (fields = new Map()));
    fields.set(field, (fields.get(field) ?? 0) + amount);
  }

  push(key: string, value: string): void {
    this.#index(key);
    const list = this.#lists.get(key);
    if (list === undefined) this.#lists.set(key, [value]);
    else list.push(value);
  }

  /** `values`: key of the solved block, time, then fields and values. */
  block(round: string, values: readonly string[]): void {
    this.#blocks.push(['block', this.#index(round), values]);
  }

  /** JSON of all operations: lists and sums, then blocks. */
  operations(): string {
    const operations: Operation[] = [];
    for (const [key, values] of this.#lists) {
      for (let at = 0; at < values.length; at += PUSHED_AT_ONCE) {
        operations.push(['push', this.#index(key), values.slice(at, at + PUSHED_AT_ONCE)]);
      }
    }
    for (const [key, fields] of this.#sums) {
      const index = this.#index(key);
      for (const [field, sum] of fields) operations.push(['add', index, [field, String(sum)]]);
    }
    return JSON.stringify([...operations, ...this.#blocks]);
  }

  /** Lua's index of a key, from 1. */
  #index(key: string): number {
    let index = this.#keys.get(key);
    if (index === undefined) this.#keys.set(key, (index = this.#keys.size + 1));
    return index;
  }
}
