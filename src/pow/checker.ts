/**
 * Checks shares: the caller stages up to `capacity` shares of one job in the arrays, calls `run`, and
 * reads flags, hashes and headers. Coinbase, txid, merkle branch, header, proof of work and the
 * comparison with every target happen in one kernel call, four shares at a time where they can,
 * without allocation. One ShareChecker per listener thread and algorithm; nothing is shared.
 * Not here: duplicates, staleness, ntime, difficulty (stratum).
 */
import type { AuxTarget, Job } from '../ports.ts';
import { meets } from '../coin/target.ts';
import { messageOf } from '../errors.ts';
import type { Algorithm } from './algorithms.ts';
import { PowError } from './errors.ts';
import { instantiate, reserve, type Kernel } from './kernel.ts';

/** Bits of `flags`. */
export const MEETS_SHARE = 1;
export const MEETS_MAIN = 2;
/** The hash meets the easiest aux target; `solvedAux` says which. */
export const MEETS_AUX = 4;

/** Bytes between two extranonces; also the longest extranonce1 ‖ extranonce2. */
export const EXTRANONCE_STRIDE = 16;

/** What of a job the checker needs. */
export type CheckedJob = Pick<
  Job,
  | 'id'
  | 'coinb1'
  | 'coinb2'
  | 'extranonceSize'
  | 'branch'
  | 'prevHashLE'
  | 'bits'
  | 'targetLE'
  | 'aux'
  | 'txidKind'
>;

export class ShareChecker {
  readonly algorithm: Algorithm;
  /** Shares per run. */
  readonly capacity: number;
  /** Jobs that can be loaded at once. */
  readonly jobSlots: number;
  /** Shares to hash between two turns of the event loop (about 2 ms). */
  readonly sliceShares: number;
  /** Fixed size of the kernel's memory; the system backs only what has been touched. */
  readonly memoryBytes: number;

  /** In: extranonce1 ‖ extranonce2, share i at i × EXTRANONCE_STRIDE. */
  readonly extranonces: Uint8Array;
  /** In: header fields as integers. */
  readonly versions: Uint32Array;
  readonly ntimes: Uint32Array;
  readonly nonces: Uint32Array;
  /** In: target of the share's difficulty, 32 bytes little-endian each. */
  readonly shareTargets: Uint8Array;
  /** Out: MEETS_… bits. */
  readonly flags: Uint8Array;
  /** Out: proof-of-work hashes, 32 bytes little-endian each. */
  readonly hashes: Uint8Array;
  /** Out: headers, algorithm.headerBytes each. */
  readonly headers: Uint8Array;

  readonly #kernel: Kernel;
  readonly #jobs: (CheckedJob | undefined)[];

  private constructor(algorithm: Algorithm, kernel: Kernel, memoryBytes: number) {
    const { buffer } = kernel.memory;
    const n = kernel.CAPACITY;
    this.algorithm = algorithm;
    this.capacity = n;
    this.jobSlots = kernel.JOB_SLOTS;
    this.sliceShares = Math.min(algorithm.sliceShares, n);
    this.memoryBytes = memoryBytes;
    this.extranonces = new Uint8Array(buffer, kernel.EXTRANONCES, n * EXTRANONCE_STRIDE);
    this.versions = new Uint32Array(buffer, kernel.VERSIONS, n);
    this.ntimes = new Uint32Array(buffer, kernel.NTIMES, n);
    this.nonces = new Uint32Array(buffer, kernel.NONCES, n);
    this.shareTargets = new Uint8Array(buffer, kernel.SHARE_TARGETS, n * 32);
    this.flags = new Uint8Array(buffer, kernel.FLAGS, n);
    this.hashes = new Uint8Array(buffer, kernel.HASHES, n * 32);
    this.headers = new Uint8Array(buffer, kernel.HEADERS, n * algorithm.headerBytes);
    this.#kernel = kernel;
    this.#jobs = Array.from({ length: kernel.JOB_SLOTS }, () => undefined);
  }

