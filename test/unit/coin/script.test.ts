import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { fromHex, toHex } from '../../../src/coin/bytes.ts';
import {
  countSigops,
  heightPush,
  isPushOnly,
  p2pkhScript,
  p2shScript,
  pushData,
  scriptNumber,
  witnessScript,
} from '../../../src/coin/script.ts';
import { heightOf, scriptNumberOf, scriptOps } from '../../support/oracle.ts';
import { bcoin } from '../../vector/coin/reference.ts';

describe('script numbers', () => {
  test('published forms: sign bit, minimal length, zero is empty', () => {
    const cases: readonly (readonly [number, string])[] = [
      [0, ''],
      [1, '01'],
      [-1, '81'],
      [127, '7f'],
      [128, '8000'],
      [-128, '8080'],
      [255, 'ff00'],
      [256, '0001'],
      [-255, 'ff80'],
      [32767, 'ff7f'],
      [32768, '008000'],
      [500_000, '20a107'],
      [2147483647, 'ffffff7f'],
      [2147483648, '0000008000'],
    ];
    for (const [value, hex] of cases) assert.equal(toHex(scriptNumber(value)), hex);
  });

  test('any whole number reads back as itself and has no byte too many', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const bytes = scriptNumber(value);
        assert.equal(scriptNumberOf(bytes), BigInt(value));
        if (bytes.length > 0) assert.notEqual(scriptNumberOf(bytes.subarray(0, -1)), BigInt(value));
      }),
    );
  });
});

describe('BIP34 height', () => {
  test('the forms that consensus compares with: OP_0, OP_1 to OP_16, then minimal pushes', () => {
    const cases: readonly (readonly [number, string])[] = [
      [0, '00'],
      [1, '51'],
      [16, '60'],
      [17, '0111'],
      [127, '017f'],
      [128, '028000'],
      [255, '02ff00'],
      [256, '020001'],
      [15_000, '02983a'],
      [32_768, '03008000'],
      // BIP34's own example: the first block under the rule.
      [227_836, '03fc7903'],
      [8_388_608, '0400008000'],
    ];
    for (const [height, hex] of cases) assert.equal(toHex(heightPush(height)), hex);
  });

  test('any height reads back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7fffffff }), (height) => {
        assert.equal(heightOf(heightPush(height)), height);
      }),
    );
  });

  test('what is no height is an error', () => {
    for (const height of [-1, 1.5, Number.NaN, 2 ** 31]) {
      assert.throws(() => heightPush(height), { code: 'HEIGHT' });
    }
  });
});

describe('pushes', () => {
  test('shortest form at every edge', () => {
    for (const length of [0, 1, 75, 76, 255, 256, 65535]) {
      const script = pushData(new Uint8Array(length).fill(7));
      const ops = [...scriptOps(script)];
      assert.equal(ops.length, 1);
      assert.equal(ops[0]?.data?.length, length);
      const head = length < 76 ? 1 : length < 256 ? 2 : 3;
      assert.equal(script.length, head + length);
    }
    assert.throws(() => pushData(new Uint8Array(65536)), { code: 'SCRIPT' });
  });
});

describe('output scripts', () => {
  test('standard forms have their published bytes', () => {
    const hash = fromHex('62e907b15cbf27d5425399ebf6f0fb50ebb88f18');
    assert.equal(toHex(p2pkhScript(hash)), '76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac');
    assert.equal(toHex(p2shScript(hash)), 'a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1887');
    assert.equal(toHex(witnessScript(0, hash)), '001462e907b15cbf27d5425399ebf6f0fb50ebb88f18');
    assert.equal(toHex(witnessScript(16, fromHex('751e'))), '6002751e');
  });

  test('hashes and programs of the wrong length are refused', () => {
    assert.throws(() => p2pkhScript(new Uint8Array(19)), { code: 'SCRIPT' });
    assert.throws(() => p2shScript(new Uint8Array(32)), { code: 'SCRIPT' });
    assert.throws(() => witnessScript(0, new Uint8Array(1)), { code: 'SCRIPT' });
    assert.throws(() => witnessScript(1, new Uint8Array(41)), { code: 'SCRIPT' });
    assert.throws(() => witnessScript(17, new Uint8Array(32)), { code: 'SCRIPT' });
  });
});

describe('signature operations', () => {
  test('bare bytes count, pushed ones do not: eight OP_CHECKMULTISIG are 160', () => {
    const bare = new Uint8Array(8).fill(0xae);
    assert.equal(countSigops(bare), 160);
    assert.equal(countSigops(pushData(bare)), 0);
    assert.equal(countSigops(fromHex('acadaeaf')), 42);
    assert.equal(countSigops(fromHex('ac05ae')), 1, 'counting ends where a push is cut short');
  });

  test('any bytes count as bcoin counts them', () => {
    const opcodes = fc.constantFrom(0xac, 0xad, 0xae, 0xaf, 0x51, 0x01, 0x02, 0x4c, 0x4d, 0x4e, 0);
    fc.assert(
      fc.property(
        fc.array(fc.oneof(opcodes, fc.integer({ min: 0, max: 255 })), { maxLength: 40 }),
        (bytes) => {
          const script = Uint8Array.from(bytes);
          assert.equal(countSigops(script), bcoin.script(script).getSigops(false));
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('push-only means whole pushes and small numbers', () => {
    assert.ok(isPushOnly(new Uint8Array(0)));
    assert.ok(isPushOnly(fromHex('062f503253482f')));
    assert.ok(isPushOnly(fromHex('00514f60')));
    assert.ok(!isPushOnly(fromHex('2f503253482f')));
    assert.ok(!isPushOnly(fromHex('03ff')));
    assert.ok(!isPushOnly(fromHex('61')));
  });
});
