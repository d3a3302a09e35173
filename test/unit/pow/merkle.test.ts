/** The kernel's branch leads any coinbase to the same root as the whole tree of a block. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { MAX_TXIDS, merkleBranchOf } from '../../../src/pow/merkle.ts';
import { merkleRoot, sha256d } from './reference.ts';

function assertBranch(count: number): void {
  const txids = randomBytes(count * 32);
  const coinbase = randomBytes(32);
  const branch = merkleBranchOf(txids, count);
  assert.equal(branch.length / 32, count === 0 ? 0 : Math.ceil(Math.log2(count + 1)));
  let root: Uint8Array = coinbase;
  for (let at = 0; at < branch.length; at += 32) {
    root = sha256d(Buffer.concat([root, branch.subarray(at, at + 32)]));
  }
  const leaves = Array.from({ length: count }, (_, i) => txids.subarray(i * 32, i * 32 + 32));
  assert.deepEqual(Buffer.from(root), Buffer.from(merkleRoot([coinbase, ...leaves])), `${count}`);
}

test('blocks of 0 to 130 transactions', () => {
  for (let count = 0; count <= 130; count++) assertBranch(count);
});

test('blocks around powers of two, the largest first and small ones after it', () => {
  for (const count of [4096, 4095, 4097, 3000, 2048, 1023, 7, 1, 0]) assertBranch(count);
});

test('a count that the bytes do not hold, or that no block has, is refused', () => {
  assert.throws(() => merkleBranchOf(new Uint8Array(63), 2), { code: 'bad-txids' });
  assert.throws(() => merkleBranchOf(new Uint8Array(64), -1), { code: 'bad-txids' });
  assert.throws(() => merkleBranchOf(new Uint8Array(64), 1.5), { code: 'bad-txids' });
  const tooMany = MAX_TXIDS + 1;
  assert.throws(() => merkleBranchOf(new Uint8Array(tooMany * 32), tooMany), { code: 'bad-txids' });
});
