/**
 * One daemon's JSON-RPC client against faults that a real daemon cannot be made to show: a real HTTP
 * server (test/support/fake-daemon.ts) hangs, breaks off, drips, answers garbage, refuses the password.
 * Every fault must become a DaemonError of the right kind within the call's timeout, and the next call,
 * to a healthy server again, must succeed.
 */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';

import { Daemon, DaemonError } from '../../src/daemon/rpc.ts';
import type { DaemonOptions } from '../../src/daemon/rpc.ts';
import { daemonOptions } from '../support/daemon-group.ts';
import { FakeDaemon } from '../support/fake-daemon.ts';
import type { Fault } from '../support/fake-daemon.ts';
import { freePort } from '../support/ports.ts';
import { eventually, removeFolder, temporaryFolder } from '../support/servers.ts';

const TIMEOUT_MS = 800;
const fake = new FakeDaemon();
const daemons: Daemon[] = [];

function connect(more: Partial<DaemonOptions> = {}): Daemon {
  const daemon = new Daemon(daemonOptions(fake, { timeoutMs: TIMEOUT_MS, ...more }));
  daemons.push(daemon);
  return daemon;
}

async function failure(promise: Promise<unknown>): Promise<DaemonError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof DaemonError, String(error));
  return error;
}

before(() => fake.start());
after(async () => {
  await Promise.all(daemons.map((daemon) => daemon.close()));
  await fake.stop();
});
beforeEach(() => {
  fake.faults.clear();
  fake.asked.length = 0;
});

describe('a fault of the daemon', () => {
  const cases: readonly [string, Fault, string][] = [
    ['never answers', { kind: 'hang' }, 'TIMEOUT'],
    ['drips its answer', { kind: 'slow-body' }, 'TIMEOUT'],
    ['breaks off in the middle', { kind: 'half-body' }, 'UNREACHABLE'],
    ['closes without an answer', { kind: 'close' }, 'UNREACHABLE'],
    ['sends an HTTP error page', { kind: 'status', status: 502 }, 'HTTP'],
    ['refuses this address', { kind: 'status', status: 403 }, 'AUTH'],
    ['answers another call', { kind: 'wrong-id' }, 'BAD_ANSWER'],
    ['sends no JSON', { kind: 'not-json' }, 'BAD_ANSWER'],
    ['does not speak HTTP', { kind: 'not-http' }, 'BAD_ANSWER'],
    ['sends more than allowed', { kind: 'long', bytes: 300_000 }, 'BAD_ANSWER'],
    ['has an RPC error', { kind: 'rpc', code: -5, message: 'nope' }, 'RPC'],
    ['has a 2.0 error', { kind: 'rpc', code: -5, message: 'nope', status: 200 }, 'RPC'],
  ];
  for (const [what, fault, code] of cases) {
    it(`that ${what} is ${code}, and the next call works`, async () => {
      const daemon = connect({ maxAnswerBytes: 200_000 });
      fake.faults.set('*', fault);
      const startedAt = performance.now();
      const error = await failure(daemon.call('getbestblockhash', []));
      assert.equal(error.code, code, error.message);
      assert.ok(performance.now() - startedAt < TIMEOUT_MS * 4);
      assert.ok(error.message.includes(daemon.key), error.message);
      assert.ok(!error.message.includes('password:'), error.message);
      assert.equal(error.rpcCode, code === 'RPC' ? -5 : undefined);
      fake.faults.clear();
      assert.equal(await daemon.call('getbestblockhash', []), fake.tip);
    });
  }

  it('that is not there is UNREACHABLE', async () => {
    const error = await failure(connect({ port: await freePort() }).call('x', []));
    assert.equal(error.code, 'UNREACHABLE');
  });
});

describe('calls', () => {
  it('a caller that gives up ends its call, and only its own', async () => {
    const daemon = connect({ timeoutMs: 5000 });
    fake.faults.set('slow', { kind: 'hang' });
    const abort = new AbortController();
    const call = daemon.call('slow', [], { signal: abort.signal });
    await eventually('the call arrived', () => fake.count('slow') === 1);
    const other = daemon.call('getbestblockhash', []);
    abort.abort();
    assert.equal((await failure(call)).code, 'ABORTED');
    assert.equal(await other, fake.tip);
  });

  it('a batch is one request, and one failed call in it is a value', async () => {
    const results = await connect().batch([
      { method: 'getbestblockhash', params: [] },
      { method: 'nosuchmethod', params: [] },
    ]);
    assert.deepEqual(results[0], { ok: true, result: fake.tip });
    assert.equal(results[1]?.ok === false ? results[1].error.rpcCode : 0, -32601);
    assert.equal(new Set(fake.asked.map((one) => one.socket)).size, 1);
  });

  it('one after the other use connections again', async () => {
    const daemon = connect();
    for (let index = 0; index < 20; index += 1) await daemon.call('getbestblockhash', []);
    const used = new Set(fake.asked.map((one) => one.socket)).size;
    assert.ok(used <= 2, `${used} connections`);
    assert.equal(daemon.connections().length, used);
  });

  it('a connection that the daemon closed while idle costs nothing', async () => {
    const daemon = connect();
    await daemon.call('getbestblockhash', []);
    fake.asked[0]?.socket.destroy();
    assert.equal(await daemon.call('getbestblockhash', []), fake.tip);
  });
});

