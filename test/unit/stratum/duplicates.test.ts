/** The table of seen shares: exact while it grows, bounded, with no long pause for any single share. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { DuplicateTable } from '../../../src/stratum/duplicates.ts';

function hash(number: number): Buffer {
  return createHash('sha256').update(String(number)).digest();
}

test('every hash is new once and known ever after, through all growing', () => {
  const table = new DuplicateTable(100_000);
  const seen = new Set<number>();
  for (let i = 0; i < 30_000; i++) {
    const number = i % 3 === 2 ? Math.floor(i / 2) : i + 1_000_000;
    const expected = seen.has(number) ? 'known' : 'added';
    seen.add(number);
    assert.equal(table.add(hash(number), 0), expected, `share ${i}`);
  }
  for (const number of seen) assert.equal(table.add(hash(number), 0), 'known');
  assert.equal(table.size, seen.size);
});

test('at the limit a new share is refused as such, a known one still found', () => {
  const table = new DuplicateTable(1000);
  for (let i = 0; i < 1000; i++) assert.equal(table.add(hash(i), 0), 'added');
  assert.equal(table.add(hash(1000), 0), 'full');
  assert.equal(table.add(hash(999), 0), 'known');
  assert.equal(table.size, 1000);
});

test('the place of a hash in a larger array does not matter, bytes beyond the first eight neither', () => {
  const table = new DuplicateTable(10);
  const long = Buffer.concat([hash(1), hash(2)]);
  assert.equal(table.add(long, 32), 'added');
  assert.equal(table.add(hash(2), 0), 'known');
  assert.equal(table.add(Buffer.concat([hash(2).subarray(0, 8), Buffer.alloc(24)]), 0), 'known');
});

test('a hash whose first bytes are zero is a hash like any other', () => {
  const table = new DuplicateTable(10);
  assert.equal(table.add(new Uint8Array(32), 0), 'added');
  assert.equal(table.add(new Uint8Array(32), 0), 'known');
});
