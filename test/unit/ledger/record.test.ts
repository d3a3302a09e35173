import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordBuffer, RecordView } from '../../../src/ledger/record.ts';

const HASH = Uint8Array.from({ length: 40 }, (_, i) => i);

test('a record is 48 bytes with every field at its documented place, little-endian', () => {
  const buffer = new RecordBuffer();
  buffer.add(0x01020304, 0x0506, 3, 1_795_391_400_123, 0.375, 98_765.5, 812_345, HASH, 8, 77, 1);
  const bytes = Buffer.from(buffer.take());
  assert.equal(bytes.length, 48);
  assert.equal(bytes.readDoubleLE(0), 1_795_391_400_123);
  assert.equal(bytes.readDoubleLE(8), 0.375);
  assert.equal(bytes.readDoubleLE(16), 98_765.5);
  assert.equal(bytes.readUInt32LE(24), 0x01020304);
  assert.equal(bytes.readUInt32LE(28), 812_345);
  assert.deepEqual([...bytes.subarray(32, 40)], [8, 9, 10, 11, 12, 13, 14, 15]);
  assert.equal(bytes.readUInt32LE(40), 77);
  assert.equal(bytes.readUInt16LE(44), 0x0506);
  assert.equal(bytes[46], 3);
  assert.equal(bytes[47], 1);
});

test('a taken batch is not changed by what is added afterwards, and growing keeps what is there', () => {
  const buffer = new RecordBuffer();
  for (let i = 0; i < 500; i++) buffer.add(i, 1, 0, 0, i, 0, 0, HASH, 0, 1, 0);
  const taken = new RecordView(new Uint8Array(buffer.take()));
  assert.equal(buffer.byteLength, 0);
  for (let i = 0; i < 500; i++) buffer.add(9999, 1, 0, 0, 0, 0, 0, HASH, 0, 1, 0);
  assert.equal(taken.count, 500);
  for (let i = 0; i < 500; i++) {
    assert.equal(taken.worker(i), i);
    assert.equal(taken.difficulty(i), i);
  }
});

test('a view reads records that do not begin at the start of their buffer', () => {
  const buffer = new RecordBuffer();
  buffer.add(7, 8, 2, 5, 16, 32, 9, HASH, 0, 3, 1);
  const shifted = new Uint8Array(51);
  shifted.set(new Uint8Array(buffer.take()), 3);
  const view = new RecordView(shifted.subarray(3));
  view.setWorker(0, 70);
  view.setSource(0, 80);
  assert.deepEqual(
    [view.worker(0), view.source(0), view.kind(0), view.timeMs(0), view.difficulty(0)],
    [70, 80, 2, 5, 16],
  );
  assert.deepEqual(
    [view.hashDifficulty(0), view.height(0), view.shares(0), view.flags(0)],
    [32, 9, 3, 1],
  );
  assert.deepEqual([...view.fingerprint(0)], [0, 1, 2, 3, 4, 5, 6, 7]);
});
