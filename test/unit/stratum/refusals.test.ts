/** The table of refusals against the contract's codes, texts and counters, and against the documentation. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ACCEPTED, errorOf, REFUSALS } from '../../../src/stratum/refusals.ts';
import type { Refusal } from '../../../src/stratum/refusals.ts';

const all = Object.entries(REFUSALS) as [string, Refusal][];
const documentation = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');

/** Cells of the rows below the heading `## Errors`. */
function documented(): string[][] {
  const section = documentation.slice(documentation.indexOf('\n## Errors\n'));
  return section
    .split('\n')
    .filter((line) => /^\| (?!name |-)/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe('the refusals', () => {
  it('are exactly those that docs/protocol.md lists', () => {
    const expected = all.map(([name, refusal]) => [
      name,
      String(refusal.code),
      refusal.text,
      refusal.reason,
      [refusal.counter, refusal.countCounter]
        .filter((counter) => counter !== undefined)
        .map((counter) => `\`${counter}\``)
        .join(', '),
      refusal.closes === true ? 'closed' : 'stays',
    ]);
    assert.deepEqual(documented(), expected);
  });

  it('carry the text and the counter that the contract gives their code', () => {
    const contract: Record<number, [text: string, counter: string]> = {
      20: ['Other/Unknown', 'unk_err'],
      21: ['Job not found (=stale)', 'reject_stale_share_n1'],
      22: ['Duplicate share', 'reject_dup_share_n1'],
      23: ['Low difficulty share', 'reject_low_share_n1'],
      24: ['Unauthorized worker', 'not_authed_err'],
      25: ['Not subscribed', 'not_subbed_err'],
    };
    for (const [name, refusal] of all) {
      assert.deepEqual([refusal.text, refusal.counter], contract[refusal.code], name);
    }
    assert.deepEqual(
      new Set(all.map(([, refusal]) => String(refusal.code))),
      new Set(Object.keys(contract)),
    );
  });

  it('of shares count both difficulty and number, and have a kind in the ledger', () => {
    const shares = all.filter(([, refusal]) => refusal.share !== undefined);
    assert.deepEqual(
      shares.map(([name, { share, counter, countCounter }]) => [
        name,
        share,
        counter,
        countCounter,
      ]),
      [
        ['stale', 3, 'reject_stale_share_n1', 'reject_stale_share_count'],
        ['duplicate', 1, 'reject_dup_share_n1', 'reject_dup_share_count'],
        ['lowDifficulty', 2, 'reject_low_share_n1', 'reject_low_share_count'],
      ],
    );
    assert.deepEqual(ACCEPTED, { counter: 'acc_share_n1', countCounter: 'acc_share_count' });
  });

  it('are written as [code, text, null]', () => {
    assert.equal(JSON.stringify(errorOf(REFUSALS.duplicate)), '[22,"Duplicate share",null]');
  });
});
