import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTemplate } from '../../../src/jobs/template.ts';
import type { Template } from '../../../src/jobs/template.ts';
import { jobVersion, rollableBits } from '../../../src/jobs/version.ts';
import { answerOf, fixtureTemplate } from './support.ts';

const plain = fixtureTemplate('bcoin-regtest-segwit');
const templateOf = (change: Record<string, unknown> = {}): Template =>
  parseTemplate(answerOf({ ...plain, version: 0x20000000, ...change }));

/** Every upper half of a version that a miner can make by rolling. */
function upperHalves(version: number, mask: number): Set<number> {
  const upper = mask >>> 16;
  const all = new Set<number>();
  // Walks through the subsets of the mask's bits.
  for (let bits = upper; ; bits = (bits - 1) & upper) {
    all.add((version >>> 16) | bits);
    if (bits === 0) return all;
  }
}

test('no rolled version carries a chain id of the tree', () => {
  const ids = fc.uniqueArray(fc.integer({ min: 0x2000, max: 0x3fff }), { maxLength: 32 });
  const template = templateOf();
  fc.assert(
    fc.property(ids, (chainIds) => {
      const { version, mask, clashes } = jobVersion(template, null, chainIds);
      const reached = upperHalves(version, mask);
      for (const id of chainIds) assert.equal(reached.has(id), clashes.includes(id));
      assert.equal((version & mask) >>> 0, 0, 'no bit of the mask is set');
      assert.equal(version >>> 29, 1, 'still a version of BIP9');
      if (chainIds.length <= 13) assert.deepEqual(clashes, []);
      const usable = chainIds.filter((id) => !clashes.includes(id));
      assert.deepEqual(jobVersion(template, null, usable), { version, mask, clashes: [] });
    }),
  );
});

test('an id that no version can carry leaves the mask alone', () => {
  const template = templateOf();
  const whole = rollableBits(template, null);
  assert.equal(whole, 0x1fffe000);
  for (const ids of [[], [1], [0x62, 0x3f], [0x1fff], [0x4000], [0x12345678]]) {
    assert.deepEqual(jobVersion(template, null, ids), {
      version: 0x20000000,
      mask: whole,
      clashes: [],
    });
  }
});

test('one bit less for one id; the id of the version itself sets a bit', () => {
  const one = jobVersion(templateOf(), null, [0x2001]);
  assert.deepEqual(one, { version: 0x20000000, mask: 0x1ffee000, clashes: [] });
  const own = jobVersion(templateOf(), null, [0x2000]);
  assert.deepEqual(own, { version: 0x30000000, mask: 0x0fffe000, clashes: [] });
});

test('where nothing is rolled, a chain whose id the version carries cannot be mined with it', () => {
  assert.deepEqual(jobVersion(templateOf(), false, [0x2000, 5]).clashes, [0x2000]);
  assert.deepEqual(
    jobVersion(templateOf({ version: 0x00620104 }), null, [0x62, 1]).clashes,
    [0x62],
  );
});