describe('sending a block', () => {
  it('3000 parts of 3 MB arrive as one parameter', async () => {
    const daemon = connect({ timeoutMs: 5000 });
    const parts = Array.from({ length: 3000 }, (_, index) =>
      Buffer.from(index.toString(16).padStart(4, '0').repeat(256)),
    );
    const quote = Buffer.from('"');
    assert.equal(await daemon.callParts('submitblock', [quote, ...parts, quote]), null);
    const [asked] = fake.asked;
    assert.equal(asked?.method, 'submitblock');
    assert.deepEqual(asked.params, [Buffer.concat(parts).toString()]);
  });

  it('uses the connection kept warm, while calls and a long poll are busy', async () => {
    const daemon = connect({ timeoutMs: 5000, maxConnections: 1 });
    await daemon.connectionsReady();
    const warm = fake.asked[0]?.socket;
    fake.faults.set('slow', { kind: 'hang' });
    const abort = new AbortController();
    const busy = [
      daemon.call('slow', [], { signal: abort.signal }),
      daemon.call('slow', [], { signal: abort.signal, lane: 'longpoll' }),
    ].map(failure);
    await eventually('both calls arrived', () => fake.count('slow') === 2);
    await daemon.callParts('submitblock', [Buffer.from('"00"')]);
    assert.equal(fake.asked.at(-1)?.socket, warm);
    abort.abort();
    await Promise.all(busy);
  });

  it('goes out again on a new connection when the warm one broke', async () => {
    const daemon = connect();
    await daemon.connectionsReady();
    fake.nextFault.set('submitblock', { kind: 'close' });
    assert.equal(await daemon.callParts('submitblock', [Buffer.from('"00"')]), null);
    assert.equal(fake.count('submitblock'), 2);
  });

  it('closing lets a block on its way arrive and be answered, and ends every other call', async () => {
    const daemon = connect({ timeoutMs: 5000 });
    const answered = Promise.withResolvers<void>();
    fake.gates.set('submitblock', answered.promise);
    fake.faults.set('slow', { kind: 'hang' });
    const block = daemon.callParts('submitblock', [Buffer.from('"00"')]);
    const other = failure(daemon.call('slow', []));
    await eventually('both arrived', () => fake.count('submitblock') + fake.count('slow') === 2);
    const closed = daemon.close();
    assert.equal((await other).code, 'UNREACHABLE');
    answered.resolve();
    assert.equal(await block, null);
    await closed;
    fake.gates.delete('submitblock');
    assert.equal(
      (await failure(daemon.callParts('submitblock', [Buffer.from('"00"')]))).code,
      'UNREACHABLE',
    );
  });
});

describe('credentials', () => {
  it('a wrong password is AUTH and says what to check, without the password', async () => {
    const error = await failure(connect({ password: 'wrong-secret' }).call('getbestblockhash', []));
    assert.equal(error.code, 'AUTH');
    assert.match(error.message, /username and password/);
    assert.ok(!error.message.includes('wrong-secret'));
  });

  it('a cookie file is read when needed, and again when the daemon wrote a new one', async (t) => {
    const folder = temporaryFolder('cookie');
    t.after(() => removeFolder(folder));
    const cookieFile = join(folder, '.cookie');
    const daemon = connect({ cookieFile, username: '', password: '' });
    const missing = await failure(daemon.call('getbestblockhash', []));
    assert.equal(missing.code, 'AUTH');
    assert.match(missing.message, /cookie file/);

    writeFileSync(cookieFile, `${fake.user}:${fake.password}\n`);
    assert.equal(await daemon.call('getbestblockhash', []), fake.tip);

    fake.password = 'after-restart';
    t.after(() => {
      fake.password = 'password';
    });
    assert.equal((await failure(daemon.call('getbestblockhash', []))).code, 'AUTH');
    writeFileSync(cookieFile, `${fake.user}:${fake.password}\n`);
    assert.equal(await daemon.call('getbestblockhash', []), fake.tip);
    rmSync(cookieFile);
    assert.equal(await daemon.call('getbestblockhash', []), fake.tip, 'not read for every call');
  });

  it('a file that is no cookie is said to be none, without its content', async (t) => {
    const folder = temporaryFolder('cookie');
    t.after(() => removeFolder(folder));
    const cookieFile = join(folder, 'wallet.dat');
    writeFileSync(cookieFile, 'secret words\nof another kind');
    const error = await failure(connect({ cookieFile }).call('getbestblockhash', []));
    assert.equal(error.code, 'AUTH');
    assert.ok(!error.message.includes('secret'));
  });
});
