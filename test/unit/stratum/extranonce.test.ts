/** extranonce1: no two of a run alike, over threads and restarts; none reused before its class ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Extranonces } from '../../../src/stratum/extranonce.ts';

const nobody = (): boolean => false;

test('values are unique within a thread and over threads, four bytes or eight', () => {
  for (const bytes of [4, 8] as const) {
    const seen = new Set<string>();
    for (const thread of [0, 1, 7, 255]) {
      const extranonces = new Extranonces(bytes, thread, nobody);
      for (let i = 0; i < 5000; i++) {
        const value = Buffer.from(extranonces.take());
        assert.equal(value.length, bytes);
        seen.add(value.toString('hex'));
      }
    }
    assert.equal(seen.size, 20_000);
  }
});

test('two runs do not start at the same place', () => {
  const starts = new Set<string>();
  for (let i = 0; i < 20; i++) {
    starts.add(Buffer.from(new Extranonces(4, 0, nobody).take()).toString('hex'));
  }
  assert.ok(starts.size > 15);
});

test('a value stays as it was when later ones are taken', () => {
  const extranonces = new Extranonces(4, 3, nobody);
  const taken = Array.from({ length: 300 }, () => extranonces.take());
  const texts = taken.map((value) => Buffer.from(value).toString('hex'));
  extranonces.take();
  assert.deepEqual(
    taken.map((value) => Buffer.from(value).toString('hex')),
    texts,
  );
});
