/** Contract §4, password options: the original's flags, today's forms, and everything else. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { NO_OPTIONS, parsePassword } from '../../../src/stratum/password.ts';
import type { PasswordOptions } from '../../../src/stratum/password.ts';

const MINIMUM = 64;

function parses(password: unknown, expected: Partial<PasswordOptions>): void {
  assert.deepEqual(
    parsePassword(password, MINIMUM),
    { ...NO_OPTIONS, ...expected },
    String(password),
  );
}

describe('a password', () => {
  it("of 'x', nothing, or no text says nothing", () => {
    for (const password of ['x', '', '   ', 'X', 'secret', undefined, null, 1024, [], {}]) {
      parses(password, {});
    }
  });

  it('takes -d N and --diff N as a fixed difficulty', () => {
    parses('-d 1024', { fixed: 1024 });
    parses('--diff 1024', { fixed: 1024 });
    parses('  --diff=1024 ', { fixed: 1024 });
    parses('-d1024', { fixed: 1024 });
  });

  it('takes --start-diff, --min-diff and --max-diff, together and in any order', () => {
    parses('--max-diff 4096 --start-diff 512 --min-diff 128', { start: 512, min: 128, max: 4096 });
  });

  it('is ignored as a whole for one unknown word among flags', () => {
    parses('x -d 1024', {});
    parses('-d 1024 --verbose', {});
    parses('-d 1024 extra', {});
    parses('-d', {});
    parses('--diff --min-diff 128', {});
  });

  it('takes the forms of today, separated by commas, semicolons or spaces', () => {
    parses('d=1024', { fixed: 1024 });
    parses('diff=1024', { fixed: 1024 });
    parses('D=1024', { fixed: 1024 });
    parses('mindiff=128,maxdiff=4096', { min: 128, max: 4096 });
    parses('min_diff=128;max-diff=4096', { min: 128, max: 4096 });
    parses('sd=512 mindiff=128', { start: 512, min: 128 });
    parses('x,d=1024', { fixed: 1024 });
  });

  it('may hold keys meant for other pools: each is skipped by itself', () => {
    parses('c=LTC,zap=DOGE,d=1024,m=solo', { fixed: 1024 });
    parses('mindiff=abc,maxdiff=4096', { max: 4096 });
  });

  it('is raised to minimum_manual_diff, every option of it', () => {
    parses('-d 1', { fixed: MINIMUM });
    parses('sd=1,mindiff=2,maxdiff=3', { start: MINIMUM, min: MINIMUM, max: MINIMUM });
  });

  it('may ask for a fraction', () => {
    assert.equal(parsePassword('d=0.5', 0.001).fixed, 0.5);
    assert.equal(parsePassword('-d .25', 0.001).fixed, 0.25);
    assert.equal(parsePassword('--diff 1e-2', 0.001).fixed, 0.01);
    parses('d=1024.5', { fixed: 1024.5 });
  });

  it('cannot ask for what is not a positive number', () => {
    for (const value of ['NaN', 'Infinity', '-5', '0', '1e999', '0x400', '', '1_000', '１２８']) {
      parses(`d=${value}`, {});
      parses(`-d ${value}`, {});
    }
  });

  it('never throws and never asks for less than the minimum, whatever was sent', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '-d',
        '--diff',
        '--min-diff',
        'd=',
        'mindiff=',
        'sd=',
        ' ',
        ',',
        ';',
        '=',
        '-',
      ),
      fc.double().map(String),
    );
    const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(fc.oneof(text, fc.anything()), (password) => {
        for (const value of Object.values(parsePassword(password, MINIMUM))) {
          assert.ok(value === undefined || (value >= MINIMUM && value <= 2 ** 53));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
