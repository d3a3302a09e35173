/**
 * Loads a kernel: one WebAssembly module per algorithm, committed in assets/kernels, all with the ABI
 * below (its other side is kernels/lib). Compilation and instantiation are synchronous and happen once
 * per thread. The memory grows once, here, and never again, so views on it stay valid.
 */
import { readFileSync } from 'node:fs';
import { messageOf } from '../errors.ts';
import { PowError } from './errors.ts';

/** What every kernel exports; addresses are offsets into `memory`. */
export interface Kernel {
  readonly memory: WebAssembly.Memory;
  /** Shares per run. Index CAPACITY of `headers` and `hashes` is a spare for single headers. */
  readonly CAPACITY: number;
  readonly JOB_SLOTS: number;
  readonly JOB_BYTES: number;
  /** Longest coinb1 and coinb2, bytes each. */
  readonly COINB_BYTES: number;
  readonly MAX_LEVELS: number;
  /** capacity × 16, capacity × 4 … : staged shares and results. */
  readonly EXTRANONCES: number;
  readonly VERSIONS: number;
  readonly NTIMES: number;
  readonly NONCES: number;
  readonly SHARE_TARGETS: number;
  readonly FLAGS: number;
  readonly HASHES: number;
  readonly HEADERS: number;
  /** Input of setJob: coinb1 here, coinb2 at +COINB_BYTES, then branch, previous hash and targets. */
  readonly IN_COINB1: number;
  readonly IN_COINB2: number;
  readonly IN_BRANCH: number;
  readonly IN_PREV_HASH: number;
  readonly IN_MAIN_TARGET: number;
  readonly IN_AUX_TARGET: number;
  /** First byte that no table of the module uses. */
  readonly HEAP: number;
  /** Sets the header size and the algorithm's parameter; `jobs` is where job slots start. Returns bytes of scratch needed after the slots, or -1 for a bad parameter. */
  init(headerBytes: number, parameter: number, jobs: number): number;
  setJob(
    slot: number,
    coinb1Length: number,
    extranonceSize: number,
    coinb2Length: number,
    levels: number,
    bits: number,
    txidHashes: number,
  ): void;
  /** Staged shares → headers. */
  build(slot: number, from: number, to: number): void;
  /** headers → hashes. */
  hash(from: number, to: number): void;
  /** hashes → flags. */
  judge(slot: number, from: number, to: number): void;
  /** All three. */
  run(slot: number, from: number, to: number): void;
  /** `count` txids at `at` (overwritten; room for one more needed) → branch at IN_BRANCH; returns its levels. */
  merkleBranch(at: number, count: number): number;
}

const PAGE = 65536;
const modules = new Map<string, WebAssembly.Module>();

function compile(name: string): WebAssembly.Module {
  const known = modules.get(name);
  if (known !== undefined) return known;
  const url = new URL(`../../assets/kernels/${name}.wasm`, import.meta.url);
  try {
    const module = new WebAssembly.Module(readFileSync(url));
    modules.set(name, module);
    return module;
  } catch (error) {
    throw new PowError(
      'kernel-unreadable',
      `kernel ${name}: ${url.pathname} is not a WebAssembly module that this Node can load (${messageOf(error)}); reinstall the package`,
      { cause: error },
    );
  }
}

/** A fresh instance with its addresses as plain numbers. */
export function instantiate(name: string): Kernel {
  const instance = new WebAssembly.Instance(compile(name), {});
  const entries = Object.entries(instance.exports).map(([key, value]) => [
    key,
    value instanceof WebAssembly.Global ? Number(value.value) : value,
  ]);
  return Object.fromEntries(entries) as Kernel;
}

/** Makes the memory at least `bytes` long. Views taken before it grows are lost. */
export function reserve(kernel: Kernel, bytes: number): void {
  const missing = bytes - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / PAGE));
}
