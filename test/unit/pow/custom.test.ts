/** A user's own hash function is an algorithm like any other; what is wrong with one is said by name. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadCustom } from '../../../src/pow/custom.ts';
import { MEETS_MAIN, ShareChecker } from '../../../src/pow/checker.ts';
import { selfTest } from '../../../src/pow/self-test.ts';
import { bytesLE, headerOf, integerLE } from './reference.ts';

const directory = mkdtempSync(join(tmpdir(), 'powerpool-custom-'));
after(() => {
  rmSync(directory, { recursive: true });
});

writeFileSync(
  join(directory, 'my-hash.ts'),
  `import { createHash } from 'node:crypto';
export const hash = (header: Uint8Array): Uint8Array => createHash('sha3-256').update(header).digest();
export const greedy = (header: Uint8Array): Uint8Array => { header.fill(0); return hash(header); };
export const short = (): Uint8Array => new Uint8Array(31);
export const broken = (): never => { throw new Error('out of magic'); };
export const value = 7;
`,
);

const load = (exported: string): ReturnType<typeof loadCustom> =>
  loadCustom('mine', `./my-hash.ts#${exported}`, directory);

const job = {
  id: 'job',
  coinb1: randomBytes(99),
  coinb2: randomBytes(77),
  extranonceSize: 8,
  branch: randomBytes(96),
  prevHashLE: randomBytes(32),
  bits: 0x207fffff,
  targetLE: bytesLE((1n << 255n) - 1n),
  aux: [],
};

test('its hash is asked for each share, and judged', async () => {
  const { createHash } = await import('node:crypto');
  const checker = ShareChecker.load(await load('hash'));
  const slot = checker.addJob(job);
  checker.extranonces.set(randomBytes(checker.extranonces.length));
  checker.run(slot, 9);
  for (let i = 0; i < 9; i++) {
    const expected = createHash('sha3-256')
      .update(headerOf(checker, job, i))
      .digest();
    assert.deepEqual(Buffer.from(checker.hashes.subarray(i * 32, i * 32 + 32)), expected);
    assert.equal(checker.flags[i]! & MEETS_MAIN, integerLE(expected) < 1n << 255n ? MEETS_MAIN : 0);
  }
  const header = randomBytes(80);
  const expected = createHash('sha3-256').update(header).digest();
  assert.deepEqual(Buffer.from(checker.hashHeader(header)), expected);
  assert.equal(selfTest(checker, 1).known, false);
});

test('a function that writes to its header changes its own copy only', async () => {
  const checker = ShareChecker.load(await load('greedy'));
  const slot = checker.addJob(job);
  checker.run(slot, 1);
  assert.deepEqual(Buffer.from(checker.headers.subarray(0, 80)), headerOf(checker, job, 0));
});

test('a function that throws or returns something else is an error that names the algorithm', async () => {
  for (const [exported, message] of [
    ['short', /mine: the hash function returned 31 bytes, expected/],
    ['broken', /mine: the hash function threw: out of magic/],
  ] as const) {
    const checker = ShareChecker.load(await load(exported));
    const slot = checker.addJob(job);
    assert.throws(() => checker.run(slot, 1), { code: 'custom-failed', message });
    assert.throws(() => selfTest(checker, 1), { code: 'custom-failed', message });
  }
});

test('a module that is not there, or exports no function, is an error that says so', async () => {
  const rejected = (module: string, message: RegExp): Promise<void> =>
    assert.rejects(loadCustom('mine', module, directory), { code: 'custom-module', message });
  await rejected('./none.ts#hash', /mine: module \.\/none\.ts .* cannot be loaded/);
  await rejected('no-such-package#hash', /no-such-package/);
  await rejected('./my-hash.ts#value', /exports number as "value", expected a function/);
  await rejected('./my-hash.ts#none', /exports undefined as "none"/);
  await rejected('#hash', /expected "\.\/file\.ts#function"/);
  await rejected('a#b#c', /expected "\.\/file\.ts#function"/);
});
