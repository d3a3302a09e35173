import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { fromHex, toHex } from '../../../src/coin/bytes.ts';
import { headerBytes, notifyPrevHash, parseHeader } from '../../../src/coin/header.ts';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const u32 = fc.integer({ min: 0, max: 0xffffffff });

describe('header', () => {
  test('any fields stand where the protocol has them', () => {
    fc.assert(
      fc.property(u32, hash, hash, u32, u32, u32, (version, prev, root, time, bits, nonce) => {
        const fields = { version, prevHashLE: prev, merkleRootLE: root, time, bits, nonce };
        const expected = Buffer.alloc(80);
        expected.writeUInt32LE(version, 0);
        expected.set(prev, 4);
        expected.set(root, 36);
        expected.writeUInt32LE(time, 68);
        expected.writeUInt32LE(bits, 72);
        expected.writeUInt32LE(nonce, 76);
        assert.equal(toHex(headerBytes(fields)), expected.toString('hex'));
        assert.deepEqual(parseHeader(expected), fields);
        const signed = { ...fields, version: version | 0 };
        assert.deepEqual(headerBytes(signed), headerBytes(fields));
      }),
    );
  });

  test('wrong lengths are refused', () => {
    const fields = {
      version: 1,
      prevHashLE: new Uint8Array(31),
      merkleRootLE: new Uint8Array(32),
      time: 0,
      bits: 0,
      nonce: 0,
    };
    assert.throws(() => headerBytes(fields), { code: 'HEADER' });
    assert.throws(() => parseHeader(new Uint8Array(79)), { code: 'MALFORMED' });
    assert.throws(() => parseHeader(new Uint8Array(81)), { code: 'MALFORMED' });
    assert.throws(() => notifyPrevHash(new Uint8Array(33)), { code: 'HEADER' });
  });

  test('the previous hash of a notify is the header bytes, each group of four reversed', () => {
    // Slush's Stratum documentation: this string is sent for the block id 00…6be6ac.
    const sent = '4d16b6f85af6e2198f44ae2a6de67f78487ae5611b77c6c0440b921e00000000';
    const id = '00000000440b921e1b77c6c0487ae5616de67f788f44ae2a5af6e2194d16b6f8';
    assert.equal(notifyPrevHash(fromHex(id).toReversed()), sent);
  });
});
