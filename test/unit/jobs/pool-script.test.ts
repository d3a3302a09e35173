import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PayTo } from '../../../src/jobs/pool-script.ts';
import type { PayToOptions } from '../../../src/jobs/pool-script.ts';
import { REGTEST_ADDRESS, REGTEST_SCRIPT } from './support.ts';

function payTo(change: Partial<PayToOptions>): PayTo {
  return new PayTo({
    chain: 'LTC',
    poolAddress: REGTEST_ADDRESS,
    versions: { p2pkh: [], p2sh: [] },
    bech32Hrp: null,
    network: null,
    ...change,
  });
}

/** Genesis coinbase address of Bitcoin, the Litecoin address of the configuration manual. */
const BITCOIN = '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa';
const LITECOIN = 'LVg2kJoFNg45Nbpy53h7Fe1wKyeXVRhMH9';

test('an address of another network than the daemon is on is refused, by name', () => {
  assert.equal(payTo({}).whyNotOn('regtest'), undefined);
  assert.match(payTo({}).whyNotOn('main') ?? '', /LTC: pool_address bcrt1.*network main/);
  assert.match(payTo({ poolAddress: BITCOIN }).whyNotOn('regtest') ?? '', /would not be paid/);
  assert.equal(payTo({ poolAddress: BITCOIN }).whyNotOn('main'), undefined);
  assert.equal(payTo({ poolAddress: LITECOIN }).whyNotOn('main'), undefined);
  assert.match(payTo({ poolAddress: LITECOIN }).whyNotOn('testnet4') ?? '', /network testnet4/);
});

test('a network nobody has heard of is taken on trust, so is an address with configured versions', () => {
  assert.equal(payTo({ poolAddress: BITCOIN }).whyNotOn('devnet-x'), undefined);
  const configured = payTo({ poolAddress: BITCOIN, versions: { p2pkh: [0], p2sh: [] } });
  assert.equal(configured.whyNotOn('regtest'), undefined);
});

test('the setting network must be the one the daemon is on', () => {
  assert.equal(payTo({ network: 'regtest' }).whyNotOn('regtest'), undefined);
  assert.match(payTo({ network: 'main' }).whyNotOn('regtest') ?? '', /expected main/);
  assert.match(payTo({ network: 'test' }).whyNotOn('regtest') ?? '', /expected test/);
});

test('the script is that of the address; one that is none is an error that names it', () => {
  assert.deepEqual(Buffer.from(payTo({}).script), REGTEST_SCRIPT);
  // The hash of the genesis coinbase key.
  assert.equal(
    Buffer.from(payTo({ poolAddress: BITCOIN }).script).toString('hex'),
    '76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac',
  );
  assert.throws(() => payTo({ poolAddress: `${BITCOIN}x` }), /LTC: pool_address cannot be paid to/);
  const wrongVersion = { poolAddress: BITCOIN, versions: { p2pkh: [48], p2sh: [50] } };
  assert.throws(() => payTo(wrongVersion), /expected a base58 address of version 48 or 50/);
  assert.throws(() => payTo({ bech32Hrp: 'ltc' }), /prefix ltc/);
});
