/** A returning worker starts at its last difficulty; the memory of it is bounded and ages. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { RememberedDifficulties, workerKey } from '../../../src/stratum/remembered.ts';

describe('the remembered difficulty', () => {
  it('is the last one of this worker of this address', () => {
    const memory = new RememberedDifficulties(10, 1000);
    memory.set('a', 'w', 64, 0);
    memory.set('a', 'w', 128, 1);
    memory.set('a', '', 256, 1);
    assert.equal(memory.get('a', 'w', 2), 128);
    assert.equal(memory.get('a', '', 2), 256);
    assert.equal(memory.get('b', 'w', 2), undefined);
  });

  it('is forgotten after its time, counted from when it was set', () => {
    const memory = new RememberedDifficulties(10, 1000);
    memory.set('a', 'w', 64, 0);
    assert.equal(memory.get('a', 'w', 1000), 64);
    assert.equal(memory.get('a', 'w', 1001), undefined);
    assert.equal(memory.size, 0);
  });

  it('that was used longest ago goes first when the memory is full', () => {
    const memory = new RememberedDifficulties(2, 1000);
    memory.set('a', '', 1, 0);
    memory.set('b', '', 2, 0);
    memory.get('a', '', 1);
    memory.set('c', '', 3, 1);
    assert.equal(memory.get('b', '', 1), undefined);
    assert.equal(memory.get('a', '', 1), 1);
  });

  it('never takes more than its bound', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.string())), (workers) => {
        const memory = new RememberedDifficulties(5, 1000);
        for (const [address, worker] of workers) {
          memory.set(address, worker, 1, 0);
          assert.ok(memory.size <= 5);
        }
      }),
    );
  });

  it('has the dot in its key also for an empty worker', () => {
    assert.equal(workerKey('a', ''), 'a.');
  });
});
