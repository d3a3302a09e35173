/**
 * extranonce1: what makes one session's work differ from every other's. Each listener thread has a
 * residue class of its own, starts at a random place in it and counts on, so that no two live sessions
 * of a run share a value and none comes back while a job that it was used on can live (a class of four
 * bytes has 16 million values). Entry point: Extranonces.
 */
import { randomInt } from 'node:crypto';

/** Threads, dead ones included, that a run can tell apart before classes are used again. */
export const CLASSES = 256;
const PER_CLASS = 2 ** 32 / CLASSES;
const SLAB_VALUES = 64;

export class Extranonces {
  readonly #bytes: 4 | 8;
  readonly #class: number;
  readonly #isLive: (extranonce1: Uint8Array) => boolean;
  #next: number;
  #high: number;
  #issued = 0;
  /** Values are views into slabs: half the memory of an array of their own. */
  #slab = new Uint8Array(0);
  #slabUsed = 0;

  /** `isLive` is asked only once every value of the class has been handed out. */
  constructor(bytes: 4 | 8, thread: number, isLive: (extranonce1: Uint8Array) => boolean) {
    this.#bytes = bytes;
    this.#class = thread % CLASSES;
    this.#isLive = isLive;
    this.#next = randomInt(PER_CLASS);
    this.#high = randomInt(2 ** 32);
  }

  take(): Uint8Array {
    for (;;) {
      const made = this.#make();
      if (this.#issued <= PER_CLASS || !this.#isLive(made)) return made;
    }
  }

  #make(): Uint8Array {
    if (this.#slabUsed === this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_VALUES * this.#bytes);
      this.#slabUsed = 0;
    }
    const made = this.#slab.subarray(this.#slabUsed, this.#slabUsed + this.#bytes);
    this.#slabUsed += this.#bytes;
    writeU32(made, this.#bytes - 4, this.#next * CLASSES + this.#class);
    if (this.#bytes === 8) writeU32(made, 0, this.#high);
    this.#issued++;
    this.#next = (this.#next + 1) % PER_CLASS;
    if (this.#next === 0) this.#high = (this.#high + 1) >>> 0;
    return made;
  }
}

function writeU32(into: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) into[at + i] = (value >>> (24 - i * 8)) & 0xff;
}
