/** What `check` knows of a merge-mining configuration without starting. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config/load.ts';
import { silentLog } from '../../src/log.ts';
import { auxChains } from '../../src/pool-aux.ts';
import { checkConfig } from '../../src/pool-checks.ts';
import { MemoryBlockLog } from './jobs/support.ts';

const daemon = (port: number) => [{ port, username: 'u', password: 'p' }];

function problemsOf(
  main: Readonly<Record<string, unknown>>,
  aux: Readonly<Record<string, unknown>> = {},
  manager: Readonly<Record<string, unknown>> = {},
): readonly string[] {
  const text = JSON.stringify({
    manager: { type: 'pool', ...manager },
    LTC: {
      type: 'main_chain',
      algo: 'scrypt',
      currency: 'LTC',
      pool_address: 'LVg2kJoFNg45Nbpy53h7Fe1wKyeXVRhMH9',
      merged: ['DOGE'],
      coinservs: daemon(9332),
      ...main,
    },
    DOGE: {
      type: 'aux_chain',
      algo: 'scrypt',
      currency: 'DOGE',
      coinservs: daemon(22555),
      ...aux,
    },
    stratum: { type: 'stratum', algo: 'scrypt', port: 3333 },
  });
  const { settings, errors } = loadConfig(text, '/pool/config.yml');
  assert.deepEqual(errors, []);
  assert.ok(settings !== undefined);
  return checkConfig(settings).map(({ path, message }) => `${path}: ${message}`);
}

test('an aux chain is part of this version', () => {
  assert.deepEqual(problemsOf({}), []);
  assert.deepEqual(problemsOf({}, { pool_address: 'DDogepartyxxxxxxxxxxxxxxxxxxw1dfzr' }), []);
});

test('a coinbase script that is too long with the merge-mining tag is an error at start', () => {
  const long = { coinbase_tag: 'x'.repeat(31) };
  const [problem, ...more] = problemsOf(long);
  assert.deepEqual(more, []);
  assert.match(problem!, /^LTC.coinbase_tag: .* 101 bytes .*merge-mining tag 45.*shorten/);
  assert.deepEqual(problemsOf(long, { enabled: false }), []);
  assert.deepEqual(problemsOf({ ...long, merged: [] }), []);
  const wide = { extranonce_serv_size: 8, extranonce_size: 8 };
  assert.deepEqual(problemsOf({ coinbase_tag: 'x'.repeat(22) }, {}, wide), []);
  assert.equal(problemsOf({ coinbase_tag: 'x'.repeat(23) }, {}, wide).length, 1);
});

test('the configuration in docs/merge-mining.md passes', () => {
  const page = readFileSync(new URL('../../docs/merge-mining.md', import.meta.url), 'utf8');
  const [, text] = /```yaml\n([^]*?)```/.exec(page)!;
  const { settings, errors, warnings } = loadConfig(text!, '/pool/config.yml');
  assert.deepEqual([...errors, ...warnings], []);
  assert.deepEqual(checkConfig(settings!), []);
  assert.equal(settings!.auxChains.length, 3);
});

test('aux chains that are not enabled, or that nobody names, are left out and said to be', () => {
  const aux = (more: Record<string, unknown>) => ({
    type: 'aux_chain',
    algo: 'scrypt',
    currency: 'X',
    coinservs: daemon(1),
    ...more,
  });
  const text = JSON.stringify({
    manager: { type: 'pool' },
    LTC: {
      type: 'main_chain',
      algo: 'scrypt',
      currency: 'LTC',
      pool_address: 'LVg2kJoFNg45Nbpy53h7Fe1wKyeXVRhMH9',
      merged: ['ON', 'OFF'],
      coinservs: daemon(9332),
    },
    ON: aux({}),
    OFF: aux({ enabled: false, coinservs: daemon(2) }),
    ALONE: aux({ coinservs: daemon(3) }),
    stratum: { type: 'stratum', algo: 'scrypt', port: 3333 },
  });
  const { settings } = loadConfig(text, '/pool/config.yml');
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (message: string) => warnings.push(message) };
  const built = auxChains(settings!, {
    blockLog: new MemoryBlockLog(),
    clock: systemClock,
    log,
    logOf: () => silentLog,
  });
  assert.deepEqual(
    built.map(({ chain }) => chain.key),
    ['ON'],
  );
  assert.deepEqual(warnings, [
    'aux chain OFF is not mined: it is not enabled',
    'aux chain ALONE is not mined: no main chain names it under merged',
  ]);
});
