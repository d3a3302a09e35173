import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assembleBlockHex, blockIdHexBE } from '../../../src/coin/block.ts';
import { fromHex, toHex } from '../../../src/coin/bytes.ts';
import { buildCoinbase, coinbaseTransaction } from '../../../src/coin/coinbase.ts';
import { headerBytes } from '../../../src/coin/header.ts';
import { foldBranch, merkleBranch, witnessCommitmentScript } from '../../../src/coin/merkle.ts';
import { sha256d } from '../../../src/coin/hash.ts';
import { commitmentHolds, decodeBlock, rootOf } from '../../support/oracle.ts';
import { HOGEX } from '../../vector/coin/vectors.ts';
import { bcoin } from '../../vector/coin/reference.ts';

/** A small transaction, different for each index. */
function transaction(index: number): Uint8Array {
  const output = index.toString(16).padStart(16, '0').match(/../g)?.toReversed().join('') ?? '';
  return fromHex(`0200000001${'11'.repeat(32)}0000000000ffffffff01${output}015100000000`);
}

function block(count: number): { header: Uint8Array; coinbase: Uint8Array; raw: Uint8Array[] } {
  const raw = Array.from({ length: count }, (_, index) => transaction(index + 1));
  const ids = raw.map((data) => sha256d(data));
  const coinbase = buildCoinbase({
    version: 2,
    height: 1000,
    flags: new Uint8Array(0),
    tag: 'test',
    unique: new Uint8Array(8),
    extranonceSize: 8,
    outputs: [{ value: 50n, script: fromHex('51') }],
    witnessCommitment: witnessCommitmentScript(ids),
  });
  const extranonce = fromHex('0102030405060708');
  const txid = sha256d(coinbaseTransaction(coinbase, extranonce, { witness: false }));
  const header = headerBytes({
    version: 0x20000000,
    prevHashLE: new Uint8Array(32).fill(5),
    merkleRootLE: foldBranch(txid, merkleBranch(ids)),
    time: 1_700_000_000,
    bits: 0x207fffff,
    nonce: 42,
  });
  return { header, coinbase: coinbaseTransaction(coinbase, extranonce, { witness: true }), raw };
}

function hexSlices(raw: readonly Uint8Array[]): Uint8Array[] {
  return raw.map((data) => Buffer.from(toHex(data)));
}

function joined(parts: readonly Uint8Array[]): Buffer {
  const hex = Buffer.concat(parts).toString('latin1');
  assert.match(hex, /^(?:[0-9a-f]{2})*$/);
  return Buffer.from(hex, 'hex');
}

describe('block assembly', () => {
  test('is read back whole at every width of the count: root, commitment, ids', () => {
    for (const count of [0, 1, 2, 3, 251, 252, 253, 300]) {
      const { header, coinbase, raw } = block(count);
      const parts = assembleBlockHex({
        headerHex: toHex(header),
        coinbaseHex: toHex(coinbase),
        transactionCount: count,
        transactionsHex: hexSlices(raw),
      });
      const decoded = decodeBlock(joined(parts));
      assert.equal(decoded.transactions.length, count + 1);
      assert.equal(decoded.merkleRoot, rootOf(decoded.transactions.map((tx) => tx.txid)));
      assert.ok(commitmentHolds(decoded));
      assert.equal(decoded.tail.length, 0);
      assert.equal(blockIdHexBE(header), decoded.hash);
      const other = bcoin.block(joined(parts));
      assert.equal(other.createMerkleRoot().toString('hex'), other.merkleRoot);
      assert.deepEqual(
        other.createCommitmentHash().toString('hex'),
        other.getCommitmentHash('hex'),
      );
      assert.equal(other.getCoinbaseHeight(), 1000);
    }
  });

  test('transactions are passed on as they are: the very arrays, one slice or many', () => {
    const { header, coinbase, raw } = block(3);
    const slices = hexSlices(raw);
    const base = { headerHex: toHex(header), coinbaseHex: toHex(coinbase), transactionCount: 3 };
    const parts = assembleBlockHex({ ...base, transactionsHex: slices });
    for (const slice of slices) assert.ok(parts.includes(slice));
    const one = assembleBlockHex({ ...base, transactionsHex: [Buffer.concat(slices)] });
    assert.deepEqual(joined(one), joined(parts));
  });

  test('MWEB: 01 and its bytes follow the HogEx, as text or as a slice', () => {
    const { header, coinbase } = block(0);
    const base = {
      headerHex: toHex(header),
      coinbaseHex: toHex(coinbase),
      transactionCount: 1,
      transactionsHex: [Buffer.from(HOGEX.hex)],
    };
    for (const mwebHex of ['0a0b0c', Buffer.from('0a0b0c')]) {
      const decoded = decodeBlock(joined(assembleBlockHex({ ...base, mwebHex })));
      assert.equal(decoded.transactions.at(-1)?.txid, HOGEX.txid);
      assert.equal(decoded.tail.toString('hex'), '010a0b0c');
    }
  });

  test('votes: their count and their bytes follow the last transaction', () => {
    const { header, coinbase } = block(0);
    const base = {
      headerHex: toHex(header),
      coinbaseHex: toHex(coinbase),
      transactionCount: 0,
      transactionsHex: [],
    };
    const tail = (votesHex: readonly string[]): string =>
      decodeBlock(joined(assembleBlockHex({ ...base, votesHex }))).tail.toString('hex');
    assert.equal(tail([]), '00');
    assert.equal(tail(['aabb', 'cc']), '02aabbcc');
  });

  test('a header of another length is refused', () => {
    assert.throws(
      () =>
        assembleBlockHex({
          headerHex: '00'.repeat(79),
          coinbaseHex: '',
          transactionCount: 0,
          transactionsHex: [],
        }),
      /158 hex digits, expected 160/,
    );
  });

  test('the id is the proof-of-work hash where the chain says so', () => {
    const pow = new Uint8Array(32);
    pow[0] = 0xab;
    assert.equal(blockIdHexBE(new Uint8Array(80), pow), `${'00'.repeat(31)}ab`);
  });
});
