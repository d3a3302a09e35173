/**
 * The command line as its user meets it: bin/powerpool.js in a child process, real files, exit statuses,
 * and what it says when something is wrong.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'powerpool-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function powerpool(...args: readonly string[]) {
  const run = spawnSync(process.execPath, [join(ROOT, 'bin/powerpool.js'), ...args], {
    encoding: 'utf8',
    cwd: folder,
    timeout: 60_000,
  });
  return { status: run.status, out: run.stdout, err: run.stderr };
}

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

const GOOD = `
manager: { type: pool, server_number: 2 }
LTC:
  type: main_chain
  algo: scrypt
  currency: LTC
  pool_address: LVg2kJoFNg45Nbpy53h7Fe1wKyeXVRhMH9
  coinservs:
    - { port: 9332, username: u, password: very-secret-word }
stratum: { type: stratum, algo: scrypt, port: 3333 }
monitor: { type: monitor }
`;

describe('powerpool on the command line', () => {
  it('prints version and help', () => {
    const version = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      version: string;
    };
    assert.deepEqual(powerpool('--version'), { status: 0, out: `${version.version}\n`, err: '' });
    for (const args of [
      ['--help'],
      ['check', '--help'],
      ['mine', '-h'],
      ['demo', '--help'],
      ['report', '--help'],
    ]) {
      const { status, out } = powerpool(...args);
      assert.equal(status, 0, args.join(' '));
      assert.match(out, /usage:/);
    }
  });

  it('check accepts a good file', () => {
    const { status, out, err } = powerpool('check', file('good.yml', GOOD));
    assert.equal(err, '');
    assert.equal(out, 'good.yml: ok, 4 components\n');
    assert.equal(status, 0);
  });

  it('check reports every error at once, with its place and the nearest known key', () => {
    const name = file(
      'bad.yml',
      GOOD.replace('port: 9332', 'prot: 9332')
        .replace('LVg2kJoFNg45Nbpy53h7Fe1wKyeXVRhMH9', 'LVg2kJoFNg45Nbpy53h7Fe1wKyeXVRhMH8')
        .replace('port: 3333', 'port: high'),
    );
    const { status, err } = powerpool('check', name);
    assert.equal(status, 1);
    assert.match(err, /^bad\.yml:9:9 error: LTC\.coinservs\[0\]\.prot: unknown key.*"port"/m);
    assert.match(err, /^bad\.yml:10:\d+ error: stratum\.port: .*found "high"/m);
    assert.doesNotMatch(err, /very-secret-word/);
  });

  it('check knows an address that cannot be paid to', () => {
    const name = file('address.yml', GOOD.replace('wKyeXVRhMH9', 'wKyeXVRhMH8'));
    const { status, err } = powerpool('check', name);
    assert.equal(status, 1);
    assert.match(err, /error: LTC\.pool_address: .*cannot be paid to/);
  });

  it('check knows what cannot be mined: an algorithm, an extranonce', () => {
    const heavy = powerpool(
      'check',
      file('heavy.yml', GOOD.replaceAll('algo: scrypt', 'algo: hefty1')),
    );
    assert.equal(heavy.status, 1);
    assert.match(heavy.err, /error: LTC\.algo: hefty1 hashes a header of 84 bytes/);
    const long = GOOD.replace('server_number: 2', 'extranonce_serv_size: 8, extranonce_size: 12');
    const { status, err } = powerpool('check', file('long.yml', long));
    assert.equal(status, 1);
    assert.match(err, /manager\.extranonce_size: .* found 20 bytes, expected at most 16/);
  });

  it('check knows a broker that cannot be reached by its URL, and keeps its password', () => {
    const celery = "celery: { type: celery, celery: { BROKER_URL: 'ampq://u:hunter2@host' } }\n";
    const { status, err } = powerpool('check', file('broker.yml', GOOD + celery));
    assert.equal(status, 1);
    assert.match(err, /error: celery\.celery\.BROKER_URL: .* found ampq:/);
    assert.doesNotMatch(err, /hunter2/);
  });

  it('hash prints the hash of a header and nothing else', () => {
    // Litecoin's genesis block and its proof-of-work hash.
    const header =
      '010000000000000000000000000000000000000000000000000000000000000000000000' +
      'd9ced4ed1130f7b7faad9be25323ffafa33232a17c3edf6cfd97bee6bafbdd97b9aa8e4ef0ff0f1ecd513f7c';
    const hash = '0000050c34a64b415b6b15b37f2216634b5b1669cb9a2e38d76f7213b0671e00';
    assert.deepEqual(powerpool('hash', '--algo', 'scrypt', header), {
      status: 0,
      out: `${hash}\n`,
      err: '',
    });
    const short = powerpool('hash', '--algo', 'scrypt', header.slice(2));
    assert.equal(short.status, 2);
    assert.match(short.err, /found 158 characters, expected 160 hex digits/);
  });

  it('bench lists every algorithm asked for', () => {
    const { status, out } = powerpool('bench', '--algo', 'sha256d', '--algo', 'x11');
    assert.equal(status, 0);
    assert.match(out, /^sha256d .*MiB$/m);
    assert.match(out, /^x11 .*MiB$/m);
  });

  it('-d prints the effective configuration, secrets redacted unless asked for, ports shifted', () => {
    const name = file('dump.yml', GOOD);
    const dump = powerpool(name, '-d', '-s', '3');
    assert.equal(dump.status, 0);
    assert.match(dump.out, /server_number: 5/);
    assert.doesNotMatch(dump.out, /very-secret-word/);
    const shown = powerpool(name, '-d', '--show-secrets');
    assert.match(shown.out, /password: very-secret-word/);
    // What was printed is itself a configuration with the same meaning.
    const again = powerpool(file('again.yml', shown.out), '-d', '--show-secrets');
    assert.equal(again.out.replace('again.yml', 'dump.yml'), shown.out);
  });

  it('a part this version does not build is an error, not silence', () => {
    const name = file(
      'datagram.yml',
      GOOD.replace('server_number: 2', 'datagram: { enabled: true }'),
    );
    const { status, err } = powerpool(name);
    assert.equal(status, 1);
    assert.match(err, /manager\.datagram: datagram is not part of this version yet/);
  });

  it('names a missing file, a wrong command line, a port in use', () => {
    assert.match(powerpool('nothing.yml').err, /cannot read the configuration: .*nothing\.yml/);
    const usage = powerpool('check');
    assert.equal(usage.status, 2);
    assert.match(usage.err, /powerpool check config\.yml/);
    assert.match(powerpool('mine', '--algo', 'sha1').err, /--algo: found "sha1", expected one of/);
    assert.match(
      powerpool('demo', '--port', '70000').err,
      /--port: found "70000", expected a whole/,
    );
    assert.match(powerpool('good.yml', '--wrong').err, /Unknown option '--wrong'/);
  });

  it('report without a ledger says so', () => {
    const { status, err } = powerpool('report', file('report.yml', GOOD));
    assert.equal(status, 1);
    assert.match(err, /there is none at .*ledger\.db/);
  });
});
