/**
 * Merge-mining trees, tags and proofs against two checkers that share nothing with src/ and nothing
 * with each other: auxpow_check.py and test/support/auxpow-oracle.ts, which accepts what the test aux
 * daemon accepts. Every tree is sparse, of 1 to 64 random chain ids; every proof is also broken, once in
 * each of its parts, and both checkers must see it.
 *
 * needs: python3
 */
import assert from 'node:assert/strict';
import { randomBytes, scryptSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { AUX_TAG_SIZE, AuxTree, auxPow, sameSlot, slotOf } from '../../../src/coin/auxpow.ts';
import { buildCoinbase, coinbaseTransaction } from '../../../src/coin/coinbase.ts';
import { CoinError } from '../../../src/coin/errors.ts';
import { checkAuxPow } from '../../support/auxpow-oracle.ts';
import type { AuxPowClaim } from '../../support/auxpow-oracle.ts';
import { pythonVerdicts } from '../../support/auxpow-python.ts';
import { doubleSha } from '../../support/oracle.ts';

const EXTRANONCE = Buffer.from('0011223344556677', 'hex');

interface Chain {
  readonly chainId: number;
  readonly hashHexBE: string;
}

const chainsOf = (ids: readonly number[]): Chain[] =>
  ids.map((chainId) => ({ chainId, hashHexBE: randomBytes(32).toString('hex') }));

/** The proofs of a parent block with that many levels of transactions, solved for regtest's target. */
function proofsOf(tree: AuxTree, pow: AuxPowClaim['pow'], levels: number) {
  const coinbase = buildCoinbase({
    version: 2,
    height: 2_500_000,
    flags: new Uint8Array(0),
    auxTag: tree.tag,
    tag: '/pool/',
    unique: randomBytes(10),
    extranonceSize: 8,
    outputs: [{ value: 5n, script: Buffer.from('51', 'hex') }],
    witnessCommitment: Buffer.from(`6a24aa21a9ed${'11'.repeat(32)}`, 'hex'),
  });
  const plain = coinbaseTransaction(coinbase, EXTRANONCE, { witness: false });
  const coinbaseBranch = randomBytes(32 * levels);
  let root = doubleSha(plain);
  for (let at = 0; at < coinbaseBranch.length; at += 32) {
    root = doubleSha(Buffer.concat([root, coinbaseBranch.subarray(at, at + 32)]));
  }
  const header = Buffer.concat([Buffer.from('00000020', 'hex'), randomBytes(32), root]);
  const whole = Buffer.concat([header, Buffer.from('00000000ffff7f2000000000', 'hex')]);
  const hash = pow === 'scrypt' ? scrypt : doubleSha;
  // 207fffff: every other hash meets it.
  for (let nonce = 0; hash(whole)[31]! > 0x7f; nonce += 1) whole.writeUInt32LE(nonce, 76);
  return (chain: Chain): AuxPowClaim => ({
    hashHexBE: chain.hashHexBE,
    proof: auxPow({
      coinbase: plain,
      parentHashLE: doubleSha(whole),
      coinbaseBranch,
      aux: tree.branchOf(chain.chainId),
      header: whole,
    }),
    chainId: chain.chainId,
    bits: 0x207fffff,
    pow,
  });
}

const scrypt = (header: Uint8Array): Buffer =>
  scryptSync(header, header, 32, { N: 1024, r: 1, p: 1 });

function treeOf(chains: readonly Chain[]): AuxTree {
  return new AuxTree(
    chains.map(({ chainId, hashHexBE }) => ({
      chainId,
      hashLE: Buffer.from(hashHexBE, 'hex').toReversed(),
    })),
  );
}

const ids = (limit: number): fc.Arbitrary<number[]> =>
  fc.uniqueArray(fc.integer({ min: 0, max: limit }), { minLength: 1, maxLength: 64 });

test('trees of 1 to 64 random chain ids: both checkers take every proof', () => {
  const claims: AuxPowClaim[] = [];
  const counts = [1, 2, 3, 5, 8, 13, 32, 64];
  const seen = (chainIds: readonly number[], index: number): void => {
    const chains = chainsOf(chainIds);
    const pow = index % 2 === 0 ? 'sha256d' : 'scrypt';
    const claim = proofsOf(treeOf(chains), pow, index % 5);
    claims.push(...chains.map((chain) => claim(chain)));
  };
  let index = 0;
  fc.assert(
    fc.property(fc.oneof(ids(0xffff), ids(0xffff_ffff), ids(80)), (chainIds) => {
      fc.pre(
        !chainIds.some((id, at) => chainIds.slice(0, at).some((other) => sameSlot(id, other))),
      );
      seen(chainIds, index);
      index += 1;
    }),
    { numRuns: 40 },
  );
  for (const count of counts) {
    const [chainIds] = fc.sample(
      fc.uniqueArray(fc.integer({ min: 0, max: 0xffff }), { minLength: count, maxLength: count }),
      1,
    );
    seen(chainIds!, count);
  }
  const verdicts = pythonVerdicts(claims);
  for (const [at, claim] of claims.entries()) {
    assert.match(verdicts[at]!, /^ok size=/);
    assert.equal(checkAuxPow(claim), undefined);
  }
});

test('the tree is the smallest one, and small also where ids lie far apart', () => {
  const sizeOf = (chainIds: readonly number[]): number =>
    Buffer.from(treeOf(chainsOf(chainIds)).tag).readUInt32LE(36);
  assert.equal(sizeOf([98]), 1);
  assert.equal(sizeOf([98, 1]), 2);
  assert.equal(sizeOf([0, 0x8000]), 0x1_0000, 'ids that differ in their highest bit only');
  fc.assert(
    fc.property(ids(0xffff), (chainIds) => {
      const size = sizeOf(chainIds);
      const slotsIn = (height: number): number =>
        new Set(chainIds.map((id) => slotOf(id, height))).size;
      assert.equal(slotsIn(Math.log2(size)), chainIds.length);
      if (size > 1) assert.ok(slotsIn(Math.log2(size) - 1) < chainIds.length);
    }),
  );
  assert.ok(sameSlot(1, 1));
  assert.ok(sameSlot(5, 5 + 2 ** 30), 'a branch of more than 30 is refused everywhere');
  assert.ok(!sameSlot(1, 2));
  assert.throws(() => treeOf(chainsOf([7, 8, 7])), CoinError);
  assert.throws(() => treeOf([]), CoinError);
});

test('the tag is magic, root in display order, size and nonce', () => {
  const [chain] = chainsOf([98]);
  const { tag } = treeOf([chain!]);
  assert.equal(tag.length, AUX_TAG_SIZE);
  const expected = `fabe6d6d${chain!.hashHexBE}0100000000000000`;
  assert.equal(Buffer.from(tag).toString('hex'), expected);
});

test('a proof that is broken anywhere is refused by both checkers', () => {
  const chains = chainsOf([98, 1, 16, 62]);
  const [good] = chains.map(proofsOf(treeOf(chains), 'sha256d', 3));
  const broken = [...Array(good!.proof.length).keys()].map((at): AuxPowClaim => {
    const proof = Uint8Array.from(good!.proof);
    proof[at]! ^= 1;
    return { ...good!, proof };
  });
  const others: AuxPowClaim[] = [
    { ...good!, chainId: 3 },
    { ...good!, hashHexBE: 'ab'.repeat(32) },
    { ...good!, bits: 0x1d00ffff },
    { ...good!, proof: good!.proof.subarray(0, -1) },
    { ...good!, proof: Buffer.concat([good!.proof, Buffer.alloc(1)]) },
    // Version 20000000 carries this id.
    { ...good!, chainId: 0x2000 },
  ];
  const claims = [good!, ...broken, ...others];
  const python = pythonVerdicts(claims).map((verdict) => verdict.startsWith('ok'));
  const ours = claims.map((claim) => checkAuxPow(claim) === undefined);
  assert.deepEqual(ours, python);
  assert.equal(ours[0], true);
  // The parent hash is not looked at; one bit of the header may leave the proof of work good.
  // Three levels of transactions, three of aux chains.
  const coinbaseEnd = good!.proof.length - 80 - 4 - 1 - 96 - 4 - 1 - 96 - 32;
  const unseen = (at: number): boolean => at >= coinbaseEnd && at < coinbaseEnd + 32;
  for (const at of broken.keys()) {
    const isHeader = at >= good!.proof.length - 80;
    if (!isHeader) assert.equal(ours[at + 1], unseen(at), `byte ${at}`);
  }
  assert.deepEqual(new Set(ours.slice(-others.length)), new Set([false]));
});
