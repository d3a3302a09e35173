/**
 * The effective configuration loads again to the same settings, and no secret ever stands in it, nor in
 * what the monitor shows.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { dumpConfig } from '../../../src/config/dump.ts';
import { ledgerPath, loadConfig } from '../../../src/config/load.ts';
import { redact } from '../../../src/config/redact.ts';
import type { Config } from '../../../src/config/types.ts';

const FILE = '/etc/pool/config.yml';

function load(text: string, serverNumber = 0): Config {
  const result = loadConfig(text, FILE, { serverNumber });
  assert.deepEqual(result.errors, [], text);
  return result.settings!;
}

const settingsOf = (config: Config): unknown =>
  config.components.map(({ key, type, settings }) => ({ key, type, settings }));

/** JSON is YAML: a file made without the code under test. Big integers stand in hex. */
function json(value: unknown): string {
  const text = JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'bigint' ? `big:0x${item.toString(16)}` : item,
  );
  return text.replaceAll(/"big:(0x[0-9a-f]+)"/g, '$1');
}

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const odd = fc.oneof(
  text,
  fc.constantFrom('yes', 'NO', 'null', '~', '0123', '0x1f', '1e3', '12:30', '<<', '2001-01-01'),
  fc.constantFrom('# no', ' - a', 'a: b', '@x', '%', '=', '|', "'", '"', '*a', '&b', '!c', ''),
);
const name = odd.filter((value) => value !== '');
const positive = fc.double({ min: Number.MIN_VALUE, noNaN: true, noDefaultInfinity: true });
const target = fc.bigInt({ min: 1n, max: (1n << 256n) - 1n });
const port = fc.integer({ min: 1, max: 65535 });
const listening = fc.integer({ min: 1, max: 60_000 });
const nullable = <T>(value: fc.Arbitrary<T>) => fc.option(value);

const daemons = fc.uniqueArray(
  fc.record(
    {
      port,
      address: name,
      username: odd,
      password: odd,
      poll_priority: fc.double({ noNaN: true, noDefaultInfinity: true }),
      zmq: nullable(odd),
    },
    { requiredKeys: ['port'] },
  ),
  { minLength: 1, maxLength: 3, selector: (daemon) => daemon.port },
);

const file = fc.record({
  manager: fc.record({
    type: fc.constant('pool'),
    procname: name,
    server_number: fc.nat(100),
    default_component_log_level: fc.constantFrom('DEBUG', 'warning', 'error'),
    algorithms: fc.dictionary(
      text,
      fc.record({ diff1: nullable(target), hashes_per_share: nullable(positive) }),
      { noNullPrototype: true },
    ),
  }),
  LTC: fc.record({
    type: fc.constant('main_chain'),
    algo: fc.constant('scrypt'),
    currency: name,
    pool_address: name,
    coinservs: daemons,
    diff1: nullable(target),
    rules: nullable(fc.array(name)),
    coinbase_tag: odd,
    poll: nullable(fc.boolean()),
  }),
  multi: fc.record({
    type: fc.constant('switcher'),
    jobmanagers: fc.constant(['LTC']),
    margin_switch: nullable(positive),
    exchange_manager: fc.dictionary(text, fc.jsonValue({ maxDepth: 2 }), { noNullPrototype: true }),
  }),
  s: fc.record({
    type: fc.constant('stratum'),
    algo: fc.constant('scrypt'),
    port: listening,
    version_mask: fc.nat(0xffffffff),
    aliases: fc.dictionary(text, name, { noNullPrototype: true }),
    vardiff: fc.record({ tiers: nullable(fc.array(positive, { minLength: 1 })) }),
    tls: nullable(fc.record({ cert_file: name, key_file: name })),
  }),
  own: fc.record({ type: fc.constant('./mine.ts#Mine'), anything: fc.jsonValue({ maxDepth: 2 }) }),
});