  /** Compiles (once per thread) and instantiates the algorithm's kernel. Synchronous. */
  static load(algorithm: Algorithm): ShareChecker {
    const kernel = instantiate(algorithm.kernel);
    const jobs = Math.ceil(kernel.HEAP / 64) * 64;
    const scratch = kernel.init(algorithm.headerBytes, algorithm.parameter, jobs);
    if (scratch < 0) {
      throw new PowError(
        'bad-parameter',
        `${algorithm.name}: kernel ${algorithm.kernel} refuses parameter ${algorithm.parameter} with headers of ${algorithm.headerBytes} bytes`,
      );
    }
    reserve(kernel, jobs + kernel.JOB_SLOTS * kernel.JOB_BYTES + scratch);
    return new ShareChecker(algorithm, kernel, kernel.memory.buffer.byteLength);
  }

  /**
   * Loads a job and returns its slot. Throws PowError where the job does not fit the kernel's bounds
   * or all slots are taken.
   */
  addJob(job: CheckedJob): number {
    const kernel = this.#kernel;
    this.#assertFits(job);
    const slot = this.#jobs.indexOf(undefined);
    if (slot < 0) {
      throw new PowError(
        'no-slot',
        `${this.algorithm.name}: job ${job.id}: all ${this.jobSlots} job slots are taken; drop retired jobs first`,
      );
    }
    const memory = new Uint8Array(kernel.memory.buffer);
    memory.set(job.coinb1, kernel.IN_COINB1);
    memory.set(job.coinb2, kernel.IN_COINB2);
    memory.set(job.branch, kernel.IN_BRANCH);
    memory.set(job.prevHashLE, kernel.IN_PREV_HASH);
    memory.set(job.targetLE, kernel.IN_MAIN_TARGET);
    // Without aux chains a target of zero: only an all-zero hash meets it, and solvedAux is then empty.
    memory.set(easiestTarget(job.aux), kernel.IN_AUX_TARGET);
    kernel.setJob(
      slot,
      job.coinb1.length,
      job.extranonceSize,
      job.coinb2.length,
      job.branch.length / 32,
      job.bits,
      (job.txidKind ?? this.algorithm.txidKind) === 'sha256' ? 1 : 2,
    );
    this.#jobs[slot] = job;
    return slot;
  }

  /** Frees a slot. */
  dropJob(slot: number): void {
    this.#job(slot);
    this.#jobs[slot] = undefined;
  }

  /** Hashes the first `count` staged shares and fills flags, hashes and headers. */
  run(slot: number, count: number): void {
    this.runSome(slot, 0, count);
  }

  /** The same for shares from … to - 1, for callers that slice; throws PowError if a custom function fails. */
  runSome(slot: number, from: number, to: number): void {
    this.#job(slot);
    this.#assertRange(from, to);
    if (this.algorithm.custom === undefined) {
      this.#kernel.run(slot, from, to);
      return;
    }
    this.#kernel.build(slot, from, to);
    this.hashHeaders(from, to);
    this.#kernel.judge(slot, from, to);
  }

  /** Only the proof of work: `headers` as they stand → `hashes`. For the self-test and the miner. */
  hashHeaders(from: number, to: number): void {
    this.#assertRange(from, to);
    if (this.algorithm.custom === undefined) {
      this.#kernel.hash(from, to);
      return;
    }
    const size = this.algorithm.headerBytes;
    for (let i = from; i < to; i++) {
      const header = this.headers.slice(i * size, (i + 1) * size);
      this.hashes.set(callCustom(this.algorithm, header), i * 32);
    }
  }

  /** The aux chains whose target share `index` of the last run meets; to ask where MEETS_AUX is set. */
  solvedAux(slot: number, index: number): readonly AuxTarget[] {
    const hash = this.hashes.subarray(index * 32, index * 32 + 32);
    return this.#job(slot).aux.filter((aux) => meets(hash, aux.targetLE));
  }

