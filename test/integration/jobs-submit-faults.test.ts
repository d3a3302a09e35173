/**
 * Submission over real sockets to daemons that fail: hang, break off, answer garbage, refuse the login,
 * or lack submitblock. One good daemon is enough, and none waits for another.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { Daemon } from '../../src/daemon/rpc.ts';
import { systemTimers } from '../../src/daemon/timers.ts';
import { Submitter } from '../../src/jobs/submit.ts';
import { silentLog } from '../../src/log.ts';
import type { SolvedBlock } from '../../src/ports.ts';
import { FakeDaemon } from '../support/fake-daemon.ts';
import type { Fault } from '../support/fake-daemon.ts';
import { eventually } from '../support/servers.ts';
import { MemoryBlockLog } from '../unit/jobs/support.ts';

const HASH = 'ab'.repeat(32);
const HEX = 'c0ffee00'.repeat(100_000);

const BLOCK: SolvedBlock = {
  chain: 'main',
  currency: 'BTC',
  algorithm: 'sha256d',
  hashHexBE: HASH,
  height: 101,
  address: 'a',
  worker: 'w',
  server: 's',
  time: 1,
  totalSubsidy: 5n,
  fees: 0n,
  bitsHex: '207fffff',
  merged: false,
  networkDifficulty: 1,
  submit: { kind: 'block', hex: Buffer.from(HEX, 'latin1'), workId: 'w1' },
};

async function startDaemon(t: TestContext): Promise<{ fake: FakeDaemon; daemon: Daemon }> {
  const fake = await new FakeDaemon().start();
  fake.results.set('getblockhash', HASH);
  const daemon = new Daemon({
    key: `127.0.0.1:${fake.port}`,
    host: '127.0.0.1',
    port: fake.port,
    username: 'user',
    password: 'password',
    priority: 0,
    maxConnections: 2,
    timeoutMs: 2000,
  });
  t.after(async () => {
    await daemon.close();
    await fake.stop();
  });
  return { fake, daemon };
}

function submitterOver(daemons: () => readonly Daemon[]): {
  readonly submitter: Submitter;
  readonly blockLog: MemoryBlockLog;
} {
  const blockLog = new MemoryBlockLog();
  const submitter = new Submitter({
    chain: 'main',
    daemons,
    blockLog,
    clock: systemClock,
    timers: systemTimers,
    log: silentLog,
    onAccepted: () => {},
  });
  return { submitter, blockLog };
}

test('the block arrives whole, with its workid, at once', async (t) => {
  const { fake, daemon } = await startDaemon(t);
  const { submitter } = submitterOver(() => [daemon]);
  submitter.submit(BLOCK);
  await eventually('an answer', () => submitter.stats().accepts === 1);
  const [asked] = fake.asked.filter((one) => one.method === 'submitblock');
  assert.deepEqual(asked?.params, [HEX, { workid: 'w1' }]);
  await submitter.stop();
});

test('whatever the others do, the one good daemon gets the block and its word counts', async (t) => {
  const faults: readonly Fault[] = [
    { kind: 'hang' },
    { kind: 'status', status: 503 },
    { kind: 'half-body' },
    { kind: 'wrong-id' },
    { kind: 'not-json' },
    { kind: 'not-http' },
    { kind: 'close' },
    { kind: 'rpc', code: -28, message: 'Loading block index...' },
    { kind: 'rpc', code: -9, message: 'not connected' },
  ];
  const bad = await Promise.all(
    faults.map(async (fault) => {
      const { fake, daemon } = await startDaemon(t);
      fake.faults.set('*', fault);
      return daemon;
    }),
  );
  const live: Daemon[] = [...bad];
  const { submitter, blockLog } = submitterOver(() => live);
  submitter.submit(BLOCK);
  const answered = (): number =>
    blockLog.events.filter((event) => event.includes(': error')).length;
  await eventually('every daemon but the hanging one has failed', () => {
    return answered() >= faults.length - 1;
  });
  assert.equal(submitter.stats().pending, 1, 'no failure is a refusal');
  const good = await startDaemon(t);
  live.push(good.daemon);
  await eventually('the good one has it', () => submitter.stats().accepts === 1);
  assert.equal(good.fake.count('submitblock'), 1);
  await Promise.all(bad.map((daemon) => daemon.close()));
  await submitter.stop();
});

test('a daemon that breaks and comes back gets the block again', async (t) => {
  const { fake, daemon } = await startDaemon(t);
  fake.faults.set('submitblock', { kind: 'close' });
  const { submitter } = submitterOver(() => [daemon]);
  submitter.submit(BLOCK);
  await eventually('a second try', () => fake.count('submitblock') >= 3);
  fake.faults.delete('submitblock');
  await eventually('it has it', () => submitter.stats().accepts === 1);
  await submitter.stop();
});

test('a daemon without submitblock takes it by getblocktemplate, mode submit', async (t) => {
  const { fake, daemon } = await startDaemon(t);
  fake.faults.set('submitblock', { kind: 'rpc', code: -32601, message: 'Method not found' });
  fake.results.set('getblocktemplate', null);
  const { submitter } = submitterOver(() => [daemon]);
  submitter.submit(BLOCK);
  await eventually('it has it', () => submitter.stats().accepts === 1);
  const [asked] = fake.asked.filter((one) => one.method === 'getblocktemplate');
  assert.deepEqual(asked?.params, [{ mode: 'submit', data: HEX, workid: 'w1' }]);
  await submitter.stop();
});