describe('the effective configuration', () => {
  it('loads again to the same settings, whatever they are', () => {
    const pollutes = (value: unknown) => json(value).includes('__proto__');
    fc.assert(
      fc.property(
        file.filter((value) => !pollutes(value)),
        fc.nat(100),
        (value, added) => {
          const config = load(json(value), added);
          const dumped = dumpConfig(config, { showSecrets: true });
          const again = loadConfig(dumped, FILE);
          assert.deepEqual([again.errors, again.warnings], [[], []], dumped);
          assert.deepEqual(settingsOf(again.settings!), settingsOf(config));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('says which port results where a server number shifts it', () => {
    const config = load('{m: {type: pool}, w: {type: monitor, port: 3800}}', 5);
    const dumped = dumpConfig(config, { showSecrets: false });
    assert.match(dumped, /^ {2}server_number: 5$/m);
    assert.match(dumped, /^ {2}procname: powerpool$/m);
    assert.match(dumped, /^ {2}port: 3800 # listens on 3805$/m);
  });

  it('has file names that do not depend on where it is loaded', () => {
    const config = load(
      '{m: {type: pool, ledger: {path: data/ledger}}, c: {type: main_chain, algo: a, currency: c, pool_address: p, coinservs: [{port: 1, cookie_file: ~/.coin/.cookie}]}}',
    );
    assert.equal(ledgerPath(config), '/etc/pool/data/ledger');
    const cookie = config.mainChains[0]!.settings.coinservs[0]!.cookie_file;
    assert.equal(cookie, `${process.env['HOME']}/.coin/.cookie`);
    assert.equal(ledgerPath(load('m: {type: pool}', 3)), '/etc/pool/config-ledger-3');
  });
});

// every place of a configuration that can hold a secret, each with one of its own
const PLANTED = `
m: {type: pool}
LTC:
  type: main_chain
  algo: scrypt
  currency: LTC
  pool_address: public-address
  coinservs:
    - {port: 1, username: public-user, password: S01-secret}
    - {port: 2, password: 4711004711, zmq: "tcp://me:S02-secret@host:1"}
DOGE: {type: aux_chain, algo: scrypt, currency: D, coinservs: [{port: 3, password: S03-secret}]}
multi:
  type: switcher
  jobmanagers: [LTC]
  redis: {password: S04-secret}
  exchange_manager: {api_key: S05-secret, deep: [{authToken: S06-secret, url: "https://a:S07-secret@h/x"}]}
s: {type: stratum, algo: scrypt, donate_key: public-donate, tls: {cert_file: a, key_file: public.pem}}
c: {type: celery, celery: {BROKER_URL: "amqp://u:S08/@secret@rabbit//"}}
c2: {type: celery, celery: {BROKER_URL: "u:S09-secret@rabbit"}}
r: {type: redis, redis: {password: S10-secret}}
p: {type: postgres, password: S11-secret, url: "postgres://h/db?user=a&password=S12-secret"}
mine:
  type: ./mine.ts#Mine
  rpcpassword: S13-secret
  dbPwd: S14-secret
  credentials: {user: S15-secret, list: [S16-secret]}
  endpoint: "redis://:S17-secret@h"
  session_secret: 4711004712
  harmless: public-text
`;
const SECRET = /S\d\d|secret@|471100471/;

describe('a secret', () => {
  it('planted anywhere is not in the dump, and what is no secret is', () => {
    const dumped = dumpConfig(load(PLANTED), { showSecrets: false });
    assert.doesNotMatch(dumped, SECRET);
    for (const word of ['address', 'user', 'donate', 'text']) {
      assert.ok(dumped.includes(`public-${word}`), word);
    }
    assert.match(dumped, /public\.pem/);
    assert.match(dumped, /amqp:\/\/<redacted>@rabbit/);
  });

  it('is in the dump when asked for', () => {
    const dumped = dumpConfig(load(PLANTED), { showSecrets: true });
    for (let number = 1; number <= 17; number++) {
      assert.ok(dumped.includes(`S${String(number).padStart(2, '0')}`), `S${number}`);
    }
    assert.ok(dumped.includes('4711004711') && dumped.includes('4711004712'));
  });

  it('is not in any settings the monitor shows, by short, dotted or class name or without', () => {
    const config = load(PLANTED);
    for (const part of config.components) {
      assert.doesNotMatch(JSON.stringify(redact(part.settings, part.type)), SECRET, part.key);
      assert.doesNotMatch(JSON.stringify(redact(part.settings)), SECRET, part.key);
    }
    const stratum = config.stratum[0]!.settings;
    for (const type of ['stratum', 'powerpool.stratum_server.StratumServer', 'StratumServer']) {
      assert.equal(redact(stratum, type).donate_key, 'public-donate');
    }
  });

  it('empty stays empty, so that one sees that none is set', () => {
    const shown = redact({ redis: { password: '' }, password: null }, 'redis');
    assert.deepEqual(shown, { redis: { password: '' }, password: null });
  });
});
