/**
 * Hostile and unlucky peers: slow readers, endless lines, floods of garbage, thousands of half-open
 * connections, no descriptors left, a dying thread. Each test keeps an honest miner beside them, which
 * must go on mining and hear of new jobs.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { StratumClient } from '../support/stratum-client.ts';
import type { Line } from '../support/stratum-client.ts';
import { startPool } from '../support/stratum-pool.ts';
import type { PoolWishes, TestPool } from '../support/stratum-pool.ts';

const ATTACKER = '127.0.0.2';

async function open(t: TestContext, wishes: PoolWishes = {}): Promise<TestPool> {
  const pool = await startPool(wishes);
  t.after(() => pool.stop());
  pool.source.give();
  return pool;
}

class Honest {
  readonly client: StratumClient;
  #notify: Line;
  #submits = 0;

  private constructor(client: StratumClient, notify: Line) {
    this.client = client;
    this.#notify = notify;
  }

  static async start(port: number): Promise<Honest> {
    const client = await StratumClient.miner(port, 'donate.honest');
    return new Honest(client, await client.notify());
  }

  async mines(): Promise<void> {
    const params = this.#notify.params as string[];
    const en2 = (this.#submits++).toString(16).padStart(8, '0');
    const reply = await this.client.submit(['x', params[0]!, en2, params[7]!, '00000000']);
    assert.equal(reply.result, true);
  }

  async hears(give: () => unknown): Promise<void> {
    const next = this.client.notify();
    give();
    this.#notify = await next;
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 250; tries++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`never: ${String(condition)}`);
}

test('an endless line gets error 20 and is closed; the honest miner goes on', async (t) => {
  const pool = await open(t, { settings: { limits: { line_bytes: 1024 } } });
  const honest = await Honest.start(pool.port);
  const endless = await StratumClient.open(pool.port, ATTACKER);
  endless.send('x'.repeat(5000));
  await endless.closed;
  assert.equal(endless.lines[0]!.error![0], 20);
  await honest.mines();
});

test('a peer that sends only garbage is closed and banned; others of other addresses are not', async (t) => {
  const pool = await open(t, { settings: { limits: { bad_per_minute: 50, ban_seconds: 60 } } });
  const honest = await Honest.start(pool.port);
  const flood = await StratumClient.open(pool.port, ATTACKER);
  flood.send('x\n'.repeat(200_000));
  await flood.closed;
  assert.ok(flood.lines.length <= 51, `${flood.lines.length} replies`);
  const again = await StratumClient.open(pool.port, ATTACKER);
  await again.closed;
  await honest.mines();
  await honest.hears(() => pool.source.give({ kind: 'push' }));
  await honest.mines();
});

test('more requests a second than allowed are read more slowly, none is lost', async (t) => {
  const pool = await open(t, { settings: { limits: { requests_per_second: 20 } } });
  const client = await StratumClient.open(pool.port);
  const began = performance.now();
  for (let batch = 0; batch < 5; batch++) {
    const last = client.next((line) => line.id === batch * 20 + 19);
    for (let i = 0; i < 20; i++) client.say({ id: batch * 20 + i, method: 'mining.ping' });
    await last;
  }
  assert.deepEqual(
    client.lines.map((line) => line.id),
    Array.from({ length: 100 }, (_, i) => i),
  );
  assert.ok(performance.now() - began > 1000, 'it was not slowed down');
});

test('a slow reader gets the newest job when it reads again, not the queue of old ones', async (t) => {
  const pool = await open(t, { settings: { limits: { send_bytes: 4096 } } });
  const honest = await Honest.start(pool.port);
  const slow = await StratumClient.miner(pool.port);
  await slow.notify();
  slow.socket.pause();
  const jobs = 400;
  let newest = '';
  for (let i = 0; i < jobs; i++) {
    newest = pool.source.give({ kind: 'push', padding: 65_536 }).id;
    await honest.client.next((line) => line.params?.[0] === newest);
  }
  slow.socket.resume();
  await slow.next((line) => line.params?.[0] === newest);
  const heard = slow.count('mining.notify');
  assert.ok(heard < jobs, `all ${heard} jobs were queued`);
});

test('thousands of half-open connections are closed after handshake_seconds; the honest miner notices nothing', async (t) => {
  const pool = await open(t, { settings: { limits: { handshake_seconds: 1 } } });
  const honest = await Honest.start(pool.port);
  const sockets: Socket[] = [];
  for (let i = 0; i < 2000; i++) {
    const socket = connect({ host: '127.0.0.1', port: pool.port, localAddress: ATTACKER });
    socket.on('error', () => {});
    sockets.push(socket);
  }
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  sockets[0]!.write('{"id":1,"method":"mining.subscribe"');
  await honest.mines();
  await honest.hears(() => pool.source.give({ kind: 'push' }));
  for (const socket of sockets) socket.resume();
  const waiting = sockets.filter((socket) => !socket.closed);
  await Promise.all(waiting.map((socket) => once(socket, 'close')));
  await honest.mines();
  await until(() => pool.manager.directory.size === 1);
});

test('connections and connections_per_address are limits over all threads', async (t) => {
  const limits = { connections: 6, connections_per_address: 4 };
  const pool = await open(t, { threads: 2, settings: { limits } });
  const first = await Promise.all(Array.from({ length: 4 }, () => StratumClient.miner(pool.port)));
  const fifth = await StratumClient.open(pool.port);
  await fifth.closed;
  const others = [];
  for (let i = 0; i < 2; i++) {
    const other = await StratumClient.open(pool.port, ATTACKER);
    await other.subscribe();
    others.push(other);
  }
  const seventh = await StratumClient.open(pool.port, '127.0.0.3');
  await seventh.closed;
  await first[0]!.close();
  await until(() => pool.manager.directory.size === 5);
  const next = await StratumClient.miner(pool.port);
  assert.match(next.extranonce1, /^[0-9a-f]{8}$/);
});

test('without descriptors left those connected go on, and accepting resumes', async (t) => {
  const child = spawn(
    'sh',
    ['-c', `ulimit -n 120; exec "${process.execPath}" test/support/stratum-child.ts`],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  t.after(async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  });
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(text.toString());
  const honest = await Honest.start(port);
  const sockets = Array.from({ length: 200 }, () => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    return socket;
  });
  await Promise.all(
    sockets.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])),
  );
  await honest.mines();
  await honest.hears(() => child.stdin.write('\n'));
  for (const socket of sockets) socket.destroy();
  await honest.mines();
  const late = await Honest.start(port);
  await late.mines();
});

test('a listener thread that dies is replaced; miners of the others go on, extranonces stay apart', async (t) => {
  const workers: Worker[] = [];
  const collect = (worker: Worker): void => void workers.push(worker);
  process.on('worker', collect);
  const pool = await open(t, { threads: 2 });
  process.off('worker', collect);
  const clients = await Promise.all(
    Array.from({ length: 16 }, () => StratumClient.miner(pool.port)),
  );
  await until(() => pool.manager.directory.size === 16);
  const holds = (thread: number) => (client: StratumClient) =>
    pool.manager.directory.threadOf(client.sessionId) === thread;
  const [lost, kept] = [clients.filter(holds(0)), clients.filter(holds(1))];
  await workers[0]!.terminate();
  await Promise.all(lost.map((client) => client.closed));
  await until(() => pool.manager.directory.size === kept.length);
  pool.source.give({ tip: 2 });
  for (const client of kept) {
    await client.next((line) => line.method === 'mining.notify' && line.params![8] === true);
    assert.equal((await client.call('mining.ping', [])).result, 'pong');
  }
  const ids = new Set(clients.map((client) => client.extranonce1));
  let onNew = 0;
  for (let i = 0; i < 400 && onNew < 3; i++) {
    const client = await StratumClient.miner(pool.port);
    assert.ok(!ids.has(client.extranonce1), 'an extranonce1 was given out twice');
    ids.add(client.extranonce1);
    await until(() => pool.manager.directory.threadOf(client.sessionId) !== undefined);
    if (pool.manager.directory.threadOf(client.sessionId) === 2) onNew++;
  }
  assert.ok(onNew >= 3, 'nobody came to the new thread');
});

test('eight bytes of extranonce1 where the pool is set so', async (t) => {
  const pool = await startPool({ extranonceServSize: 8 });
  t.after(() => pool.stop());
  pool.source.give({ extranonceSize: 12 });
  const client = await StratumClient.miner(pool.port);
  assert.match(client.extranonce1, /^[0-9a-f]{16}$/);
  assert.equal(client.extranonce2Size, 4);
  const params = (await client.notify()).params as string[];
  const reply = await client.submit(['x', params[0]!, '00000000', params[7]!, '00000000']);
  assert.equal(reply.result, true);
});

test('a stop answers what was read, then closes', async () => {
  const pool = await startPool();
  pool.source.give();
  const client = await StratumClient.miner(pool.port);
  const params = (await client.notify()).params as string[];
  pool.ledger.mode = 'wait';
  const reply = client.submit(['x', params[0]!, '00000000', params[7]!, '00000000']);
  const pong = client.call('mining.configure', [[]]);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const stopped = pool.stop();
  pool.ledger.release();
  assert.equal((await reply).result, true);
  await pong;
  await stopped;
  await client.closed;
});
