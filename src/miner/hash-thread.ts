/**
 * Worker thread of the CPU miner: tries nonces of one header until new work arrives. Hashes in slices
 * so that new work is seen within milliseconds.
 */
import { parentPort } from 'node:worker_threads';
import { algorithm } from '../pow/algorithms.ts';
import { ShareChecker } from '../pow/checker.ts';
import { PoolError } from '../errors.ts';

/** A header to search, from the miner to the thread. */
export interface SearchOrder {
  readonly serial: number;
  readonly algorithm: string;
  readonly header: Uint8Array;
  readonly targetLE: Uint8Array;
}

/** What the thread reports: a nonce that meets the target, hashes done, or the end of the nonce range. */
export type SearchReport =
  | { readonly kind: 'found'; readonly serial: number; readonly nonce: number }
  | { readonly kind: 'hashes'; readonly count: number }
  | { readonly kind: 'exhausted'; readonly serial: number };

const SLICE_MS = 10;
const HEADER_BYTES = 80;
const HASH_BYTES = 32;
const NONCE_AT = 76;
const NONCES = 2 ** 32;

let order: SearchOrder | undefined;
let checker: ShareChecker | undefined;
let nonce = 0;
let running = false;

function post(report: SearchReport): void {
  parentPort!.postMessage(report);
}

/** The kernel, with the order's header staged in every place of a batch. */
function stage(next: SearchOrder): void {
  if (checker?.algorithm.name !== next.algorithm) {
    const found = algorithm(next.algorithm);
    if (found === undefined) {
      throw new PoolError('ALGORITHM', `miner: no algorithm ${next.algorithm}`);
    }
    checker = ShareChecker.load(found);
  }
  for (let at = 0; at < checker.sliceShares; at += 1) {
    checker.headers.set(next.header, at * HEADER_BYTES);
  }
}

/** Hashes one batch of nonces and reports those that meet the target; how many were hashed. */
function searchBatch(kernel: ShareChecker, current: SearchOrder): number {
  const { headers, hashes } = kernel;
  const view = new DataView(headers.buffer, headers.byteOffset, headers.byteLength);
  const count = Math.min(kernel.sliceShares, NONCES - nonce);
  for (let at = 0; at < count; at += 1) {
    view.setUint32(at * HEADER_BYTES + NONCE_AT, nonce + at, true);
  }
  kernel.hashHeaders(0, count);
  for (let at = 0; at < count; at += 1) {
    if (meets(hashes, at * HASH_BYTES, current.targetLE)) {
      post({ kind: 'found', serial: current.serial, nonce: nonce + at });
    }
  }
  nonce += count;
  return count;
}

function meets(hashes: Uint8Array, from: number, targetLE: Uint8Array): boolean {
  for (let i = HASH_BYTES - 1; i >= 0; i -= 1) {
    const [hash, target] = [hashes[from + i]!, targetLE[i]!];
    if (hash !== target) return hash < target;
  }
  return true;
}

function slice(): void {
  const current = order;
  if (current === undefined) {
    running = false;
    return;
  }
  const endsAt = performance.now() + SLICE_MS;
  let count = 0;
  do {
    count += searchBatch(checker!, current);
  } while (performance.now() < endsAt && nonce < NONCES);
  post({ kind: 'hashes', count });
  if (nonce >= NONCES) {
    order = undefined;
    post({ kind: 'exhausted', serial: current.serial });
  }
  setImmediate(slice);
}

parentPort!.on('message', (next: SearchOrder | null) => {
  order = next ?? undefined;
  nonce = 0;
  if (order !== undefined) stage(order);
  if (!running && order !== undefined) {
    running = true;
    setImmediate(slice);
  }
});
