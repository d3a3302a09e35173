/**
 * The shares of one job that counted, by eight bytes of their hash: open addressing in a Uint32Array,
 * eight bytes a slot. It doubles a few entries at a time, so that no share pays for the whole move, and
 * it never holds more than `limit`.
 */

const FIRST_SLOTS = 256;
/** Entries moved per add while a larger table is being filled; 2 would do at a load of one half. */
const MOVED_PER_ADD = 8;

export class DuplicateTable {
  readonly #limit: number;
  #table = new Uint32Array(FIRST_SLOTS * 2);
  #old: Uint32Array | undefined = undefined;
  #moved = 0;
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Adds the hash at `hashesLE[at, at + 32)`; its first eight bytes are the low-order ones, which no
   * target fixes. 'known': it was there. 'full': not added, the limit is reached.
   */
  add(hashesLE: Uint8Array, at: number): 'added' | 'known' | 'full' {
    const low = u32(hashesLE, at);
    // A pair of zeros marks a free slot.
    const high = u32(hashesLE, at + 4) || 1;
    if (this.#old !== undefined) this.#move(this.#old);
    if (contains(this.#table, low, high)) return 'known';
    if (this.#old !== undefined && contains(this.#old, low, high)) return 'known';
    if (this.#size >= this.#limit) return 'full';
    this.#size++;
    insert(this.#table, low, high);
    if (this.#size * 4 > this.#table.length) this.#grow();
    return 'added';
  }

  #grow(): void {
    if (this.#old !== undefined) return;
    this.#old = this.#table;
    this.#moved = 0;
    this.#table = new Uint32Array(this.#old.length * 2);
  }

  #move(old: Uint32Array): void {
    const end = Math.min(old.length, this.#moved + MOVED_PER_ADD * 2);
    for (let at = this.#moved; at < end; at += 2) {
      if (old[at + 1] !== 0) insert(this.#table, old[at]!, old[at + 1]!);
    }
    this.#moved = end;
    if (end === old.length) this.#old = undefined;
  }
}

function u32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}

function contains(table: Uint32Array, low: number, high: number): boolean {
  const mask = table.length - 1;
  let at = (low << 1) & mask;
  while (table[at + 1] !== 0) {
    if (table[at] === low && table[at + 1] === high) return true;
    at = (at + 2) & mask;
  }
  return false;
}

function insert(table: Uint32Array, low: number, high: number): void {
  const mask = table.length - 1;
  let at = (low << 1) & mask;
  while (table[at + 1] !== 0) at = (at + 2) & mask;
  table[at] = low;
  table[at + 1] = high;
}
