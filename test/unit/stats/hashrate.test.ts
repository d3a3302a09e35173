/** Hashes behind shares; figures from mining-facts (difficulty-1 targets of the two families). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DifficultyWindow, hashesPerShare, hashrateOf } from '../../../src/stats/hashrate.ts';

describe('hashrate', () => {
  it('is the sum of difficulty times the hashes of difficulty 1, a second', () => {
    assert.equal(hashrateOf(60, 60, 2 ** 32), 2 ** 32);
    assert.equal(hashrateOf(128, 10, 2 ** 16), 838_860.8);
    assert.equal(hashrateOf(5, 0, 2 ** 32), 0);
  });

  it('of difficulty 1 takes 2^32 hashes with sha256d, 65536 times fewer with scrypt', () => {
    const sha256d = hashesPerShare(0xffffn << 208n);
    const scrypt = hashesPerShare(0xffffn << 224n);
    // 2^48 / 0xffff, the figure usually given as 4295032833.
    assert.ok(Math.abs(sha256d - 4_295_032_833) < 1, String(sha256d));
    assert.ok(Math.abs(sha256d / scrypt - 65_536) < 1e-6);
    assert.equal(hashesPerShare((1n << 255n) - 1n), 2);
    assert.equal(hashesPerShare((1n << 256n) - 1n), 1);
  });
});

describe('a window of difficulty', () => {
  it('gives the rate over the span that was asked for', () => {
    const window = new DifficultyWindow(0);
    for (let s = 0; s < 1800; s++) window.add(s < 1200 ? 10 : 40, s * 1000);
    assert.ok(Math.abs(window.hashrate(600_000, 1_800_000, 1) - 40) < 1);
    assert.ok(Math.abs(window.hashrate(1_800_000, 1_800_000, 1) - 20) < 0.5);
  });

  it('younger than the span counts from its start', () => {
    const window = new DifficultyWindow(5000);
    for (let s = 5; s < 65; s++) window.add(10, s * 1000);
    assert.equal(window.hashrate(3_600_000, 65_000, 1), 10);
  });

  it('forgets what is older than its buckets', () => {
    const window = new DifficultyWindow(0, 1000, 10);
    window.add(1_000_000, 0);
    assert.equal(window.hashrate(9000, 10_000, 1), 0);
    window.add(1_000_000, 10_000);
    assert.equal(window.hashrate(9000, 1e9, 1), 0);
  });
});
