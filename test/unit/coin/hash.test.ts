import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { fromHex, reversed, toHex } from '../../../src/coin/bytes.ts';
import { TXID_HASH, hash160, sha256, sha256d } from '../../../src/coin/hash.ts';
import { parseTransaction, serializeStripped, txid } from '../../../src/coin/transaction.ts';
import { GENESIS } from '../../vector/coin/vectors.ts';

/** The key that the genesis coinbase pays, and the hash in the address 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa. */
const KEY = GENESIS.block.slice(-140, -10);
const KEY_HASH = '62e907b15cbf27d5425399ebf6f0fb50ebb88f18';

test('the genesis key hashes to the genesis address', () => {
  assert.equal(toHex(hash160(fromHex(KEY))), KEY_HASH);
});

test('the txid is a double sha256, and a single one for the Blakecoin family', () => {
  const coinbase = parseTransaction(fromHex(GENESIS.block).subarray(81));
  assert.equal(toHex(reversed(txid(coinbase))), GENESIS.txid);
  const once = createHash('sha256').update(serializeStripped(coinbase)).digest('hex');
  assert.equal(toHex(txid(coinbase, 'sha256')), once);
  assert.deepEqual(TXID_HASH, { sha256, sha256d });
});

test('digests own their buffer, so that posting one to a thread drags nothing along', () => {
  assert.equal(sha256d(new Uint8Array(80)).buffer.byteLength, 32);
  assert.equal(sha256d(new Uint8Array(80)).constructor, Uint8Array);
});
