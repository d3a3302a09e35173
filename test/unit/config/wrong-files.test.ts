/** A table of wrong files and the very lines that the command line prints for them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatProblems } from '../../../src/config/format.ts';
import { loadConfig } from '../../../src/config/load.ts';

const ALGORITHMS = new Set(['scrypt', 'sha256', 'x11']);

/** A whole, right file but for `extra` at the end of it. */
const around = (extra: string): string => `manager: {type: pool}
LTC:
  type: main_chain
  algo: scrypt
  currency: LTC
  pool_address: Laddress
  coinservs: [{port: 9332}]
${extra}`;

const STRATUM = 's: {type: stratum, algo: scrypt}\n';

interface Case {
  readonly rule: string;
  readonly file: string;
  readonly lines: readonly string[];
  readonly serverNumber?: number;
}

const CASES: readonly Case[] = [
  {
    rule: 'an unknown key in a list names the known one most like it',
    file: `manager: {type: pool}
LTC:
  type: main_chain
  algo: scrypt
  currency: LTC
  pool_address: Laddress
  coinservs:
    - port: 9332
    - port: 9333
      prot: 3
`,
    lines: [
      'f:10:7 error: LTC.coinservs[1].prot: unknown key, found 3, expected one of address, port, username, password, cookie_file, poll_priority, maxsize, zmq, did you mean "port"?',
    ],
  },
  {
    rule: 'a key that belongs into a section is shown where it belongs',
    file: around('s:\n  type: stratum\n  algo: scrypt\n  spm_target: 5\n'),
    lines: [
      'f:11:3 error: s.spm_target: unknown key, found 5, expected a key of type stratum, did you mean "vardiff.spm_target"?',
    ],
  },
  {
    rule: 'all missing keys are named at once, at the component',
    file: 'manager: {type: pool}\nLTC:\n  type: main_chain\n',
    lines: [
      'f:2:1 error: LTC.coinservs: required key is missing, expected a list of at least one daemon',
      'f:2:1 error: LTC.algo: required key is missing, expected text, not empty',
      'f:2:1 error: LTC.currency: required key is missing, expected text, not empty',
      'f:2:1 error: LTC.pool_address: required key is missing, expected text, not empty',
    ],
  },
  {
    rule: 'a key missing inside a list is placed at the entry',
    file: around('').replace('{port: 9332}', '{port: 1}, {username: me}'),
    lines: [
      'f:7:26 error: LTC.coinservs[1].port: required key is missing, expected a port (1 to 65535)',
    ],
  },
  {
    rule: 'wrong types and ranges say what was found and what was expected',
    file: around(`s:
  type: stratum
  algo: scrypt
  port: 99999
  start_difficulty: 0
  strict: maybe
  aliases: [a, b]
  vardiff:
    enabled: 1
    per: worke
    tiers: []
  tls: {cert_file: a.pem}
`),
    lines: [
      'f:11:9 error: s.port: wrong value, found 99999, expected a port (0 to 65535)',
      'f:12:21 error: s.start_difficulty: wrong value, found 0, expected a number greater than 0',
      'f:13:11 error: s.strict: wrong value, found "maybe", expected true or false',
      'f:14:12 error: s.aliases: wrong value, found a list of 2, expected a map, each value text, not empty',
      'f:16:14 error: s.vardiff.enabled: wrong value, found 1, expected true or false',
      'f:17:10 error: s.vardiff.per: wrong value, found "worke", expected one of address, worker, did you mean "worker"?',
      'f:18:12 error: s.vardiff.tiers: wrong value, found an empty list, expected a list of numbers greater than 0, or null',
      'f:19:8 error: s.tls.key_file: required key is missing, expected text, not empty',
    ],
  },
  {
    rule: 'an integer beyond 256 bits is no target, and is shown with its digits',
    file: around('').replace('algo:', `diff1: 0x1${'0'.repeat(64)}\n  algo:`),
    lines: [
      `f:4:10 error: LTC.diff1: wrong value, found ${(1n << 256n).toString().slice(0, 80)}, expected an integer from 1 to 2^256 - 1, or null`,
    ],
  },
  {
    rule: 'an unknown type names the nearest, a class name its short type',
    file: `${around('')}a: {type: stratun}\nb: {type: powerpool.stratum.StratumServer}\nc: {port: 1}\nd: 5\n`,
    lines: [
      'f:8:11 error: a.type: unknown type, found "stratun", expected one of pool, main_chain, aux_chain, switcher, stratum, celery, redis, postgres, fanout, monitor, or ./file.ts#Class of your own, did you mean "stratum"?',
      'f:9:11 error: b.type: unknown type, found "powerpool.stratum.StratumServer", expected one of pool, main_chain, aux_chain, switcher, stratum, celery, redis, postgres, fanout, monitor, or ./file.ts#Class of your own, did you mean "stratum"?',
      'f:10:1 error: c.type: required key is missing, expected one of pool, main_chain, aux_chain, switcher, stratum, celery, redis, postgres, fanout, monitor, or ./file.ts#Class of your own',
      'f:11:1 error: d: not a component, expected a map with type and settings',
    ],
  },
  {
    rule: 'there is exactly one manager',
    file: `${around('')}other: {type: pool}\n`,
    lines: [
      'f:8:1 error: other: a second manager, expected only one component with "type: pool", which is manager',
    ],
  },
  {
    rule: 'a file without a manager says so once',
    file: 'm: {type: monitor}\n',
    lines: ['f error: there is no manager, expected one component with "type: pool"'],
  },
  {
    rule: 'references name components that exist and fit',
    file: `${around('  merged: [DOG, m, DOGE, DOGE]\n')}DOGE:
  type: aux_chain
  algo: scrypt
  currency: DOGE
  coinservs: [{port: 1}]
m: {type: monitor}
r: {type: redis}
s: {type: stratum, algo: scrypt, jobmanager: DOGE, reporter: redi}
both: {type: fanout, reporters: [r, x, both]}
`,
    lines: [
      'f:8:12 error: LTC.merged[0]: no component has this key, found "DOG", expected the key of a component of type aux_chain, did you mean "DOGE"?',
      'f:8:17 error: LTC.merged[1]: a component of the wrong type, found "m" of type monitor, expected the key of a component of type aux_chain',
      'f:8:26 error: LTC.merged[3]: named twice, found "DOGE", expected each only once',
      'f:16:46 error: s.jobmanager: a component of the wrong type, found "DOGE" of type aux_chain, expected the key of a component of type main_chain, switcher',
      'f:16:62 error: s.reporter: no component has this key, found "redi", expected the key of a component of type celery, redis, postgres, fanout',
      'f:17:37 error: both.reporters[1]: no component has this key, found "x", expected the key of a component of type celery, redis, postgres, did you mean "r"?',
      'f:17:40 error: both.reporters[2]: a component of the wrong type, found "both" of type fanout, expected the key of a component of type celery, redis, postgres',
    ],
  },
  {
    rule: 'a port has to name its chain when there are several',
    file: `${around('')}BTC: {type: main_chain, algo: scrypt, currency: BTC, pool_address: x, coinservs: [{port: 8332}]}\n${STRATUM}`,
    lines: [
      'f:9:1 error: s.jobmanager: there are several chains to mine, found nothing, expected one of LTC, BTC',
    ],
  },
  {
    rule: 'a port needs a chain',
    file: `manager: {type: pool}\n${STRATUM}`,
    lines: [
      'f:2:1 error: s.jobmanager: there is no chain to mine, found nothing, expected a component of type main_chain',
    ],
  },
  {
    rule: 'algorithms are known, and those of port, chain and aux chain agree',
    file: `${around('  merged: [DOGE]\n')}DOGE: {type: aux_chain, algo: x11, currency: D, coinservs: [{port: 1}]}
s: {type: stratum, algo: sha256}
t: {type: stratum, algo: skrypt, port: 3334}
`,
    lines: [
      'f:9:31 error: DOGE.algo: not the algorithm of LTC, found "x11", expected "scrypt"',
      'f:10:26 error: s.algo: not the algorithm of LTC, found "sha256", expected "scrypt"',
      'f:11:26 error: t.algo: unknown algorithm, found "skrypt", expected one of scrypt, sha256, x11, did you mean "scrypt"?',
      'f:11:26 error: t.algo: not the algorithm of LTC, found "skrypt", expected "scrypt"',
    ],
  },
  {
    rule: 'two listeners on one address and port, agents included',
    file: around(`a: {type: stratum, algo: scrypt, agent: {enabled: true, port_diff: 522}}
b: {type: stratum, algo: scrypt, address: 10.0.0.1}
c: {type: stratum, algo: scrypt, address: 10.0.0.1, port: 4000}
d: {type: stratum, algo: scrypt, address: 10.0.0.2, port: 4000}
m: {type: monitor}
`),
    lines: [
      'f:9:1 error: b.port: a listens there already, found TCP 10.0.0.1:3333, expected an address and port of its own',
      'f:12:1 error: m.port: a listens there already, found TCP 127.0.0.1:3855, expected an address and port of its own',
    ],
  },
  {
    rule: 'ports stay ports once the server number is added',
    file: around(
      `s: {type: stratum, algo: scrypt, port: 65000, agent: {enabled: true, port_diff: 400}}\n`,
    ),
    serverNumber: 200,
    lines: [
      'f:8:81 error: s.agent.port_diff: no such port once everything is added up, found 65600, expected a port (1 to 65535)',
    ],
  },
  {
    rule: 'ranges are ranges',
    file: around(
      's: {type: stratum, algo: scrypt, vardiff: {minimum_difficulty: 9, maximum_difficulty: 8}, limits: {line_bytes: 4096, pending_bytes: 2048}}\n',
    ),
    lines: [
      'f:8:64 error: s.vardiff.minimum_difficulty: the minimum is above the maximum, found 9, expected at most maximum_difficulty, which is 8',
      'f:8:112 error: s.limits.line_bytes: a line of this length never fits the input buffer, found 4096, expected at most pending_bytes, which is 2048',
    ],
  },
  {
    rule: 'one daemon stands in a chain once, and sees one kind of aux calls only',
    file: around(`A: {type: aux_chain, algo: scrypt, currency: A, coinservs: [{port: 1}, {port: 1}]}
B: {type: aux_chain, algo: scrypt, currency: B, pool_address: x, coinservs: [{port: 1}]}
`),
    lines: [
      'f:8:72 error: A.coinservs[1]: the same daemon twice, found 127.0.0.1:1, expected a different address or port',
      'f:9:78 error: B.coinservs[0]: A uses this daemon too, one with pool_address and one without, found 127.0.0.1:1, expected both with pool_address, or both without',
    ],
  },
  {
    rule: 'what is wrong in defaults is reported there, once, also for two components',
    file: `defaults:
  stratum:
    port: x
    prot: 1
  monitr: {}
${around('')}s: {type: stratum, algo: scrypt}
t: {type: stratum, algo: scrypt}
`,
    lines: [
      'f:3:11 error: defaults.stratum.port: wrong value, found "x", expected a port (0 to 65535)',
      'f:4:5 error: defaults.stratum.prot: unknown key, found 1, expected a key of type stratum, did you mean "port"?',
      'f:5:3 error: defaults.monitr: unknown type, found "monitr", expected one of pool, main_chain, aux_chain, switcher, stratum, celery, redis, postgres, fanout, monitor, did you mean "monitor"?',
    ],
  },
  {
    rule: 'a key for a component is a word',
    file: `${around('')}"a b": {type: monitor}\n`,
    lines: [
      'f:8:1 error: not a key for a component, found "a b", expected up to 64 characters without spaces, slashes, ?, # or %',
    ],
  },
];

