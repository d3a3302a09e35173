/** Whatever the text, loading ends with problems that have a place, never with an exception. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { stringify } from 'yaml';
import { formatProblems } from '../../../src/config/format.ts';
import { loadConfig } from '../../../src/config/load.ts';

const RIGHT = `manager: {type: pool}
LTC:
  type: main_chain
  algo: scrypt
  currency: LTC
  pool_address: Laddress
  coinservs:
    - {port: 9332, password: x}
s: {type: stratum, algo: scrypt, vardiff: {enabled: yes, tiers: [1, 2]}}
r: {type: powerpool.reporters.RedisReporter, redis: {}}
`;

/** The first problem of a file, as printed. */
function first(text: string): string {
  const { errors } = loadConfig(text, 'f');
  return formatProblems(errors, 'f').split('\n')[0]!;
}

/** Anchors that each stand for ten of the one before: 10^9 values in a few lines. */
function bomb(): string {
  const lines = ['a0: &a0 {type: pool, x: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}'];
  for (let level = 1; level < 10; level++) {
    const tenfold = Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ');
    lines.push(`a${level}: &a${level} {type: "./x.ts#X", x: [${tenfold}]}`);
  }
  return lines.join('\n');
}

describe('YAML that is wrong', () => {
  const table: readonly (readonly [string, string, string])[] = [
    [
      'a tab',
      'a:\n\tb: 1',
      'f:2:1 error: a tab is used for indentation, where YAML allows only spaces',
    ],
    [
      'an open bracket',
      `${RIGHT}x: [1, 2`,
      'f:11:9 error: the indentation does not fit the lines around it, or a bracket is not closed',
    ],
    [
      'a key twice',
      `${RIGHT}s: {type: monitor}\n`,
      'f:11:1 error: the same key stands twice in this map',
    ],
    [
      'a colon in text',
      'manager:\n  type: pool\n  procname: a: b\n',
      'f:3:13 error: a second "key:" on the same line, or text with ": " without quotes',
    ],
    [
      'a second document',
      `${RIGHT}---\na: 1\n`,
      'f:11:1 error: a second document starts here ("---"); the file must be one',
    ],
    [
      'an unknown alias',
      'a: *nobody\n',
      'f:1:4 error: an alias (*name) stands for nothing above it',
    ],
    [
      'an empty file',
      '# nothing\n',
      'f:1:1 error: the file is empty, expected a map from component keys to settings',
    ],
    [
      'a list for a file',
      '- a\n',
      'f:1:1 error: the file is not a map, expected a map from component keys to settings',
    ],
  ];
  for (const [rule, text, line] of table) {
    it(`${rule}: one clear line`, () => assert.equal(first(text), line));
  }

  it('deep nesting is an error, not a stack that overflows', () => {
    assert.match(first('['.repeat(50_000)), /error: the file is nested too deeply$/);
    const flow = `p: {type: "./a.ts#A", x: ${'['.repeat(80)}${']'.repeat(80)}}`;
    assert.match(formatProblems(loadConfig(flow, 'f').errors, 'f'), /nested more than 64 deep/);
  });

  it('a key twice does not hide what else is wrong', () => {
    const { errors } = loadConfig('m: {type: pool, threads: 1, threads: 2, thread: 3}\n', 'f');
    assert.deepEqual(
      errors.map((problem) => problem.message),
      ['the same key stands twice in this map', 'unknown key'],
    );
  });

  it('aliases that would expand without end are cut off, quickly', () => {
    const before = performance.now();
    assert.match(
      formatProblems(loadConfig(bomb(), 'f').errors, 'f'),
      /once all aliases are expand/,
    );
    assert.ok(performance.now() - before < 5000);
  });

  it('an alias inside what it stands for is an error', () => {
    const texts = [
      'p: {type: "./a.ts#A", x: &x [1, *x]}',
      'p: &p\n  type: "./a.ts#A"\n  <<: *p',
      '&root\n<<: *root\n',
      'p: {type: pool}\ndefaults: &d\n  <<: *d\n',
    ];
    for (const text of texts) {
      const printed = formatProblems(loadConfig(text, 'f').errors, 'f');
      assert.match(printed, /an alias stands for something it is part of/, text);
    }
  });

  it('a key named __proto__ is refused and changes nothing', () => {
    const text = RIGHT.replace('redis: {}', 'attrs: {__proto__: {polluted: 1}}');
    assert.match(first(text), /a key must be a name/);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });
});

describe('any text', () => {
  const check = (text: string): void => {
    const { settings, errors, warnings } = loadConfig(text, 'f');
    assert.equal(settings === undefined, errors.length > 0);
    for (const problem of [...errors, ...warnings]) {
      assert.ok(Number.isSafeInteger(problem.line) && Number.isSafeInteger(problem.column));
      assert.ok(problem.message.length > 0 && problem.line >= 0);
    }
  };

  it('of YAML characters', () => {
    const unit = fc.constantFrom(...'{}[]:,-?&*!|>\'"%@`#\n\t ~<=.0x1ab\r\\\u0000é'.split(''));
    fc.assert(fc.property(fc.string({ unit, maxLength: 60 }), check), { numRuns: 1000 });
  });

  it('that is a right file with a piece replaced', () => {
    const piece = fc.string({ unit: fc.constantFrom(...'{}[]:,-&*!|\n \'"x1'.split('')) });
    const edit = fc.tuple(fc.nat(RIGHT.length), fc.nat(20), piece);
    fc.assert(
      fc.property(edit, ([at, length, text]) =>
        check(RIGHT.slice(0, at) + text + RIGHT.slice(at + length)),
      ),
      { numRuns: 500 },
    );
  });

  it('of YAML with the right keys and any values', () => {
    const key = fc.constantFrom('type', 'coinservs', 'vardiff', 'redis', 'merged', 'algo', 'diff1');
    const type = fc.constantFrom('pool', 'main_chain', 'stratum', 'celery', 'switcher', './a#B');
    const value = fc.anything({ withBigInt: true, maxDepth: 3 });
    const component = fc.tuple(fc.dictionary(key, value), type);
    fc.assert(
      fc.property(fc.dictionary(fc.string(), component), (parts) => {
        const file = Object.fromEntries(
          Object.entries(parts).map(([name, [settings, of]]) => [name, { ...settings, type: of }]),
        );
        check(stringify(file, { version: '1.1' }));
      }),
      { numRuns: 300 },
    );
  });
});
