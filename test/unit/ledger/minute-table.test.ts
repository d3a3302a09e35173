import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MinuteTable, SLICE_ROW_BYTES } from '../../../src/ledger/minute-table.ts';

const share = fc.record({
  worker: fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 0xffffffff })),
  source: fc.integer({ min: 1, max: 0xffff }),
  kind: fc.integer({ min: 0, max: 3 }),
  difficulty: fc.integer({ min: 0, max: 2 ** 20 }),
  best: fc.integer({ min: 0, max: 2 ** 40 }),
  count: fc.integer({ min: 1, max: 50 }),
});

test('a minute holds the sums a plain Map holds, and packs them ordered by worker', () => {
  fc.assert(
    fc.property(fc.array(share, { maxLength: 3000, size: 'max' }), (shares) => {
      const table = new MinuteTable();
      const expected = new Map<string, number[]>();
      for (const { worker, source, kind, difficulty, best, count } of shares) {
        table.add(worker, source, kind, difficulty, best, count);
        const key = `${worker}/${source}/${kind}`;
        const sum = expected.get(key) ?? [0, 0, 0];
        expected.set(key, [sum[0]! + difficulty, Math.max(sum[1]!, best), sum[2]! + count]);
      }
      const packed = Buffer.from(table.pack());
      const found = new Map<string, number[]>();
      let previous = 0;
      for (let at = 0; at < packed.length; at += SLICE_ROW_BYTES) {
        const worker = packed.readUInt32LE(at + 16);
        assert.ok(worker >= previous);
        previous = worker;
        found.set(`${worker}/${packed.readUInt16LE(at + 24)}/${packed[at + 26]}`, [
          packed.readDoubleLE(at),
          packed.readDoubleLE(at + 8),
          packed.readUInt32LE(at + 20),
        ]);
      }
      assert.deepEqual(found, expected);
      assert.equal(table.size, expected.size);
    }),
    { numRuns: 40 },
  );
});