  /** One header → its proof-of-work hash, 32 bytes little-endian. Leaves staged shares alone. */
  hashHeader(header: Uint8Array): Uint8Array {
    const { headerBytes, custom, name } = this.algorithm;
    if (header.length !== headerBytes) {
      throw new PowError(
        'bad-header',
        `${name}: a header of ${header.length} bytes, expected ${headerBytes}`,
      );
    }
    if (custom !== undefined) return callCustom(this.algorithm, header);
    const { CAPACITY, HEADERS, HASHES, memory } = this.#kernel;
    new Uint8Array(memory.buffer).set(header, HEADERS + CAPACITY * headerBytes);
    this.#kernel.hash(CAPACITY, CAPACITY + 1);
    return new Uint8Array(memory.buffer.slice(HASHES + CAPACITY * 32, HASHES + CAPACITY * 32 + 32));
  }

  #assertRange(from: number, to: number): void {
    if (!(from >= 0 && from <= to && to <= this.capacity)) {
      throw new RangeError(`shares ${from} to ${to} of ${this.capacity}`);
    }
  }

  #job(slot: number): CheckedJob {
    const job = this.#jobs[slot];
    if (job === undefined) throw new RangeError(`${this.algorithm.name}: no job in slot ${slot}`);
    return job;
  }

  #assertFits(job: CheckedJob): void {
    const { COINB_BYTES, MAX_LEVELS } = this.#kernel;
    const refuse = (what: string, seen: number, expected: string): never => {
      throw new PowError(
        'job-too-large',
        `${this.algorithm.name}: job ${job.id}: ${what} of ${seen} bytes, expected ${expected}; the job is not served`,
      );
    };
    const { coinb1, coinb2, extranonceSize: size, branch } = job;
    if (coinb1.length > COINB_BYTES) refuse('coinb1', coinb1.length, `at most ${COINB_BYTES}`);
    if (coinb2.length > COINB_BYTES) refuse('coinb2', coinb2.length, `at most ${COINB_BYTES}`);
    if (!Number.isInteger(size) || size < 0 || size > EXTRANONCE_STRIDE) {
      refuse('extranonces', size, `0 to ${EXTRANONCE_STRIDE}`);
    }
    if (branch.length % 32 !== 0 || branch.length > MAX_LEVELS * 32) {
      refuse('merkle branch', branch.length, `a multiple of 32, at most ${MAX_LEVELS * 32}`);
    }
    if (job.prevHashLE.length !== 32) refuse('previous hash', job.prevHashLE.length, '32');
    for (const target of [job.targetLE, ...job.aux.map((aux) => aux.targetLE)]) {
      if (target.length !== 32) refuse('target', target.length, '32');
    }
  }
}

function easiestTarget(aux: readonly AuxTarget[]): Uint8Array {
  let easiest = new Uint8Array(32);
  for (const { targetLE } of aux) {
    if (meets(easiest, targetLE)) easiest = Uint8Array.from(targetLE);
  }
  return easiest;
}

function callCustom(algorithm: Algorithm, header: Uint8Array): Uint8Array {
  let hash: unknown;
  try {
    hash = algorithm.custom?.(header);
  } catch (error) {
    throw new PowError(
      'custom-failed',
      `${algorithm.name}: the hash function threw: ${messageOf(error)}`,
      { cause: error },
    );
  }
  if (!(hash instanceof Uint8Array) || hash.length !== 32) {
    const seen = hash instanceof Uint8Array ? `${hash.length} bytes` : typeof hash;
    throw new PowError(
      'custom-failed',
      `${algorithm.name}: the hash function returned ${seen}, expected a Uint8Array of 32 bytes`,
    );
  }
  return hash;
}

const singles = new WeakMap<Algorithm, ShareChecker>();

/** One header → its proof-of-work hash, 32 bytes little-endian; keeps one kernel per algorithm. */
export function hashHeader(algorithm: Algorithm, header: Uint8Array): Uint8Array {
  let checker = singles.get(algorithm);
  if (checker === undefined) {
    checker = ShareChecker.load(algorithm);
    singles.set(algorithm, checker);
  }
  return checker.hashHeader(header);
}
