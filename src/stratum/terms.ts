/**
 * What a share on a job is judged by, per session: difficulty, version mask and extranonce1 are those in force when
 * the job's id was first sent. Jobs reach a session in order of their sequence, so the history is a
 * short list of changes, each with the job it began at; it is bounded, and a job older than the list
 * is not known to the session any more. Entry points: Term, TermHistory, TargetCache.
 */
import { targetFromDifficulty, targetToLE } from '../coin/target.ts';

export interface Term {
  /** Sequence of the first job it holds for. */
  readonly from: number;
  readonly difficulty: number;
  /** 32 bytes little-endian. */
  readonly targetLE: Uint8Array;
  /** Version bits the miner may roll, before the job's own mask. */
  readonly versionMask: number;
  readonly extranonce1: Uint8Array;
}

const TERMS_KEPT = 16;

export class TermHistory {
  #terms: Term[] = [];

  get latest(): Term | undefined {
    return this.#terms.at(-1);
  }

  begin(term: Term): void {
    if (this.#terms.length === TERMS_KEPT) this.#terms.shift();
    this.#terms.push(term);
  }

  /** The term of the job with that sequence; undefined: the session was never sent it, or long ago. */
  of(sequence: number): Term | undefined {
    for (let i = this.#terms.length - 1; i >= 0; i--) {
      const term = this.#terms[i]!;
      if (term.from <= sequence) return term;
    }
    return undefined;
  }

  uses(extranonce1: Uint8Array): boolean {
    return this.#terms.some((term) => Buffer.compare(term.extranonce1, extranonce1) === 0);
  }

  /**
   * A miner that asks for version rolling in mid-session starts with it at once: what it asked for
   * holds for the jobs it has, too.
   */
  widen(mask: number): void {
    this.#terms = this.#terms.map((term) => ({ ...term, versionMask: term.versionMask | mask }));
  }
}

const TARGETS_KEPT = 4096;

/** Targets by difficulty, shared by all sessions of a port; tiers make them few, manual ones are bounded. */
export class TargetCache {
  readonly #diff1: bigint;
  readonly #targets = new Map<number, Uint8Array>();

  constructor(diff1: bigint) {
    this.#diff1 = diff1;
  }

  targetLE(difficulty: number): Uint8Array {
    const known = this.#targets.get(difficulty);
    if (known !== undefined) return known;
    if (this.#targets.size >= TARGETS_KEPT) this.#targets.clear();
    const made = targetToLE(targetFromDifficulty(difficulty, this.#diff1));
    this.#targets.set(difficulty, made);
    return made;
  }
}
