/**
 * What the project says about its settings is true: the defaults of contract §1 (written out here), the
 * manual config/example.yml, config/minimal.yml, docs/config.md.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { notYetBuilt } from '../../../src/config/built.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { Shape } from '../../../src/config/schema/inspect.ts';
import type { Config } from '../../../src/config/types.ts';
import { COMPONENT_TYPES, SHORT_NAMES } from '../../../src/config/types.ts';

const ROOT = join(import.meta.dirname, '../../..');
const OPTIONS = { algorithms: new Set(['scrypt']) };
const EXAMPLE = readFileSync(join(ROOT, 'config/example.yml'), 'utf8');

function load(text: string, file: string): Config {
  const { settings, errors, warnings } = loadConfig(text, file, OPTIONS);
  assert.deepEqual([errors, warnings], [[], []]);
  return settings!;
}

/** Every key with its default in force: a '#' right before a key (or a dash) is taken off. */
const uncommented = EXAMPLE.replaceAll(/^( *)#(?=[A-Za-z-])/gm, '$1');

/** The examples in force too, in place of the empty value above them. */
const withExamples = uncommented
  .split('\n')
  .filter((line) => !/^ *# /.test(line))
  .join('\n')
  .replaceAll(/^( *[\w-]+:) (?:\[\]|\{\}|null)(?=\n *##)/gm, '$1')
  .replaceAll('##', '');

/** Every required key and every default in the schema, with the path in a file. */
function* leaves(shape: Shape, path: string): Generator<readonly [string, unknown]> {
  for (const [key, field] of shape.fields) {
    const at = `${path}.${key}`;
    if (field.kind === 'object' && !field.nullable) yield* leaves(field, at);
    else if (!field.required) yield [at, field.defaultValue];
  }
}

describe('the manual, config/example.yml', () => {
  it('loads as it is, and needs nothing that is not built', () => {
    const config = load(EXAMPLE, 'example.yml');
    assert.deepEqual(
      config.components.map((part) => part.type),
      ['pool', 'main_chain', 'stratum', 'monitor'],
    );
    const built = new Set(['pool', 'main_chain', 'stratum', 'monitor'] as const);
    assert.deepEqual(notYetBuilt(config, built), []);
  });

  it('has every key of every type with its default', () => {
    const config = load(uncommented, 'example.yml');
    const { settings: plain } = loadConfig(EXAMPLE, 'example.yml', OPTIONS);
    const parts = new Map(config.components.map((part) => [part.type as string, part]));
    for (const type of [...SHORT_NAMES, 'plugin'] as const) {
      const part = parts.get(type);
      assert.ok(part !== undefined, type);
      const block = blockOf(part.key);
      for (const [path, value] of leaves(COMPONENT_TYPES[type].shape, type)) {
        const key = path.slice(path.lastIndexOf('.') + 1);
        assert.match(block, new RegExp(`^ +#${key}:`, 'm'), path);
        const found: unknown = path
          .split('.')
          .slice(1)
          .reduce<unknown>(
            (inner, name) => (inner as Record<string, unknown>)[name],
            part.settings,
          );
        if (path !== 'pool.procname') assert.deepEqual(found, value, path);
      }
    }
    assert.deepEqual(parts.get('pool')?.settings, plain?.pool.settings);
  });

  it('shows every key of the entries of lists and maps, with their defaults', () => {
    const config = load(withExamples, 'example.yml');
    const { loggers, algorithms } = config.pool.settings;
    assert.deepEqual(loggers, [{ type: 'StreamHandler', level: 'info', format: null, listen: [] }]);
    assert.deepEqual(algorithms, {
      scrypt: { module: null, nfactor: null, hashes_per_share: null, diff1: null },
    });
    const [chain] = config.mainChains;
    assert.deepEqual(chain?.settings.coinbase_outputs, [
      {
        field: 'coinbasedevreward',
        amount_field: 'value',
        script_field: 'scriptpubkey',
        address_field: 'address',
        inside_value: true,
      },
    ]);
    assert.ok(config.stratum[0]?.settings.tls?.key_file.endsWith('pool.key'));
    for (const part of config.reporters) {
      if (part.type === 'fanout') continue;
      assert.deepEqual(part.settings.pool_report_configs, [
        { user: 'pool', worker_format_string: '', report_merge: false },
      ]);
    }
  });

  it('has a sentence above every key', () => {
    const lines = EXAMPLE.split('\n');
    for (const [at, line] of lines.entries()) {
      const key = /^ +#{0,2}(?:- )?(\w+):/.exec(line)?.[1];
      const isExampleName = /^ +##(?:donate|chain|scrypt):/.test(line);
      if (key === undefined || key === 'type' || isExampleName) continue;
      assert.match(lines[at - 1]!, /^ +# .*\.$/, line);
    }
  });
});

function blockOf(key: string): string {
  const start = EXAMPLE.search(new RegExp(`^#?${key}:$`, 'm'));
  const end = EXAMPLE.indexOf('\n\n', start);
  return EXAMPLE.slice(start, end === -1 ? undefined : end);
}

describe('the other files', () => {
  it('config/minimal.yml is enough', () => {
    const config = load(readFileSync(join(ROOT, 'config/minimal.yml'), 'utf8'), 'minimal.yml');
    assert.equal(config.stratum[0]?.jobSource, 'LTC');
    assert.equal(config.components.length, 4);
  });

  it('docs/config.md and config/example.yml are what the schema says', () => {
    const tool = join(ROOT, 'tools/gen-config-docs.ts');
    const { status, stderr } = spawnSync(process.execPath, [tool, '--check'], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });

  it('docs/config.md names every key', () => {
    const docs = readFileSync(join(ROOT, 'docs/config.md'), 'utf8');
    for (const type of SHORT_NAMES) {
      for (const [path] of leaves(COMPONENT_TYPES[type].shape, type)) {
        assert.ok(docs.includes(`| \`${path.slice(path.indexOf('.') + 1)}\``), path);
      }
    }
  });
});

describe('the defaults', () => {
  const chain = 'algo: scrypt, currency: X, coinservs: [{port: 1}]';
  const config = load(
    `m: {type: pool}
c: {type: main_chain, pool_address: p, ${chain}}
a: {type: aux_chain, ${chain}}
w: {type: switcher, jobmanagers: [c]}
s: {type: stratum, algo: scrypt}
e: {type: celery}
r: {type: redis}
h: {type: monitor}`,
    'defaults.yml',
  );

  /** Asserts that `settings` has at least what contract §1 says. */
  const has = (settings: object, expected: object): void =>
    assert.partialDeepStrictEqual(settings, expected);

  it('are those of contract §1', () => {
    has(config.pool.settings, {
      procname: 'powerpool_0',
      term_timeout: 10,
      extranonce_serv_size: 4,
      extranonce_size: 4,
      default_component_log_level: 'info',
      events: { enabled: false, host: '127.0.0.1', port: 8125 },
      datagram: { enabled: false, host: '127.0.0.1', port: 6855 },
      server_number: 0,
      ledger: { synchronous: 'normal', retention: { shares: 24 * 3600, slices: 365 * 86400 } },
    });
    has(config.mainChains[0]!.settings, {
      coinservs: [{ username: '', password: '', poll_priority: 0, maxsize: 10 }],
      merged: [],
      block_poll: 0.2,
      job_refresh: 15,
      rpc_ping_int: 2,
      pow_block_hash: false,
      poll: null,
      signal: null,
      payout_drk_mn: true,
      max_blockheight: null,
      ntime_ahead: 7000,
    });
    has(config.auxChains[0]!.settings, {
      enabled: true,
      work_interval: 1,
      rpc_ping_int: 2,
      flush: false,
      send: true,
      pool_address: null,
    });
    has(config.switchers[0]!.settings, { profit_poll_int: 1, margin_switch: 1.2 });
    has(config.stratum[0]!.settings, {
      address: '0.0.0.0',
      port: 3333,
      start_difficulty: 128,
      server_seed: 0,
      reporter: null,
      jobmanager: null,
      idle_worker_threshold: 300,
      idle_worker_disconnect_threshold: 3600,
      push_job_interval: 30,
      aliases: {},
      valid_address_versions: [],
      donate_key: 'donate',
      minimum_manual_diff: 64,
      max_worker_length: 16,
      version_mask: 0x1fffe000,
      vardiff: {
        enabled: false,
        spm_target: 20,
        interval: 30,
        tiers: null,
        minimum_difficulty: 64,
        maximum_difficulty: 524288,
      },
      agent: {
        enabled: false,
        port_diff: 1111,
        timeout: 120,
        accepted_types: ['temp', 'status', 'hashrate', 'thresholds'],
      },
    });
    const [celery, redis] = config.reporters;
    has(celery!.settings, {
      celery_task_prefix: 'simplecoin.tasks',
      celery: { CELERY_DEFAULT_QUEUE: 'celery' },
      share_batch_interval: 60,
      chain: 1,
      attrs: {},
      pool_report_configs: [],
    });
    has(redis!.settings, { chain: 1 });
    has(config.monitors[0]!.settings, {
      address: '127.0.0.1',
      port: 3855,
      JSON_SORT_KEYS: false,
      JSONIFY_PRETTYPRINT_REGULAR: false,
      DEBUG: false,
    });
  });

  it('of what is not built: each component and feature in use is one error', () => {
    const used = load(
      `m: {type: pool, events: {enabled: true}, datagram: {enabled: true}}
c: {type: main_chain, signal: 10, pool_address: p, ${chain}}
a: {type: aux_chain, ${chain}}
s: {type: stratum, algo: scrypt, agent: {enabled: true}, tls: {cert_file: a, key_file: b}}
x: {type: ./x.ts#X}`,
      'used.yml',
    );
    const built = new Set(['pool', 'main_chain', 'stratum', 'tls'] as const);
    assert.deepEqual(
      notYetBuilt(used, built).map((problem) => `${problem.line} ${problem.path}`),
      ['1 m.datagram', '1 m.events', '2 c.signal', '3 a', '4 s.agent', '5 x'],
    );
  });
});
