import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  fit,
  type TemplateLimits,
  type TemplateTransactionCost,
} from '../../../src/coin/limits.ts';

const COINBASE = { size: 236, strippedSize: 200, weight: 836, sigops: 2 };
/** Header and a one-byte count. */
const FRAME = 81;

const costs: fc.Arbitrary<TemplateTransactionCost> = fc.record(
  {
    size: fc.integer({ min: 60, max: 100_000 }),
    weight: fc.integer({ min: 240, max: 400_000 }),
    sigops: fc.integer({ min: 0, max: 4000 }),
  },
  { requiredKeys: ['size'] },
);

describe('limits of a template', () => {
  test('the coinbase and the header count: exactly at a limit fits, one more does not', () => {
    const transactions = [{ size: 1000, weight: 2500, sigops: 10 }];
    const size = FRAME + 236 + 1000;
    const weight = FRAME * 4 + 836 + 2500;
    const sigops = 2 * 4 + 10;
    const exact = { sizeLimit: size, weightLimit: weight, sigopLimit: sigops };
    assert.deepEqual(fit(transactions, COINBASE, exact), {
      leaveOut: 0,
      broken: undefined,
      fits: true,
    });
    const cases: readonly (readonly [TemplateLimits, string])[] = [
      [{ ...exact, sizeLimit: size - 1 }, 'sizelimit'],
      [{ ...exact, weightLimit: weight - 1 }, 'weightlimit'],
      [{ ...exact, sigopLimit: sigops - 1 }, 'sigoplimit'],
    ];
    for (const [limits, broken] of cases) {
      assert.deepEqual(fit(transactions, COINBASE, limits), { leaveOut: 1, broken, fits: true });
    }
  });

  test('without segwit sigops are counted once and a weight is four sizes', () => {
    const transactions = [{ size: 100, sigops: 10 }];
    assert.equal(fit(transactions, COINBASE, { sigopLimit: 12 }).broken, undefined);
    assert.equal(fit(transactions, COINBASE, { sigopLimit: 11 }).broken, 'sigoplimit');
    const weight = FRAME * 4 + 836 + 400;
    assert.equal(fit(transactions, COINBASE, { weightLimit: weight }).broken, undefined);
    assert.equal(fit(transactions, COINBASE, { weightLimit: weight - 1 }).broken, 'weightlimit');
  });

  test('what is left out is the least that makes the rest fit', () => {
    fc.assert(
      fc.property(
        fc.array(costs, { maxLength: 40 }),
        fc.integer({ min: 300, max: 1_000_000 }),
        fc.integer({ min: 8, max: 20_000 }),
        fc.boolean(),
        (transactions, sizeLimit, sigopLimit, pinLast) => {
          const limits = { sizeLimit, weightLimit: sizeLimit * 4, sigopLimit };
          const { leaveOut, broken, fits } = fit(transactions, COINBASE, limits, { pinLast });
          const keep = (out: number): TemplateTransactionCost[] => {
            const pinned = pinLast ? transactions.slice(-1) : [];
            const free = transactions.slice(0, transactions.length - pinned.length);
            return [...free.slice(0, free.length - out), ...pinned];
          };
          const whole = (kept: readonly TemplateTransactionCost[]): boolean => {
            const sum = (of: (cost: TemplateTransactionCost) => number): number =>
              kept.reduce((total, cost) => total + of(cost), 0);
            return (
              FRAME + 236 + sum((cost) => cost.size) <= sizeLimit &&
              FRAME * 4 + 836 + sum((cost) => cost.weight ?? cost.size * 4) <= sizeLimit * 4 &&
              8 + sum((cost) => cost.sigops ?? 0) <= sigopLimit
            );
          };
          assert.equal(broken === undefined, whole(transactions));
          assert.equal(whole(keep(leaveOut)), fits);
          if (leaveOut > 0) assert.ok(!whole(keep(leaveOut - 1)));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a pinned last transaction stays, the ones before it go', () => {
    const transactions = [{ size: 100 }, { size: 500 }, { size: 200 }];
    const limits = { sizeLimit: FRAME + 236 + 300 };
    assert.deepEqual(fit(transactions, COINBASE, limits, { pinLast: true }), {
      leaveOut: 1,
      broken: 'sizelimit',
      fits: true,
    });
    const none = fit(transactions, COINBASE, { sizeLimit: 400 }, { pinLast: true });
    assert.deepEqual(none, { leaveOut: 2, broken: 'sizelimit', fits: false });
  });

  test('a coinbase that does not fit alone says so', () => {
    assert.deepEqual(fit([], COINBASE, { weightLimit: 1000 }), {
      leaveOut: 0,
      broken: 'weightlimit',
      fits: false,
    });
  });
});
