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

let order: SearchOrder | undefined;
let checker: ShareChecker | undefined;
let checkerName = '';
let nonce = 0;
let running = false;

function meets(hashLE: Uint8Array, targetLE: Uint8Array): boolean {
  for (let i = 31; i >= 0; i -= 1) {
    if (hashLE[i]! !== targetLE[i]!) return hashLE[i]! < targetLE[i]!;
  }
  return true;
}

function hasher(name: string): ShareChecker {
  if (checker === undefined || checkerName !== name) {
    const found = algorithm(name);
    if (found === undefined) throw new PoolError('ALGORITHM', `miner: no algorithm ${name}`);
    checker = ShareChecker.load(found);
    checkerName = name;
  }
  return checker;
}

function post(report: SearchReport): void {
  parentPort!.postMessage(report);
}

function slice(): void {
  const current = order;
  if (current === undefined) {
    running = false;
    return;
  }
  const { header } = current;
  const hash = hasher(current.algorithm);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const endsAt = performance.now() + SLICE_MS;
  let count = 0;
  do {
    for (let i = 0; i < 64 && nonce <= 0xffffffff; i += 1) {
      view.setUint32(76, nonce, true);
      if (meets(hash.hashHeader(header), current.targetLE)) {
        post({ kind: 'found', serial: current.serial, nonce });
      }
      nonce += 1;
      count += 1;
    }
  } while (performance.now() < endsAt && nonce <= 0xffffffff);
  post({ kind: 'hashes', count });
  if (nonce > 0xffffffff) {
    order = undefined;
    post({ kind: 'exhausted', serial: current.serial });
  }
  setImmediate(slice);
}

parentPort!.on('message', (next: SearchOrder | null) => {
  order = next ?? undefined;
  nonce = 0;
  if (!running && order !== undefined) {
    running = true;
    setImmediate(slice);
  }
});
