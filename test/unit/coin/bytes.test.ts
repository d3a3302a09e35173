import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { ByteReader, ByteWriter, fromHex, toHex, varInt } from '../../../src/coin/bytes.ts';

describe('hex', () => {
  test('every byte string survives, in lower case, and upper case reads the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const hex = Buffer.from(bytes).toString('hex');
        assert.equal(toHex(bytes), hex);
        assert.deepEqual(fromHex(hex), bytes);
        assert.deepEqual(fromHex(hex.toUpperCase()), bytes);
      }),
    );
  });

  test('odd lengths and foreign characters are refused, never cut or padded', () => {
    for (const text of ['0', 'abc', '0g', 'zz', '0x00', ' 00', '00\n', 'ł1', '\u{130}0']) {
      assert.throws(() => fromHex(text), { name: 'CoinError', code: 'HEX' });
    }
  });

  test('bytes own their buffer, so that posting them to a thread drags nothing along', () => {
    assert.equal(fromHex('00ff').buffer.byteLength, 2);
    const reader = new ByteReader(Buffer.from('0102030405', 'hex'), 'test');
    const read = reader.bytes(2);
    assert.equal(read.buffer.byteLength, 2);
    assert.equal(read.constructor, Uint8Array);
  });
});

describe('CompactSize', () => {
  /** Bitcoin developer reference, 'CompactSize unsigned integers', and the edges of each length. */
  const CASES: readonly (readonly [value: number, hex: string])[] = [
    [0, '00'],
    [0xfc, 'fc'],
    [0xfd, 'fdfd00'],
    [515, 'fd0302'],
    [0xffff, 'fdffff'],
    [0x10000, 'fe00000100'],
    [0xffffffff, 'feffffffff'],
    [0x100000000, 'ff0000000001000000'],
  ];
  test('edges of every length, written and read', () => {
    for (const [value, hex] of CASES) {
      assert.equal(toHex(varInt(value)), hex);
      assert.equal(new ByteReader(fromHex(hex), 'test').varInt(), value);
    }
  });

  test('a longer form than needed is refused, as the network does', () => {
    for (const hex of ['fdfc00', 'feffff0000', 'ffffffffff00000000', 'ffffffffffffffffff']) {
      assert.throws(() => new ByteReader(fromHex(hex), 'test').varInt(), {
        code: 'MALFORMED',
      });
    }
  });
});

describe('fields', () => {
  test('little-endian, and a version may be written signed or unsigned', () => {
    const bytes = new ByteWriter(1)
      .u8(1)
      .u16(0x0203)
      .u32(0x04050607)
      .u32(-1)
      .u64(0x1122334455667788n)
      .finish();
    assert.equal(toHex(bytes), '01030207060504ffffffff8877665544332211');
  });

  test('what does not fit a field is refused', () => {
    assert.throws(() => new ByteWriter().u8(256), { code: 'RANGE' });
    assert.throws(() => new ByteWriter().u16(-1), { code: 'RANGE' });
    assert.throws(() => new ByteWriter().u32(2 ** 32), { code: 'RANGE' });
    assert.throws(() => new ByteWriter().u32(1.5), { code: 'RANGE' });
    assert.throws(() => new ByteWriter().u64(-1n), { code: 'RANGE' });
    assert.throws(() => new ByteWriter().u64(1n << 64n), { code: 'RANGE' });
    assert.throws(() => new ByteWriter().varInt(-1), { code: 'RANGE' });
  });

  test('a count that the input cannot hold is refused before anything is made of it', () => {
    const reader = new ByteReader(fromHex('feffffffff00'), 'list');
    assert.throws(() => reader.count(1), /list: announces 4294967295 items/);
  });

  test('reading past the end names what was read and where', () => {
    const reader = new ByteReader(fromHex('0011'), 'header');
    reader.u8();
    assert.throws(() => reader.u32(), /header: ends at byte 2, 4 more were expected at byte 1/);
  });
});
