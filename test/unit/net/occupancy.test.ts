/** Limits on connections hold over threads, per address and in all, and a dead thread's count goes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Occupancy, occupancyMemory } from '../../../src/net/occupancy.ts';

test('the total and the count per address span threads', () => {
  const memory = occupancyMemory(2);
  const limits = { connections: 5, connectionsPerAddress: 3 };
  const a = new Occupancy(memory, 0, 7, limits);
  const b = new Occupancy(memory, 1, 7, limits);
  assert.deepEqual(
    [a, b, a, b].map((thread) => thread.enter('10.0.0.1')),
    ['ok', 'ok', 'ok', 'address'],
  );
  assert.deepEqual(
    [a.enter('10.0.0.2'), b.enter('10.0.0.3'), a.enter('10.0.0.4')],
    ['ok', 'ok', 'full'],
  );
  b.leave('10.0.0.1');
  assert.equal(a.enter('10.0.0.1'), 'ok');
});

test('a thread that takes the place of a dead one starts from nothing', () => {
  const memory = occupancyMemory(2);
  const limits = { connections: 2, connectionsPerAddress: 2 };
  const dead = new Occupancy(memory, 0, 7, limits);
  dead.enter('10.0.0.1');
  dead.enter('10.0.0.1');
  const other = new Occupancy(memory, 1, 7, limits);
  assert.equal(other.enter('10.0.0.1'), 'full');
  const next = new Occupancy(memory, 0, 7, limits);
  assert.equal(next.enter('10.0.0.1'), 'ok');
});

test('every address has a bucket, whatever the seed', () => {
  const limits = { connections: 10, connectionsPerAddress: 10 };
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 0, max: 2 ** 31 - 1 }), (address, seed) => {
      const occupancy = new Occupancy(occupancyMemory(1), 0, seed, limits);
      assert.equal(occupancy.enter(address), 'ok');
      occupancy.leave(address);
    }),
    { numRuns: 200 },
  );
});
