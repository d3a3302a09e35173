/**
 * Files written for the original: dotted types, and the liberties they take, which contract §1 lists. The
 * expected settings are written out here by hand.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatProblems } from '../../../src/config/format.ts';
import type { LoadOptions, LoadResult } from '../../../src/config/load.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/types.ts';

const OLD_FILE = `
defaults:
    powerpool.stratum_server.StratumServer:
        vardiff: {enabled: True, interval: 60}
        aliases: {donate: Ldonate}

powerpool:
    type: powerpool.main.PowerPool
    procname: simplemulti
    server_number: 1
    term_timeout: 3
    default_component_log_level: WARNING
    algorithms:
        scrypt: {module: ltc_scrypt.getPoWHash, hashes_per_share: 0x10000}
    loggers:
        - {type: FileHandler, level: DEBUG, filename: pool.log, listen: [LTC]}
    events: {enabled: yes, host: 10.0.0.9}
    datagram: {enabled: on}

LTC:
    type: powerpool.jobmanagers.MonitorNetwork
    algo: scrypt
    currency: LTC
    pool_address: LVg2kJoFNg45Nbpy53h7Fe1wKyeXVRhMH9
    diff1: 0x0000FFFF00000000000000000000000000000000000000000000000000000001
    signal: 012
    max_blockheight:
    coinservs:
        - &daemon
          address: 127.0.0.1
          port: 19332
          username:
          password: 0123
          poll_priority: 100
        - <<: *daemon
          port: 19333
          password: 123
          maxsize: 50
    merged: [DOGE, DOG]

DOGE:
    type: powerpool.jobmanagers.MonitorAuxNetwork
    log_level: debug
    algo: scrypt
    currency: DOGE
    poll: False
    pool: x
    flush: True
    coinservs:
        - {address: localhost, port: 22555, username: yes, password: 1e5}

multi:
    type: powerpool.jobmanagers.switching_jobmanager.MonitorNetworkMulti
    algo: scrypt
    jobmanagers: [LTC, VTC]
    margin_switch: False
    exchange_manager: {interval: 10, key: abc}
    redis: {}

3333:
    type: powerpool.stratum_server.StratumServer
    algo: scrypt
    reporter: both
    valid_address_versions: [48, 0x05]
    aliases:
        bob: 42
    agent:
        enabled: True
    vardiff:
        interval: 30
    server_seed:
        0
cel:
    type: powerpool.reporters.CeleryReporter
    celery:
        broker_url: amqp://user:pw@rabbit//
        CELERY_DEFAULT_QUEUE: NO
        CELERY_RESULT_BACKEND: redis
    pool_report_configs:
        - {user: pool, worker_format_string: "{algo}_{chain}", report_merge: True}
    attrs: {chain: 01}
red:
    type: powerpool.reporters.RedisReporter
    chain: 2
    redis: {password: True, db: 3, socket_timeout: 5}
both:
    type: powerpool.reporters.DoubleReporter
    reporters: [cel, red]
mon:
    type: powerpool.monitor.ServerMonitor
    DEBUG: True
    SECRET_KEY: very-secret
`;

const OPTIONS: LoadOptions = { algorithms: new Set(['scrypt']) };

function load(text: string, options: LoadOptions = OPTIONS): Config {
  const result: LoadResult = loadConfig(text, '/etc/pool/config.yml', options);
  assert.deepEqual(result.errors, []);
  return result.settings!;
}

describe('a file of the original', () => {
  it('loads, with a warning for each thing that means nothing here', () => {
    const { errors, warnings } = loadConfig(OLD_FILE, 'config.yml', OPTIONS);
    assert.deepEqual(errors, []);
    assert.deepEqual(formatProblems(warnings, 'config.yml').trimEnd().split('\n'), [
      'config.yml:16:45 warning: powerpool.loggers[0].filename: unknown key, found "pool.log", expected one of type, level, format, listen',
      'config.yml:39:20 warning: LTC.merged[1]: no component has this key and is left out, found "DOG", expected the key of a component of type aux_chain, did you mean "DOGE"?',
      'config.yml:47:5 warning: DOGE.pool: unknown key, found "x", expected a key of type aux_chain, did you mean "poll"?',
      'config.yml:54:5 warning: multi.algo: unknown key, found "scrypt", expected one of log_level, jobmanagers, profit_poll_int, margin_switch, redis, exchange_manager',
      'config.yml:55:24 warning: multi.jobmanagers[1]: no component has this key and is left out, found "VTC", expected the key of a component of type main_chain, did you mean "LTC"?',
      'config.yml:78:9 warning: cel.celery.CELERY_RESULT_BACKEND: unknown key, found "redis", expected one of BROKER_URL, BROKER_USE_SSL, CELERY_DEFAULT_QUEUE, CELERY_DEFAULT_EXCHANGE, CELERY_DEFAULT_ROUTING_KEY, CELERY_TASK_PROTOCOL',
      'config.yml:85:36 warning: red.redis.socket_timeout: unknown key, found 5, expected one of host, port, db, username, password, unix_socket_path, ssl, ssl_ca_certs, sentinels, service_name, sentinel_password',
      'config.yml:92:5 warning: mon.SECRET_KEY: unknown key, found a string (<redacted>), expected one of log_level, address, port, JSON_SORT_KEYS, JSONIFY_PRETTYPRINT_REGULAR, DEBUG',
    ]);
  });

  it('is understood: every kind of component, in the order of the file', () => {
    const config = load(OLD_FILE);
    assert.deepEqual(
      config.components.map((part) => `${part.index} ${part.key} ${part.type} ${part.line}`),
      [
        '0 powerpool pool 7',
        '1 LTC main_chain 20',
        '2 DOGE aux_chain 41',
        '3 multi switcher 52',
        '4 3333 stratum 60',
        '5 cel celery 73',
        '6 red redis 82',
        '7 both fanout 86',
        '8 mon monitor 89',
      ],
    );
    assert.equal(config.pool.declaredType, 'powerpool.main.PowerPool');
    assert.deepEqual(
      config.reporters.map((part) => part.key),
      ['cel', 'red', 'both'],
    );
  });

  it('keeps text as it is written, blank names blank, numbers as YAML 1.1 has them', () => {
    const config = load(OLD_FILE);
    const [first, second] = config.mainChains[0]!.settings.coinservs;
    assert.deepEqual(first, {
      address: '127.0.0.1',
      port: 19332,
      username: '',
      password: '0123',
      cookie_file: null,
      poll_priority: 100,
      maxsize: 10,
      zmq: null,
    });
    assert.deepEqual({ ...second }, { ...first, port: 19333, password: '123', maxsize: 50 });
    const [aux] = config.auxChains[0]!.settings.coinservs;
    assert.deepEqual([aux?.username, aux?.password], ['yes', '1e5']);
    assert.equal(config.mainChains[0]!.settings.signal, 10);
    assert.equal(config.mainChains[0]!.settings.max_blockheight, null);
    assert.equal(config.auxChains[0]!.settings.poll, false);
    assert.equal(config.auxChains[0]!.settings.log_level, 'debug');
    assert.equal(config.pool.settings.algorithms['scrypt']?.hashes_per_share, 65536);
    assert.equal(config.pool.settings.default_component_log_level, 'warn');
    assert.equal(config.pool.settings.events.enabled, true);
    assert.deepEqual(config.stratum[0]!.settings.valid_address_versions, [48, 5]);
    assert.deepEqual(config.switchers[0]!.settings.margin_switch, null);
    assert.deepEqual(config.switchers[0]!.settings.exchange_manager, { interval: 10, key: 'abc' });
    const [celery, redis] = config.reporters;
    assert.ok(celery?.type === 'celery' && redis?.type === 'redis');
    assert.equal(celery.settings.celery.BROKER_URL, 'amqp://user:pw@rabbit//');
    assert.equal(celery.settings.celery.CELERY_DEFAULT_QUEUE, 'NO');
    assert.deepEqual(celery.settings.attrs, { chain: '01' });
    assert.equal(redis.settings.redis.password, 'True');
    assert.equal(redis.settings.redis.db, 3);
  });

  it('keeps every bit of a 256-bit integer', () => {
    assert.equal(load(OLD_FILE).mainChains[0]!.settings.diff1, (0xffffn << 224n) + 1n);
    const decimal = OLD_FILE.replace(/0x0000FFFF0+1/, ((0xffffn << 208n) + 3n).toString());
    assert.equal(load(decimal).mainChains[0]!.settings.diff1, (0xffffn << 208n) + 3n);
  });

  it('drops what it warned of, and joins what it names', () => {
    const config = load(OLD_FILE);
    assert.deepEqual(config.mainChains[0]!.settings.merged, ['DOGE']);
    assert.deepEqual(config.switchers[0]!.settings.jobmanagers, ['LTC']);
    assert.equal(config.stratum[0]!.settings.jobmanager, null);
    assert.equal(config.stratum[0]!.jobSource, 'multi');
    assert.ok(!('algo' in config.switchers[0]!.settings));
  });

  it("lays a component's own settings over the defaults of its type, map by map", () => {
    const { settings } = load(OLD_FILE).stratum[0]!;
    assert.deepEqual([settings.vardiff.enabled, settings.vardiff.interval], [true, 30]);
    assert.deepEqual(settings.aliases, { donate: 'Ldonate', bob: '42' });
  });

  it('shifts every port by the sum of both server numbers, and names the process by it', () => {
    const config = load(OLD_FILE, { ...OPTIONS, serverNumber: 2 });
    assert.equal(config.pool.settings.server_number, 3);
    assert.equal(config.pool.settings.procname, 'simplemulti_3');
    assert.equal(config.pool.settings.datagram.port, 6858);
    assert.equal(config.pool.settings.events.port, 8125);
    assert.equal(config.stratum[0]!.settings.port, 3336);
    assert.equal(config.monitors[0]!.settings.port, 3858);
  });

  it('has _0 in its name without any server number, and a port 0 is never shifted', () => {
    const config = load(
      'm: {type: pool}\nl: {type: main_chain, algo: scrypt, currency: L, pool_address: x, coinservs: [{port: 1}]}\ns: {type: stratum, algo: scrypt, port: 0}\nt: {type: stratum, algo: scrypt, port: 0}',
    );
    assert.equal(config.pool.settings.procname, 'powerpool_0');
    const shifted = load(
      'm: {type: pool, server_number: 7}\nl: {type: main_chain, algo: scrypt, currency: L, pool_address: x, coinservs: [{port: 1}]}\ns: {type: stratum, algo: scrypt, port: 0}',
    );
    assert.equal(shifted.stratum[0]!.settings.port, 0);
  });

  it('is frozen to the bottom', () => {
    const config = load(OLD_FILE);
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen));
    assert.ok(frozen(config));
  });

  it('under a short name the same liberties are errors', () => {
    const text = OLD_FILE.replace('powerpool.jobmanagers.MonitorNetwork\n', 'main_chain\n')
      .replace('powerpool.jobmanagers.MonitorAuxNetwork', 'aux_chain')
      .replace(/powerpool\.jobmanagers\.switching\S+/, 'switcher');
    const { errors } = loadConfig(text, 'config.yml', OPTIONS);
    assert.deepEqual(
      errors.map((problem) => problem.path),
      ['DOGE.pool', 'multi.algo', 'LTC.merged[1]', 'multi.jobmanagers[1]'],
    );
  });
});
