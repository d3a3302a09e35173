import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { reversed, toHex } from '../../../src/coin/bytes.ts';
import {
  foldBranch,
  merkleBranch,
  merkleRoot,
  witnessCommitmentScript,
} from '../../../src/coin/merkle.ts';
import { doubleSha, rootOf } from '../../support/oracle.ts';
import { bcoin } from '../../vector/coin/reference.ts';

/** Distinct ids of n transactions, internal byte order. */
function ids(n: number): Uint8Array[] {
  return Array.from({ length: n }, (_, i) => new Uint8Array(doubleSha(Buffer.from(`tx ${i}`))));
}

const LENGTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 16, 17, 31, 33, 100, 257];

describe('merkle tree', () => {
  test('roots of any count, odd levels included, are those of the oracle and of bcoin', () => {
    for (const n of LENGTHS) {
      const leaves = ids(n);
      const root = merkleRoot(leaves);
      assert.equal(toHex(reversed(root)), rootOf(leaves.map((leaf) => toHex(reversed(leaf)))));
      const [other] = bcoin.merkle.createRoot(
        bcoin.hash256,
        leaves.map((leaf) => Buffer.from(leaf)),
      );
      assert.deepEqual(Buffer.from(root), other);
    }
  });

  test('the branch of the coinbase is the same whatever the coinbase is, and folds to the root', () => {
    for (const n of LENGTHS) {
      const [, ...rest] = ids(n);
      const branch = merkleBranch(rest);
      for (const fill of [0, 1, 255]) {
        const coinbase = new Uint8Array(32).fill(fill);
        const leaves = [coinbase, ...rest];
        assert.deepEqual(foldBranch(coinbase, branch), merkleRoot(leaves));
        const other = bcoin.merkle.createBranch(
          bcoin.hash256,
          0,
          leaves.map((leaf) => Buffer.from(leaf)),
        );
        assert.deepEqual(Buffer.from(branch), Buffer.concat(other));
      }
    }
  });

  test('an empty block has an empty branch', () => {
    assert.equal(merkleBranch([]).length, 0);
    const coinbase = new Uint8Array(32).fill(3);
    assert.deepEqual(foldBranch(coinbase, new Uint8Array(0)), coinbase);
  });

  test('ids that are not 32 bytes are refused', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }).filter((id) => id.length !== 32),
        (id) => {
          assert.throws(() => merkleBranch([id]), { code: 'MERKLE' });
          assert.throws(() => merkleRoot([id]), { code: 'MERKLE' });
          assert.throws(() => foldBranch(id, new Uint8Array(32)), { code: 'MERKLE' });
        },
      ),
    );
    assert.throws(() => merkleRoot([]), { code: 'MERKLE' });
    assert.throws(() => foldBranch(new Uint8Array(32), new Uint8Array(33)), { code: 'MERKLE' });
  });
});

describe('BIP141 commitment', () => {
  test('of a block without other transactions is the well-known one', () => {
    assert.equal(
      toHex(witnessCommitmentScript([])),
      '6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9',
    );
  });

  test('covers the wtxids with the coinbase as zero', () => {
    const wtxids = ids(6);
    const root = rootOf(['00'.repeat(32), ...wtxids.map((id) => toHex(reversed(id)))]);
    const expected = doubleSha(
      Buffer.concat([Buffer.from(root, 'hex').toReversed(), Buffer.alloc(32)]),
    );
    assert.equal(toHex(witnessCommitmentScript(wtxids)), `6a24aa21a9ed${expected.toString('hex')}`);
  });
});