describe('a wrong file', () => {
  for (const { rule, file, lines, serverNumber } of CASES) {
    it(rule, () => {
      const options = serverNumber === undefined ? {} : { serverNumber };
      const result = loadConfig(file, 'f', { algorithms: ALGORITHMS, ...options });
      assert.equal(result.settings, undefined);
      assert.deepEqual(result.warnings, []);
      const printed = formatProblems(result.errors, 'f');
      assert.deepEqual(printed.trimEnd().split('\n'), lines);
    });
  }

  it('the file around the table is right by itself', () => {
    const result = loadConfig(around(STRATUM), 'f', { algorithms: ALGORITHMS });
    assert.deepEqual([result.errors, result.warnings], [[], []]);
    assert.equal(result.settings?.stratum[0]?.jobSource, 'LTC');
  });

  it('two names of one algorithm agree, in any letter case', () => {
    const file = around(STRATUM.replace('scrypt', 'SCRYPT-Old'));
    const canonicalAlgorithm = (name: string) => name.toLowerCase().split('-')[0];
    const algorithms = new Set(['scrypt', 'scrypt-old', 'mod.scrypt']);
    assert.deepEqual(loadConfig(file, 'f', { algorithms, canonicalAlgorithm }).errors, []);
    const [error] = loadConfig(file, 'f', { algorithms }).errors;
    assert.equal(error?.message, 'not the algorithm of LTC');
  });

  it('a problem is data as well', () => {
    const { errors } = loadConfig(around('s: {type: stratum, algo: scrypt, prot: 1}\n'), 'f');
    assert.deepEqual(errors, [
      {
        severity: 'error',
        component: 's',
        path: 's.prot',
        line: 8,
        column: 34,
        message: 'unknown key',
        found: '1',
        expected: 'a key of type stratum',
        nearest: 'port',
      },
    ]);
  });

  it('names no secret, wherever it was put', () => {
    const secret = 'hunter2hunter2';
    const wrong = [
      `manager: {type: pool, password: ${secret}}`,
      `manager: {type: pool, pasword: ${secret}}`,
      `manager: {type: pool, x: "amqp://me:${secret}@h/"}`,
      `manager: {type: pool, threads: "me:${secret}@host"}`,
      `manager: {type: pool, threads: "http://h/?apikey=${secret}"}`,
      around('').replace('{port: 9332}', `{port: 1, pasword: ${secret}}`),
      around('').replace('{port: 9332}', `{port: 1, password: [${secret}]}`),
      around('').replace('{port: 9332}', `{port: 1, zmq: [${secret}]}`),
      around('').replace('{port: 9332}', `"me:${secret}@127.0.0.1:9332"`),
      `manager: {type: pool}\nr: {type: redis, redis: {password: @${secret}}}`,
      `manager: {type: pool}\nr: {type: redis, redis: {password: "${secret}}}`,
      `manager: {type: pool}\nr:\n  type: redis\n  redis:\n    password: ${secret}: x\n`,
    ];
    for (const file of wrong) {
      const { errors, warnings } = loadConfig(file, 'f');
      assert.ok(errors.length > 0, file);
      assert.ok(!JSON.stringify([errors, warnings]).includes(secret), file);
    }
  });
});
