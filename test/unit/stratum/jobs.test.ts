/** Jobs of a listener: stale by tip of their chain, bounded, kernel slots for those used last. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JobBook } from '../../../src/stratum/jobs.ts';
import { TargetCache, TermHistory } from '../../../src/stratum/terms.ts';
import { makeJob } from '../../support/stratum-pool.ts';

class Slots {
  readonly jobSlots: number;
  readonly taken = new Set<number>();

  constructor(jobSlots: number) {
    this.jobSlots = jobSlots;
  }

  addJob(): number {
    for (let slot = 0; slot < this.jobSlots; slot++) {
      if (this.taken.has(slot)) continue;
      this.taken.add(slot);
      return slot;
    }
    throw new Error('no slot');
  }

  dropJob(slot: number): void {
    assert.ok(this.taken.delete(slot), `slot ${slot} was not taken`);
  }
}

test('a job is stale once its chain has a newer tip; another chain does not matter', () => {
  const book = new JobBook([new Slots(8)]);
  const old = book.add(0, makeJob({ chain: 'a', tip: 1 }), 0);
  const same = book.add(0, makeJob({ chain: 'a', tip: 1, kind: 'push' }), 5);
  book.add(0, makeJob({ chain: 'b', tip: 9 }), 6);
  assert.deepEqual([old.staleSinceMs, same.staleSinceMs], [-1, -1]);
  book.add(0, makeJob({ chain: 'a', tip: 2 }), 7);
  book.add(0, makeJob({ chain: 'a', tip: 3 }), 9);
  assert.deepEqual([old.staleSinceMs, same.staleSinceMs], [7, 7]);
  assert.equal(book.add(0, makeJob({ chain: 'a', tip: 2 }), 10).staleSinceMs, 10);
  assert.deepEqual(book.count(0), { active: 2, stale: 4 });
});

test('retired jobs are unknown, the current one stays, and slots come back', () => {
  const slots = new Slots(4);
  const book = new JobBook([slots]);
  const old = book.add(0, makeJob(), 0);
  const current = book.add(0, makeJob(), 0);
  book.retire([old.job.id, current.job.id, 'unknown']);
  assert.equal(book.find(old.job.id), undefined);
  assert.equal(book.find(current.job.id), current);
  assert.equal(slots.taken.size, 1);
});

test('a job retired while its shares are under way is loaded for them and then let go', () => {
  const slots = new Slots(4);
  const book = new JobBook([slots]);
  const old = book.add(0, makeJob(), 0);
  book.add(0, makeJob(), 0);
  book.retire([old.job.id]);
  assert.ok(book.slotOf(old) >= 0);
  book.done(old);
  assert.equal(slots.taken.size, 1);
});

test('more jobs than slots: the one unused longest makes room and is loaded again when needed', () => {
  const slots = new Slots(2);
  const book = new JobBook([slots, slots]);
  const [a, b, c] = [0, 1, 0].map((source) => book.add(source, makeJob(), 0));
  assert.equal(a!.slot, -1);
  assert.ok(b!.slot >= 0 && c!.slot >= 0);
  book.slotOf(b!);
  book.slotOf(a!);
  assert.equal(c!.slot, -1);
  assert.ok(a!.slot >= 0 && b!.slot >= 0);
});

test('a source that retires nothing keeps a bounded number of jobs', () => {
  const book = new JobBook([new Slots(4)]);
  for (let i = 0; i < 1000; i++) book.add(0, makeJob(), 0);
  assert.equal(book.size, 256);
});

test('the same job twice is one job', () => {
  const book = new JobBook([new Slots(4)]);
  const job = makeJob();
  assert.equal(book.add(0, job, 0), book.add(0, structuredClone(job), 1));
});

const TERM = { targetLE: new Uint8Array(32), versionMask: 0, extranonce1: new Uint8Array(4) };

test('a term holds from its first job until the next term, and the history is bounded', () => {
  const terms = new TermHistory();
  assert.equal(terms.of(1), undefined);
  terms.begin({ ...TERM, from: 5, difficulty: 1 });
  terms.begin({ ...TERM, from: 8, difficulty: 2 });
  assert.deepEqual(
    [4, 5, 7, 8, 100].map((sequence) => terms.of(sequence)?.difficulty),
    [undefined, 1, 1, 2, 2],
  );
  for (let i = 0; i < 100; i++) terms.begin({ ...TERM, from: 10 + i, difficulty: i });
  assert.equal(terms.of(8), undefined);
  assert.equal(terms.of(109)?.difficulty, 99);
});

test('version rolling that is agreed on later holds for the jobs sent before, too', () => {
  const terms = new TermHistory();
  terms.begin({ ...TERM, from: 1, difficulty: 1 });
  terms.widen(0x1fffe000);
  assert.equal(terms.of(1)?.versionMask, 0x1fffe000);
});

test('a target is diff1 / difficulty, little-endian, also for fractions', () => {
  const cache = new TargetCache(0xffffn << 208n);
  const asInteger = (difficulty: number): bigint =>
    BigInt(`0x${Buffer.from(cache.targetLE(difficulty)).reverse().toString('hex')}`);
  assert.equal(asInteger(1), 0xffffn << 208n);
  assert.equal(asInteger(2), 0xffffn << 207n);
  assert.equal(asInteger(0.5), 0xffffn << 209n);
  assert.equal(asInteger(3), (0xffffn << 208n) / 3n);
});
