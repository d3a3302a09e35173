/** Published address vectors: BIP173, BIP350, cashaddr's specification, and addresses of live chains. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addressToScript, decodeAddress, isAddress } from '../../../src/coin/address.ts';
import { toHex } from '../../../src/coin/bytes.ts';
import { NETWORKS, type AddressRules } from '../../../src/coin/networks.ts';

/** BIP350, 'Test vectors for v0-v16 native segregated witness addresses'. */
const SEGWIT_VALID: readonly (readonly [address: string, script: string])[] = [
  ['BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4', '0014751e76e8199196d454941c45d1b3a323f1433bd6'],
  [
    'tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7',
    '00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262',
  ],
  [
    'bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y',
    '5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6',
  ],
  ['BC1SW50QGDZ25J', '6002751e'],
  ['bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs', '5210751e76e8199196d454941c45d1b3a323'],
  [
    'tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy',
    '0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433',
  ],
  [
    'tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c',
    '5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433',
  ],
  [
    'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0',
    '512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
  ],
];

/** BIP350 and BIP173; those with a wrong human-readable part are valid where no part is asked for. */
const SEGWIT_INVALID = [
  'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd',
  'tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf',
  'BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL',
  'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh',
  'tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47',
  'bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4',
  'BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R',
  'bc1pw5dgrnzv',
  'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav',
  'BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P',
  'tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq',
  'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf',
  'tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j',
  'bc1gmk9yu',
  'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5',
  'BC13W508D6QEJXTDG4Y5R3ZARVARY0C5XW7KN40WF2',
  'bc1rw5uspcuh',
  'bc10w508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kw5rljs90',
  'tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7',
  'bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du',
  'tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3pjxtptv',
];

/** cashaddr specification, 'Examples of address translation'. */
const CASHADDR: readonly (readonly [base58: string, cash: string])[] = [
  ['1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu', 'bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a'],
  ['1KXrWXciRDZUpQwQmuM1DbwsKDLYAYsVLR', 'bitcoincash:qr95sy3j9xwd2ap32xkykttr4cvcu7as4y0qverfuy'],
  ['16w1D5WRVKJuZUsSRzdLp9w3YGcgoxDXb', 'bitcoincash:qqq3728yw0y47sqn6l2na30mcw6zm78dzqre909m2r'],
  ['3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC', 'bitcoincash:ppm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq'],
  ['3LDsS579y7sruadqu11beEJoTjdFiFCdX4', 'bitcoincash:pr95sy3j9xwd2ap32xkykttr4cvcu7as4yc93ky28e'],
  ['31nwvkZwyPdgzjBJZXfDmSWsC4ZLKpYyUw', 'bitcoincash:pqq3728yw0y47sqn6l2na30mcw6zm78dzq5ucqzc37'],
];

describe('BIP173, BIP350', () => {
  test('valid segwit addresses give the published scripts', () => {
    for (const [address, script] of SEGWIT_VALID) {
      assert.equal(toHex(addressToScript(address)), script);
      assert.ok(isAddress(address, [], ['bc', 'tb']));
      assert.ok(isAddress(address, [48], []), 'no prefixes asked for: any segwit address');
      assert.ok(!isAddress(address, [], ['ltc']));
    }
  });

  test('invalid segwit addresses are refused', () => {
    for (const address of SEGWIT_INVALID) {
      assert.equal(decodeAddress(address), undefined, address);
      assert.ok(!isAddress(address, [], []), address);
    }
  });

  test('a foreign human-readable part is refused where parts are asked for', () => {
    const foreign = 'tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut';
    assert.ok(isAddress(foreign, [], []));
    assert.ok(!isAddress(foreign, [], ['bc', 'tb']));
  });
});

describe('cashaddr', () => {
  test('the published pairs are one script each', () => {
    for (const [base58, cash] of CASHADDR) {
      assert.deepEqual(addressToScript(cash), addressToScript(base58));
      assert.deepEqual(addressToScript(cash.toUpperCase()), addressToScript(base58));
      assert.deepEqual(
        addressToScript(cash.slice('bitcoincash:'.length), NETWORKS.bitcoincash.main),
        addressToScript(base58),
      );
    }
  });

  test('one changed character, a foreign prefix and mixed case are refused', () => {
    const [, [, good] = ['', '']] = CASHADDR;
    for (let at = 0; at < good.length; at += 1) {
      const other = good[at] === 'q' ? 'p' : 'q';
      assert.equal(decodeAddress(good.slice(0, at) + other + good.slice(at + 1)), undefined);
    }
    assert.equal(decodeAddress(good.replace('bitcoincash', 'bchtest')), undefined);
    assert.equal(decodeAddress(good.replace('qr', 'QR')), undefined);
    assert.ok(!isAddress(good, [], ['ecash']));
    assert.ok(isAddress(good, [], ['bitcoincash']));
    assert.ok(isAddress(good.slice('bitcoincash:'.length), [], ['bitcoincash']));
  });

  test('good checksums over padding that is not zero, 24 bytes and an unknown type are refused', () => {
    const made = [
      'bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwdhfnr59fu',
      'bitcoincash:q9m2qsznhks23z7629mms6s4cwef74vcwvqqqqqqrm2sgpa0',
      'bitcoincash:ypm2qsznhks23z7629mms6s4cwef74vcwv279a32dj',
    ];
    for (const address of made) assert.equal(decodeAddress(address), undefined);
  });

  test("eCash's miner fund address is the script that its chain pays", () => {
    assert.equal(
      toHex(
        addressToScript('ecash:prfhcnyqnl5cgrnmlfmms675w93ld7mvvqd0y8lz07', NETWORKS.ecash.main),
      ),
      'a914d37c4c809fe9840e7bfa77b86bd47163f6fb6c6087',
    );
    assert.equal(
      toHex(addressToScript('ecash:qpucqwxgj6239d6wsgfy4xnnvsvj3yerwynur52mwp')),
      '76a914798038c8969512b74e82124a9a7364192893237188ac',
    );
  });
});

/** Addresses with their scripts as templates and blocks of these chains state them. */
const BASE58: readonly (readonly [address: string, AddressRules, script: string])[] = [
  [
    '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
    NETWORKS.bitcoin.main,
    '76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac',
  ],
  [
    'Xf1yruVSvW6arszkDrbN95c6hSxfhCAwtU',
    NETWORKS.dash.main,
    '76a9142f7f1bb68cd5428fc585a79f7f2ad29b0de52efd88ac',
  ],
  [
    'yS25k3aNPBtfqcgyHeEvHtDCRT9iKodHM1',
    NETWORKS.dash.test,
    '76a9143e881097549033c40e7373879a7d4331de81778188ac',
  ],
  [
    'a12es1tiXQ9T1L7Lyi6VNKJ7JRrsa7KcgN',
    NETWORKS.firo.main,
    '76a9140370c5a1974d1409f5e86fba3bfcb3430f51c82388ac',
  ],
];

describe('base58check', () => {
  test('addresses of live chains give the scripts that these chains state', () => {
    for (const [address, rules, script] of BASE58) {
      assert.equal(toHex(addressToScript(address, rules)), script);
    }
  });
});
