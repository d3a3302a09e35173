/**
 * The coinbase's merkle branch over a template's transactions, in the sha256d kernel, four nodes at a
 * time: under 1 ms for 3000 txids (bench/pow.ts). For the control thread, which has no ShareChecker; one kernel
 * instance per thread, made on first use.
 */
import { PowError } from './errors.ts';
import { instantiate, reserve, type Kernel } from './kernel.ts';

/** More than any block can hold; bounds the instance's memory to about 8 MiB. */
export const MAX_TXIDS = 1 << 18;

let kernel: Kernel | undefined;

/**
 * `txidsLE`: `count` txids of 32 bytes in internal byte order, in block order, without the coinbase.
 * Returns the branch, 32 bytes a level, bottom up, as mining.notify has it (Job.branch).
 */
export function merkleBranchOf(txidsLE: Uint8Array, count: number): Uint8Array {
  if (!Number.isInteger(count) || count < 0 || count > MAX_TXIDS || txidsLE.length < count * 32) {
    throw new PowError(
      'bad-txids',
      `merkle branch: ${count} txids in ${txidsLE.length} bytes, expected 32 bytes each and at most ${MAX_TXIDS}`,
    );
  }
  kernel ??= instantiate('sha256d');
  const at = Math.ceil(kernel.HEAP / 64) * 64;
  reserve(kernel, at + (count + 1) * 32);
  const { buffer } = kernel.memory;
  new Uint8Array(buffer).set(txidsLE.subarray(0, count * 32), at);
  const levels = kernel.merkleBranch(at, count);
  return new Uint8Array(buffer.slice(kernel.IN_BRANCH, kernel.IN_BRANCH + levels * 32));
}
