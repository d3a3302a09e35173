/** docs/algorithms.md: its table is the one in the code, and its worked example works as printed. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse } from 'yaml';
import { ALGORITHMS } from '../../../src/pow/algorithms.ts';
import { MEETS_MAIN, ShareChecker } from '../../../src/pow/checker.ts';
import { loadCustom } from '../../../src/pow/custom.ts';
import { selfTest } from '../../../src/pow/self-test.ts';
import { bytesLE, headerOf, integerLE } from './reference.ts';

const text = readFileSync(new URL('../../../docs/algorithms.md', import.meta.url), 'utf8');
const directory = mkdtempSync(join(tmpdir(), 'powerpool-docs-'));
after(() => {
  rmSync(directory, { recursive: true });
});

/** The first code block of that language. */
function example(language: string): string {
  const block = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(text);
  assert.ok(block, `no ${language} block`);
  return block[1]!;
}

test('the table has every algorithm, with its hashes a share, divisor and other names', () => {
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const names = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((m) => m[1]!);
  const documented = rows.map((cells) => ({
    name: names(cells[1]!)[0] ?? '',
    hashesPerShare: 2 ** Number(/^2\^(\d+)$/.exec(cells[4]!)?.[1]),
    minerDivisor: Number(cells[5]),
    aliases: names(cells[6]!).toSorted(),
  }));
  const built = ALGORITHMS.map(({ name, hashesPerShare, minerDivisor, aliases }) => ({
    name,
    hashesPerShare,
    minerDivisor,
    aliases: [...aliases].toSorted(),
  }));
  const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
  assert.deepEqual(documented.toSorted(byName), built.toSorted(byName));
});

test('the worked example is loaded as its configuration says, and hashes shares', async () => {
  writeFileSync(join(directory, 'my-hash.ts'), example('ts'));
  const settings = parse(example('yaml')) as {
    algorithms: Record<string, { module: string; hashes_per_share: number }>;
  };
  const [name, own] = Object.entries(settings.algorithms)[0]!;
  const row = await loadCustom(name, own.module, directory);
  assert.equal(row.hashesPerShare, own.hashes_per_share);
  const checker = ShareChecker.load(row);
  assert.equal(selfTest(checker, 1).known, false);
  const job = {
    id: 'job',
    coinb1: randomBytes(80),
    coinb2: randomBytes(60),
    extranonceSize: 8,
    branch: randomBytes(64),
    prevHashLE: randomBytes(32),
    bits: 0x207fffff,
    targetLE: bytesLE((1n << 255n) - 1n),
    aux: [],
  };
  const slot = checker.addJob(job);
  checker.extranonces.set(randomBytes(checker.extranonces.length));
  checker.run(slot, 20);
  const sha3 = (bytes: Uint8Array): Buffer => createHash('sha3-256').update(bytes).digest();
  for (let i = 0; i < 20; i++) {
    const expected = sha3(sha3(headerOf(checker, job, i)));
    assert.deepEqual(Buffer.from(checker.hashes.subarray(i * 32, i * 32 + 32)), expected);
    assert.equal(checker.flags[i]! & MEETS_MAIN, integerLE(expected) < 1n << 255n ? MEETS_MAIN : 0);
  }
});
