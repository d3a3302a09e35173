/**
 * What makes every job's coinbase one that no other job has, in this run, in an earlier one, or on
 * another server of the pool: random bytes per run, the server number and a counter stand in its
 * scriptSig. The counter is the job id too. One identity serves all chains of a run.
 */
import { randomBytes } from 'node:crypto';

export interface JobIdentity {
  /** Hex, unique within the run. */
  readonly id: string;
  /** run tag (4) ‖ server (2, LE) ‖ counter (4, LE): 10 bytes for the scriptSig. */
  readonly unique: Uint8Array;
}

export class RunIdentity {
  /** 4 random bytes of this run ‖ the server number, 2 bytes LE. */
  readonly tag: Uint8Array;
  #counter = 0;

  constructor(serverNumber: number, runTag: Uint8Array = randomBytes(4)) {
    this.tag = Uint8Array.of(...runTag.subarray(0, 4), serverNumber & 0xff, serverNumber >>> 8);
  }

  nextJob(): JobIdentity {
    this.#counter += 1;
    const unique = new Uint8Array(this.tag.length + 4);
    unique.set(this.tag);
    new DataView(unique.buffer).setUint32(this.tag.length, this.#counter, true);
    return { id: this.#counter.toString(16), unique };
  }
}
