/**
 * One timer for tens of thousands of deadlines. An entry stands in the slot of its deadline; `advance`
 * visits the slots that time has passed and fires what is due, so an idle entry costs nothing and
 * moving a deadline costs a few pointer writes. Accuracy: one tick late at most, never early.
 */

/** What a wheel needs of an entry; all fields are the wheel's own. */
export interface WheelEntry {
  wheelNext: WheelEntry | undefined;
  wheelPrevious: WheelEntry | undefined;
  /** Tick at which it is due, -1 while it is in no slot. */
  wheelTick: number;
  /** Called when due; the entry is out of the wheel then and may be scheduled again. */
  onTimer(nowMs: number): void;
}

class Head implements WheelEntry {
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;
  wheelTick = -1;
  onTimer(): void {}
}

export class TimerWheel {
  readonly #tickMs: number;
  readonly #slots: Head[];
  /** The next tick to visit. */
  #tick: number;

  constructor(nowMs: number, tickMs = 100, slots = 1024) {
    this.#tickMs = tickMs;
    this.#slots = Array.from({ length: slots }, () => new Head());
    this.#tick = Math.floor(nowMs / tickMs);
  }

  /** Puts `entry` at `atMs`, taking it from where it stood. */
  schedule(entry: WheelEntry, atMs: number): void {
    this.cancel(entry);
    const tick = Math.max(this.#tick, Math.ceil(atMs / this.#tickMs));
    const head = this.#slots[tick % this.#slots.length]!;
    entry.wheelTick = tick;
    entry.wheelPrevious = head;
    entry.wheelNext = head.wheelNext;
    if (head.wheelNext !== undefined) head.wheelNext.wheelPrevious = entry;
    head.wheelNext = entry;
  }

  cancel(entry: WheelEntry): void {
    if (entry.wheelTick === -1) return;
    const previous = entry.wheelPrevious;
    const next = entry.wheelNext;
    if (previous !== undefined) previous.wheelNext = next;
    if (next !== undefined) next.wheelPrevious = previous;
    entry.wheelNext = undefined;
    entry.wheelPrevious = undefined;
    entry.wheelTick = -1;
  }

  /** Fires everything due at `nowMs`. A slot is visited at most once a call, however late it comes. */
  advance(nowMs: number): void {
    const last = Math.floor(nowMs / this.#tickMs);
    const first = Math.max(this.#tick, last - this.#slots.length + 1);
    this.#tick = last + 1;
    for (let tick = first; tick <= last; tick++) this.#fire(tick, last, nowMs);
  }

  #fire(tick: number, last: number, nowMs: number): void {
    let entry = this.#slots[tick % this.#slots.length]!.wheelNext;
    const due: WheelEntry[] = [];
    for (; entry !== undefined; entry = entry.wheelNext) {
      if (entry.wheelTick <= last) due.push(entry);
    }
    for (const each of due) {
      if (each.wheelTick === -1 || each.wheelTick > last) continue;
      this.cancel(each);
      each.onTimer(nowMs);
    }
  }
}
