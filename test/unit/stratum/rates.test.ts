/** The rate of an address: the mean over the minutes of the last ten in which it had shares. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { RateBook, RateDeltas, rateKey } from '../../../src/stratum/rates.ts';

const MINUTE = 60_000;
/** A full minute of unix time. */
const T0 = 28_400_000 * MINUTE;

describe('the rate of a key', () => {
  it('is the mean over the minutes of the last ten that had shares', () => {
    const book = new RateBook();
    book.add('a', 600, T0 + 1000, T0);
    book.add('a', 300, T0 + 4 * MINUTE);
    // Two minutes with shares, both over; the silent ones between do not count.
    assert.deepEqual(book.rate('a', T0 + 5 * MINUTE), { perMinute: 450, minutes: 2 });
    assert.equal(book.perMinute('a', T0 + 5 * MINUTE), 450);
  });

  it('counts the present minute by the part of it that has passed', () => {
    const book = new RateBook();
    book.add('a', 600, T0 + 30_000, T0);
    book.add('a', 300, T0 + MINUTE + 15_000);
    assert.deepEqual(book.rate('a', T0 + MINUTE + 30_000), { perMinute: 600, minutes: 1.5 });
  });

  it('counts the first minute from when the first share was begun', () => {
    const book = new RateBook();
    book.add('a', 100, T0 + 50_000, T0 + 45_000);
    assert.deepEqual(book.rate('a', T0 + 60_000), { perMinute: 400, minutes: 0.25 });
  });

  it('forgets a minute ten minutes later', () => {
    const book = new RateBook();
    book.add('a', 600, T0, T0);
    book.add('a', 60, T0 + 3 * MINUTE);
    assert.equal(book.perMinute('a', T0 + 10 * MINUTE - 1), 330);
    assert.equal(book.perMinute('a', T0 + 10 * MINUTE), 60);
    assert.equal(book.rate('a', T0 + 13 * MINUTE), undefined);
    assert.equal(book.perMinute('a', T0 + 13 * MINUTE), 0);
  });

  it('starts again after ten silent minutes', () => {
    const book = new RateBook();
    book.add('a', 600, T0, T0);
    const later = T0 + 25 * MINUTE;
    book.add('a', 30, later + 15_000, later);
    assert.deepEqual(book.rate('a', later + 30_000), { perMinute: 60, minutes: 0.5 });
  });

  it('is nothing for a key that never had a share', () => {
    assert.equal(new RateBook().rate('a', T0), undefined);
  });

  it('equals the sum over the last ten minutes divided by those with shares, for any history', () => {
    const history = fc.array(
      fc.record({
        key: fc.constantFrom('a', 'b', 'c'),
        difficulty: fc.integer({ min: 1, max: 1000 }),
        waitMs: fc.integer({ min: 0, max: 4 * MINUTE }),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(history, (shares) => {
        const book = new RateBook();
        const sums = new Map<string, Map<number, number>>();
        let now = T0;
        for (const { key, difficulty, waitMs } of shares) {
          now += waitMs;
          // Begun long ago, so that no first minute is shortened.
          book.add(key, difficulty, now, T0 - 60 * MINUTE);
          const minutes = sums.get(key) ?? new Map<number, number>();
          sums.set(key, minutes);
          const minute = Math.floor(now / MINUTE);
          minutes.set(minute, (minutes.get(minute) ?? 0) + difficulty);
        }
        const end = (Math.floor(now / MINUTE) + 1) * MINUTE;
        for (const [key, minutes] of sums) {
          const recent = [...minutes].filter(([minute]) => minute > end / MINUTE - 10);
          const sum = recent.reduce((total, [, difficulty]) => total + difficulty, 0);
          const expected = recent.length === 0 ? 0 : sum / recent.length;
          assert.ok(Math.abs(book.perMinute(key, end) - expected) < 1e-6);
        }
      }),
    );
  });
});

describe('the book of rates', () => {
  it('never holds more than its keys and lets the least recently active go', () => {
    const book = new RateBook(3);
    for (const key of ['a', 'b', 'c']) book.add(key, 60, T0, T0 - MINUTE);
    book.add('a', 60, T0);
    book.add('d', 60, T0);
    assert.equal(book.size, 3);
    assert.equal(book.rate('b', T0), undefined);
    assert.ok(book.perMinute('a', T0) > 0);
  });

  it('keeps keys apart over growth and eviction', () => {
    const book = new RateBook(1000);
    for (let i = 0; i < 3000; i++) book.add(`k${i}`, i, T0 + 1, T0 - MINUTE);
    assert.equal(book.size, 1000);
    for (let i = 2000; i < 3000; i++) {
      assert.equal(book.perMinute(`k${i}`, T0 + MINUTE), i);
    }
  });

  it('takes a clock that goes back for the present minute', () => {
    const book = new RateBook();
    book.add('a', 60, T0 + 2 * MINUTE, T0 + MINUTE);
    book.add('a', 60, T0);
    assert.ok(book.perMinute('a', T0 + 3 * MINUTE) === 120);
  });
});

describe('the deltas of a listener', () => {
  it('are summed by key, from the earliest beginning, and handed over once', () => {
    const deltas = new RateDeltas();
    deltas.add('a', 100, T0 + 5);
    deltas.add('b', 7, T0);
    deltas.add('a', 50, T0 + 2);
    assert.equal(deltas.size, 2);
    assert.deepEqual(deltas.drain(), [
      { key: 'a', difficulty: 150, sinceMs: T0 + 2 },
      { key: 'b', difficulty: 7, sinceMs: T0 },
    ]);
    assert.deepEqual(deltas.drain(), []);
  });

  it('go by the address or by the worker', () => {
    assert.equal(rateKey('address', 'A', 'w'), 'A');
    assert.equal(rateKey('worker', 'A', 'w'), 'A.w');
    assert.equal(rateKey('worker', 'A', ''), 'A.');
  });
});
