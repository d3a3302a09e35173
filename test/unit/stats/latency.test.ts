/** The histogram's quantiles against those of the sorted values themselves. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { LatencyHistogram } from '../../../src/stats/latency.ts';

const values = fc.array(fc.double({ min: 0, max: 100_000, noNaN: true }), {
  minLength: 1,
  maxLength: 300,
});

function exact(ms: readonly number[], q: number): number {
  const sorted = ms.toSorted((a, b) => a - b);
  return sorted[Math.max(Math.ceil(q * sorted.length), 1) - 1]!;
}

describe('a latency histogram', () => {
  it('has every quantile right to one part in 32 and a microsecond', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (ms, q) => {
        const histogram = new LatencyHistogram();
        for (const value of ms) histogram.record(value);
        const expected = exact(ms, q);
        const got = histogram.quantileMs(q);
        assert.ok(got >= expected - 0.001 && got <= expected * (1 + 1 / 32) + 0.001, `${got}`);
      }),
    );
  });

  it('has maximum, count and mean exactly', () => {
    fc.assert(
      fc.property(values, (ms) => {
        const histogram = new LatencyHistogram();
        for (const value of ms) histogram.record(value);
        assert.equal(histogram.maxMs, Math.max(...ms));
        assert.equal(histogram.count, ms.length);
        const mean = ms.reduce((sum, value) => sum + value, 0) / ms.length;
        assert.ok(Math.abs(histogram.meanMs - mean) <= 1e-9 * Math.max(mean, 1));
      }),
    );
  });

  it('of several threads added up equals one of all values', () => {
    fc.assert(
      fc.property(values, values, (one, two) => {
        const [first, second, both] = [0, 1, 2].map(() => new LatencyHistogram());
        for (const value of one) first!.record(value);
        for (const value of two) second!.record(value);
        for (const value of [...one, ...two]) both!.record(value);
        first!.add(structuredClone(second!.data()));
        assert.deepEqual(first!.data().counts, both!.data().counts);
        assert.equal(first!.maxMs, both!.maxMs);
        assert.equal(first!.count, both!.count);
      }),
    );
  });

  it('never shows a quantile beyond the longest value', () => {
    const histogram = new LatencyHistogram();
    histogram.record(100);
    assert.equal(histogram.quantileMs(0.5), 100);
  });

  it('is empty at first and after clear', () => {
    const histogram = new LatencyHistogram();
    assert.deepEqual([histogram.count, histogram.quantileMs(0.5), histogram.meanMs], [0, 0, 0]);
    histogram.record(5);
    histogram.clear();
    assert.deepEqual([histogram.count, histogram.quantileMs(0.99), histogram.maxMs], [0, 0, 0]);
  });

  it('takes hours for its longest value and ignores what is no latency', () => {
    const histogram = new LatencyHistogram();
    histogram.record(1e12);
    assert.equal(histogram.maxMs, 1e12);
    assert.equal(histogram.quantileMs(1), 2_147_483.647);
    for (const value of [-1, NaN]) histogram.record(value);
    assert.equal(histogram.count, 1);
  });
});
