/** Real blocks, byte for byte: parsed, serialised, hashed, rooted and assembled as their networks have them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assembleBlockHex, blockIdHexBE } from '../../../src/coin/block.ts';
import { ByteReader, fromHex, reversed, toHex } from '../../../src/coin/bytes.ts';
import { buildCoinbase, coinbaseTransaction } from '../../../src/coin/coinbase.ts';
import { headerBytes, parseHeader } from '../../../src/coin/header.ts';
import {
  foldBranch,
  merkleBranch,
  merkleRoot,
  witnessCommitmentScript,
} from '../../../src/coin/merkle.ts';
import { meets, targetFromBits, targetToLE } from '../../../src/coin/target.ts';
import {
  costOf,
  parseTransaction,
  readTransaction,
  serializeStripped,
  serializeTransaction,
  txid,
  wtxid,
  type TransactionShape,
} from '../../../src/coin/transaction.ts';
import { commitmentHolds, decodeBlock, decodeTx, heightOf } from '../../support/oracle.ts';
import { bcoin } from './reference.ts';
import {
  BLOCK_100000,
  DASH_COINBASES,
  GENESIS,
  HOGEX,
  LEGACY_BLOCK,
  SEGWIT_BLOCK,
} from './vectors.ts';

const BLOCKS = [GENESIS.block, LEGACY_BLOCK.block, SEGWIT_BLOCK.block];

function idHex(hashLE: Uint8Array): string {
  return toHex(reversed(hashLE));
}

function split(blockHex: string): { header: Uint8Array; transactions: TransactionShape[] } {
  const reader = new ByteReader(fromHex(blockHex), 'block');
  const header = reader.bytes(80);
  const transactions = Array.from({ length: reader.varInt() }, () => readTransaction(reader));
  reader.end();
  return { header, transactions };
}

describe('real blocks', () => {
  test('the published ids of the vectors hold, by the oracle and by bcoin', () => {
    for (const block of BLOCKS) {
      assert.equal(bcoin.block(fromHex(block)).rhash(), decodeBlock(fromHex(block)).hash);
      assert.ok(bcoin.block(fromHex(block)).verifyPOW());
    }
    assert.equal(decodeBlock(fromHex(GENESIS.block)).hash, GENESIS.hash);
    assert.equal(decodeBlock(fromHex(LEGACY_BLOCK.block)).hash, LEGACY_BLOCK.hash);
    assert.ok(commitmentHolds(decodeBlock(fromHex(SEGWIT_BLOCK.block))));
  });

  test('header fields are read and written back to the same 80 bytes and the same id', () => {
    for (const block of BLOCKS) {
      const { header } = split(block);
      const oracle = decodeBlock(fromHex(block));
      const fields = parseHeader(header);
      assert.equal(fields.version, oracle.version);
      assert.equal(idHex(fields.prevHashLE), oracle.prevHash);
      assert.equal(idHex(fields.merkleRootLE), oracle.merkleRoot);
      assert.deepEqual(
        [fields.time, fields.bits, fields.nonce],
        [oracle.time, oracle.bits, oracle.nonce],
      );
      assert.deepEqual(headerBytes(fields), header);
      assert.equal(blockIdHexBE(header), oracle.hash);
      assert.ok(meets(fromHex(oracle.hash).toReversed(), targetToLE(targetFromBits(fields.bits))));
    }
  });

  test('transactions keep their bytes, ids, sizes and weights', () => {
    for (const block of BLOCKS) {
      const oracle = decodeBlock(fromHex(block));
      const { transactions } = split(block);
      assert.equal(transactions.length, oracle.transactions.length);
      for (const [index, transaction] of transactions.entries()) {
        const expected = oracle.transactions[index];
        assert.ok(expected);
        const raw = serializeTransaction(transaction);
        assert.ok(block.includes(toHex(raw)));
        assert.deepEqual(parseTransaction(raw), transaction);
        assert.equal(idHex(txid(transaction)), expected.txid);
        assert.equal(idHex(wtxid(transaction)), expected.wtxid);
        const cost = costOf(transaction);
        const other = bcoin.tx(raw);
        assert.deepEqual(
          [cost.size, cost.strippedSize, cost.weight, cost.sigops],
          [expected.size, expected.strippedSize, other.getWeight(), other.getLegacySigops()],
        );
      }
    }
  });

  test('the merkle root covers the transactions, whole and folded from the branch', () => {
    for (const block of BLOCKS) {
      const { header, transactions } = split(block);
      const ids = transactions.map((transaction) => txid(transaction));
      const [coinbase, ...rest] = ids;
      assert.ok(coinbase);
      assert.deepEqual(merkleRoot(ids), parseHeader(header).merkleRootLE);
      assert.deepEqual(foldBranch(coinbase, merkleBranch(rest)), parseHeader(header).merkleRootLE);
    }
  });

  test('block 100000: four ids, a branch of two levels', () => {
    const ids = BLOCK_100000.txids.map((id) => reversed(fromHex(id)));
    const [coinbase, ...rest] = ids;
    assert.ok(coinbase);
    const { merkleRootLE } = parseHeader(fromHex(BLOCK_100000.header));
    assert.equal(blockIdHexBE(fromHex(BLOCK_100000.header)), BLOCK_100000.hash);
    assert.deepEqual(merkleRoot(ids), merkleRootLE);
    assert.equal(merkleBranch(rest).length, 64);
    assert.deepEqual(foldBranch(coinbase, merkleBranch(rest)), merkleRootLE);
  });

  test('a block is assembled from header, coinbase halves and template slices as it was mined', () => {
    for (const block of BLOCKS) {
      const { header, transactions } = split(block);
      const [coinbase, ...rest] = transactions;
      assert.ok(coinbase);
      const parts = assembleBlockHex({
        headerHex: toHex(header),
        coinbaseHex: toHex(serializeTransaction(coinbase)),
        transactionCount: rest.length,
        transactionsHex: rest.map((transaction) =>
          Buffer.from(toHex(serializeTransaction(transaction))),
        ),
      });
      assert.equal(Buffer.concat(parts).toString('latin1'), block);
    }
  });

  test('BIP141: the coinbase around its extranonce becomes the block form, commitment included', () => {
    const [coinbase] = split(SEGWIT_BLOCK.block).transactions;
    assert.ok(coinbase);
    const stripped = serializeStripped(coinbase);
    const at = 4 + 1 + 36 + 1 + 20;
    const halves = {
      coinb1: stripped.subarray(0, at),
      coinb2: stripped.subarray(at + 8),
      extranonceSize: 8,
      hasCommitment: true,
    };
    const extranonce = stripped.subarray(at, at + 8);
    assert.ok(
      SEGWIT_BLOCK.block.endsWith(
        toHex(coinbaseTransaction(halves, extranonce, { witness: true })),
      ),
    );
    assert.deepEqual(coinbaseTransaction(halves, extranonce, { witness: false }), stripped);
    assert.deepEqual(coinbase.outputs.at(-1)?.script, witnessCommitmentScript([]));
    assert.equal(heightOf(coinbase.inputs[0]?.script ?? new Uint8Array()), SEGWIT_BLOCK.height);
  });

  test('DIP4: Dash coinbases are read with their payload and built again byte for byte', () => {
    for (const vector of DASH_COINBASES) {
      const raw = fromHex(vector.hex);
      const transaction = parseTransaction(raw, { special: true });
      const oracle = decodeTx(raw, { dip2: true });
      assert.equal(idHex(txid(transaction)), oracle.txid);
      assert.equal(toHex(serializeTransaction(transaction)), vector.hex);
      assert.deepEqual(Buffer.from(transaction.payload ?? []), oracle.payload);
      assert.throws(() => parseTransaction(raw), /bytes after its end/);
      if ('txid' in vector) assert.equal(oracle.txid, vector.txid);
      if (!('extranonce' in vector) || transaction.payload === undefined) continue;
      const coinbase = buildCoinbase({
        version: 1,
        height: vector.height,
        flags: new Uint8Array(0),
        tag: '',
        unique: new Uint8Array(0),
        extranonceSize: 1,
        outputs: transaction.outputs,
        payload: transaction.payload,
      });
      const built = coinbaseTransaction(coinbase, fromHex(vector.extranonce), { witness: true });
      assert.equal(toHex(built), vector.hex);
    }
  });

  test('a HogEx keeps its flag and its empty MWEB part, which are not in its txid', () => {
    const transaction = parseTransaction(fromHex(HOGEX.hex));
    assert.equal(transaction.hogEx, true);
    assert.equal(toHex(serializeTransaction(transaction)), HOGEX.hex);
    assert.equal(idHex(txid(transaction)), HOGEX.txid);
    assert.equal(decodeTx(fromHex(HOGEX.hex)).txid, HOGEX.txid);
  });

  test('every cut of a transaction is refused, and so is every byte too many', () => {
    const [coinbase] = split(SEGWIT_BLOCK.block).transactions;
    assert.ok(coinbase);
    const raw = serializeTransaction(coinbase);
    for (let length = 0; length < raw.length; length += 1) {
      assert.throws(() => parseTransaction(raw.subarray(0, length)), { name: 'CoinError' });
    }
    assert.throws(() => parseTransaction(Buffer.concat([raw, Buffer.of(0)])), {
      name: 'CoinError',
    });
  });
});
