/** Compact targets of real headers of many chains, and of Bitcoin Core's own arith_uint256 tests. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { blockIdHexBE } from '../../../src/coin/block.ts';
import { fromHex, reversed } from '../../../src/coin/bytes.ts';
import { parseHeader } from '../../../src/coin/header.ts';
import {
  bitsFromTarget,
  compactFromHex,
  meets,
  targetFromBits,
  targetFromLE,
  targetToLE,
} from '../../../src/coin/target.ts';

interface HeaderVector {
  readonly coin: string;
  readonly network: string;
  readonly height: number;
  readonly header_hex: string;
  readonly pow_hash_hex: string;
  readonly block_hash_hex: string | null;
  readonly block_hash_algo: string;
  readonly bits: string;
  readonly target_hex: string;
  readonly meets_target: boolean;
}

const HEADERS = JSON.parse(
  readFileSync(new URL('headers.json', import.meta.url), 'utf8'),
) as readonly HeaderVector[];

describe('headers of real blocks', () => {
  for (const vector of HEADERS) {
    test(`${vector.coin} ${vector.network} ${vector.height}: bits, target and proof of work`, () => {
      const header = fromHex(vector.header_hex);
      const bits = compactFromHex(vector.bits);
      assert.equal(parseHeader(header).bits, bits);
      assert.equal(targetFromBits(bits), BigInt(`0x${vector.target_hex}`));
      const encoded = bitsFromTarget(BigInt(`0x${vector.target_hex}`));
      assert.equal(targetFromBits(encoded), BigInt(`0x${vector.target_hex}`));
      // Namecoin's genesis writes 1c007fff, which Core's GetCompact would write as 1b7fff00.
      if (vector.coin !== 'namecoin') assert.equal(encoded, bits);
      const targetLE = targetToLE(targetFromBits(bits));
      assert.deepEqual(targetLE, reversed(fromHex(vector.target_hex)));
      assert.equal(targetFromLE(targetLE), BigInt(`0x${vector.target_hex}`));
      const powHashLE = reversed(fromHex(vector.pow_hash_hex));
      assert.equal(meets(powHashLE, targetLE), vector.meets_target);
      if (vector.block_hash_algo === 'sha256d') {
        assert.equal(blockIdHexBE(header), vector.block_hash_hex);
      } else if (vector.block_hash_hex === vector.pow_hash_hex) {
        assert.equal(blockIdHexBE(header, powHashLE), vector.block_hash_hex);
      }
    });
  }
});

describe('compact form', () => {
  /** Bitcoin Core, arith_uint256_tests.cpp, bignum_SetCompact: bits → target and the bits it encodes to. */
  const GOOD: readonly (readonly [bits: number, target: bigint, encoded: number])[] = [
    [0x01120000, 0x12n, 0x01120000],
    [0x02123456, 0x1234n, 0x02123400],
    [0x03123456, 0x123456n, 0x03123456],
    [0x04123456, 0x12345600n, 0x04123456],
    [0x05009234, 0x92340000n, 0x05009234],
    [0x20123456, 0x123456n << 232n, 0x20123456],
    [0x207fffff, 0x7fffffn << 232n, 0x207fffff],
    [0x1d00ffff, 0xffffn << 208n, 0x1d00ffff],
    // Upper edge of 256 bits: the mantissa's high bytes are zero.
    [0x2100ffff, 0xffffn << 240n, 0x2100ffff],
    [0x220000ff, 0xffn << 248n, 0x2100ff00],
  ];
  test('targets of the published cases, and back', () => {
    for (const [bits, target, encoded] of GOOD) {
      assert.equal(targetFromBits(bits), target, bits.toString(16));
      assert.equal(bitsFromTarget(target), encoded, bits.toString(16));
    }
  });

  test('zero, negative and overflowing bits are refused: no block can meet them', () => {
    for (const bits of [
      0, 0x00123456, 0x01003456, 0x02000056, 0x03000000, 0x04000000, 0x00923456,
    ]) {
      assert.throws(() => targetFromBits(bits), /zero target/, bits.toString(16));
    }
    for (const bits of [0x01fedcba, 0x04923456, 0x1d80ffff]) {
      assert.throws(() => targetFromBits(bits), /negative/, bits.toString(16));
    }
    for (const bits of [0xff123456, 0x21010000, 0x22000100, 0x23000001]) {
      assert.throws(() => targetFromBits(bits), /wider than 256 bits/, bits.toString(16));
    }
  });

  test('bits are eight hex digits and nothing else', () => {
    assert.equal(compactFromHex('1D00ffff'), 0x1d00ffff);
    for (const text of ['', '1d00fff', '1d00ffff0', '0x1d00ff', '1d00fffg', ' d00ffff']) {
      assert.throws(() => compactFromHex(text), { name: 'CoinError' });
    }
  });
});
