import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  MAX_TARGET,
  bitsFromTarget,
  difficultyFromTarget,
  meets,
  targetFromBits,
  targetFromDifficulty,
  targetFromLE,
  targetToLE,
} from '../../../src/coin/target.ts';

const DIFF1_SHA = 0xffffn << 208n;
const DIFF1_SCRYPT = 0xffffn << 224n;

/** A double as an exact fraction: doubling is exact, so it is doubled until it is whole. */
function exactFraction(value: number): { numerator: bigint; denominator: bigint } {
  let denominator = 1n;
  let scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    denominator *= 2n;
  }
  return { numerator: BigInt(scaled), denominator };
}

const target256 = fc.bigInt({ min: 0n, max: MAX_TARGET });
const difficulties = fc
  .tuple(fc.double({ min: 1, max: 2, noNaN: true }), fc.integer({ min: -60, max: 90 }))
  .map(([mantissa, exponent]) => mantissa * 2 ** exponent);

describe('target from difficulty', () => {
  test('difficulty 1 is diff1, and halves and doubles exactly', () => {
    assert.equal(targetFromDifficulty(1, DIFF1_SHA), DIFF1_SHA);
    assert.equal(targetFromDifficulty(0.5, DIFF1_SHA), DIFF1_SHA * 2n);
    assert.equal(targetFromDifficulty(65536, DIFF1_SCRYPT), DIFF1_SHA);
    assert.equal(targetFromDifficulty(3, 10n), 3n);
  });

  test('is floor(diff1 / difficulty) in rational arithmetic, for any double', () => {
    fc.assert(
      fc.property(difficulties, fc.constantFrom(DIFF1_SHA, DIFF1_SCRYPT), (difficulty, diff1) => {
        const { numerator, denominator } = exactFraction(difficulty);
        const exact = (diff1 * denominator) / numerator;
        assert.equal(
          targetFromDifficulty(difficulty, diff1),
          exact > MAX_TARGET ? MAX_TARGET : exact,
        );
      }),
      { numRuns: 2000 },
    );
  });

  test('a difficulty below what 256 bits can express takes every hash', () => {
    assert.equal(targetFromDifficulty(1e-30, DIFF1_SCRYPT), MAX_TARGET);
    assert.equal(targetFromDifficulty(Number.MIN_VALUE, DIFF1_SHA), MAX_TARGET);
    assert.equal(targetFromDifficulty(Number.MAX_VALUE, DIFF1_SHA), 0n);
  });

  test('no number above 0 is an error, not a target', () => {
    for (const difficulty of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => targetFromDifficulty(difficulty, DIFF1_SHA), { code: 'DIFFICULTY' });
    }
  });
});

describe('difficulty from target', () => {
  test('published difficulties: Bitcoin block 100000, its wiki example, regtest', () => {
    assert.equal(
      difficultyFromTarget(targetFromBits(0x1b04864c), DIFF1_SHA).toPrecision(15),
      '14484.1623612254',
    );
    assert.equal(
      difficultyFromTarget(targetFromBits(0x1b0404cb), DIFF1_SHA).toFixed(6),
      '16307.420939',
    );
    assert.equal(
      difficultyFromTarget(targetFromBits(0x207fffff), DIFF1_SHA).toPrecision(16),
      '4.656542373906925e-10',
    );
  });

  test('is the double nearest to diff1 / target', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: MAX_TARGET }), (target) => {
        const difficulty = difficultyFromTarget(target, DIFF1_SHA);
        const { numerator, denominator } = exactFraction(difficulty);
        const error = numerator * target - DIFF1_SHA * denominator;
        const distance = error < 0n ? -error : error;
        // |d - diff1/target| ≤ half a unit in the last place: 2^-53 of d.
        assert.ok(distance << 53n <= numerator * target);
      }),
      { numRuns: 2000 },
    );
  });

  test('a ratio just above the middle between two doubles goes up', () => {
    const diff1 = ((2n ** 53n + 1n) << 100n) + 1n;
    assert.equal(difficultyFromTarget(1n << 100n, diff1), 2 ** 53 + 2);
    assert.equal(difficultyFromTarget(1n << 100n, diff1 - 1n), 2 ** 53);
  });

  test('of a difficulty that a target expresses gives the difficulty back', () => {
    for (const difficulty of [1, 0.25, 128, 65536, 2 ** 40]) {
      const target = targetFromDifficulty(difficulty, DIFF1_SHA);
      assert.equal(difficultyFromTarget(target, DIFF1_SHA), difficulty);
    }
    assert.equal(difficultyFromTarget(0n, DIFF1_SHA), Number.POSITIVE_INFINITY);
  });
});

describe('32 bytes', () => {
  test('little-endian, there and back', () => {
    fc.assert(
      fc.property(target256, (target) => {
        const bytes = targetToLE(target);
        const hexBE = target.toString(16).padStart(64, '0');
        assert.equal(Buffer.from(bytes.toReversed()).toString('hex'), hexBE);
        assert.equal(targetFromLE(bytes), target);
      }),
    );
    assert.throws(() => targetToLE(MAX_TARGET + 1n), { code: 'TARGET' });
    assert.throws(() => targetToLE(-1n), { code: 'TARGET' });
    assert.throws(() => targetFromLE(new Uint8Array(31)), { code: 'TARGET' });
  });

  test('a hash meets a target when it is not above it, over all 256 bits', () => {
    fc.assert(
      fc.property(target256, target256, (hash, target) => {
        assert.equal(meets(targetToLE(hash), targetToLE(target)), hash <= target);
        assert.ok(meets(targetToLE(target), targetToLE(target)));
        if (target > 0n) assert.ok(!meets(targetToLE(target), targetToLE(target - 1n)));
      }),
    );
  });
});

describe('compact form', () => {
  test('keeps the leading bits and never gets easier', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: MAX_TARGET }), (target) => {
        const bits = bitsFromTarget(target);
        const kept = targetFromBits(bits);
        assert.ok(kept <= target);
        assert.equal(bitsFromTarget(kept), bits);
        assert.ok((target - kept) << 15n <= target);
      }),
      { numRuns: 2000 },
    );
    assert.equal(bitsFromTarget(0n), 0);
  });
});
