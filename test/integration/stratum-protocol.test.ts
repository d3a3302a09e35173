/**
 * The words of contract §4 and the habits of miners, over real sockets: a listener thread, a job source
 * that makes jobs when told, and shares recomputed from the wire with node:crypto. Each test is a
 * sentence of the contract or of mining-facts.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { StratumClient } from '../support/stratum-client.ts';
import type { Line } from '../support/stratum-client.ts';
import { ANY_HASH, startPool } from '../support/stratum-pool.ts';
import type { TestPool } from '../support/stratum-pool.ts';

const ADDRESS = '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa';

let pool: TestPool;

before(async () => {
  pool = await startPool({
    settings: { limits: { bad_per_minute: 100_000 }, push_job_interval: 600 },
  });
  pool.source.give();
});

after(() => pool.stop());

function errorCode(line: Line): number | undefined {
  return line.error?.[0];
}

async function withJob(user?: string, password?: string): Promise<[StratumClient, Line]> {
  const client = await StratumClient.miner(pool.port, user, password);
  const notify = await client.notify();
  return [client, notify];
}

function fields(notify: Line, en2: string, nonce = '00000001'): string[] {
  const [job, , , , , , , time] = notify.params as string[];
  return ['who', job!, en2, time!, nonce];
}

test('subscribe answers subscriptions, extranonce1 and the size of extranonce2', async () => {
  const client = await StratumClient.open(pool.port);
  const { result, error } = await client.call('mining.subscribe', []);
  const [subscriptions, extranonce1, size] = result as [[string, string][], string, number];
  assert.deepEqual(
    subscriptions.map(([name]) => name),
    ['mining.set_difficulty', 'mining.notify'],
  );
  assert.match(subscriptions[0]![1], /^[0-9a-f]{16}$/);
  assert.match(extranonce1, /^[0-9a-f]{8}$/);
  assert.equal(size, 4);
  assert.equal(error, null);
  await client.close();
});

test('authorize answers true, then set_difficulty, then notify with clean_jobs', async () => {
  const client = await StratumClient.open(pool.port);
  await client.subscribe();
  assert.equal((await client.call('mining.authorize', ['donate', 'x'])).result, true);
  await client.notify();
  assert.deepEqual(
    client.lines.slice(1).map((line) => line.method ?? 'reply'),
    ['reply', 'mining.set_difficulty', 'mining.notify'],
  );
  assert.deepEqual(client.lines[2]!.params, [ANY_HASH]);
  assert.equal(client.lines[3]!.params![8], true);
  await client.close();
});

test('the order of the handshake: 25, 24, 20, 24 and 24', async () => {
  const client = await StratumClient.open(pool.port);
  assert.equal(errorCode(await client.call('mining.authorize', ['donate', 'x'])), 25);
  assert.equal(errorCode(await client.submit(['a', 'b', 'c', 'd', 'e'])), 24);
  await client.subscribe();
  assert.equal(errorCode(await client.call('mining.subscribe', [])), 20);
  assert.equal(errorCode(await client.submit(['a', 'b', 'c', 'd', 'e'])), 24);
  assert.equal((await client.call('mining.authorize', ['donate', 'x'])).result, true);
  assert.equal(errorCode(await client.call('mining.authorize', ['donate', 'x'])), 24);
  await client.close();
});

test('ids: not JSON and no id are answered with 1; null and strings come back; the connection stays', async () => {
  const client = await StratumClient.open(pool.port);
  client.send('this is not JSON\n{"method":"mining.ping"}\n[1,2]\n\n   \r\n');
  client.send('{"id":null,"method":"mining.ping"}\n{"id":"a\\u00fc","method":"mining.nonsense"}\n');
  client.say({ id: 9, method: 'MINING.Ping', params: [] });
  await client.next((line) => line.id === 9);
  assert.deepEqual(
    client.lines.map((line) => [line.id, line.result, errorCode(line)]),
    [
      [1, null, 20],
      [1, 'pong', undefined],
      [1, null, 20],
      [null, 'pong', undefined],
      ['aü', null, 20],
      [9, 'pong', undefined],
    ],
  );
  await client.close();
});

test('get_transactions and unknown methods: 20; extranonce.subscribe: true, whatever the id', async () => {
  const [client] = await withJob();
  assert.deepEqual((await client.call('mining.get_transactions', ['x'])).error, [
    20,
    'Other/Unknown',
    null,
  ]);
  assert.equal(errorCode(await client.call('mining.nothing', [])), 20);
  assert.equal((await client.call('mining.extranonce.subscribe', [], 3)).result, true);
  await client.close();
});

test('a share is accepted in upper or lower case, once; without params or with too few it is 20', async () => {
  const [client, notify] = await withJob();
  assert.equal((await client.submit(fields(notify, '0000000a'), 4)).result, true);
  const again = fields(notify, '0000000A');
  assert.deepEqual((await client.submit(again, 4)).error, [22, 'Duplicate share', null]);
  client.say({ id: 4, method: 'mining.submit' });
  assert.equal(errorCode(await client.next((line) => line.id === 4)), 20);
  assert.equal(errorCode(await client.submit(fields(notify, '0000000b').slice(0, 4))), 20);
  assert.equal((await client.submit(fields(notify, '0000000B', 'ABCDEF01'))).result, true);
  await client.close();
});

test('a malformed submit is 20, never padded, and the connection stays', async () => {
  const [client, notify] = await withJob();
  const good = fields(notify, '00000000');
  const bad = (at: number, value: unknown): unknown[] => good.map((f, i) => (i === at ? value : f));
  const cases = [
    bad(2, '000000'),
    bad(2, '0000000000'),
    bad(2, '0000000g'),
    bad(2, 7),
    bad(2, null),
    bad(3, '0'),
    bad(3, ''),
    bad(3, 1),
    bad(4, '0x000001'),
    bad(4, '00000001 '),
    bad(4, {}),
    [...good, '2000'],
    [...good, 'zzzzzzzz'],
  ];
  for (const submit of cases) {
    assert.equal(errorCode(await client.submit(submit)), 20, JSON.stringify(submit));
  }
  assert.equal((await client.submit(good)).result, true);
  await client.close();
});

test('an unknown job is 21; the user in a submit is ignored', async () => {
  const [client, notify] = await withJob(`${ADDRESS}.rig`);
  const unknown = fields(notify, '00000000').map((field, i) => (i === 1 ? 'ffffffff' : field));
  assert.deepEqual((await client.submit(unknown)).error, [21, 'Job not found (=stale)', null]);
  const share = fields(notify, '00000000');
  share[0] = 'somebody.else';
  assert.equal((await client.submit(share)).result, true);
  assert.equal(pool.ledger.records.at(-1)?.worker, `${ADDRESS}.rig`);
  await client.close();
});

test('ntime outside the range of the job is 20, its ends are accepted', async () => {
  const [client, notify] = await withJob();
  const base = Number.parseInt((notify.params as string[])[7]!, 16);
  const at = async (offset: number): Promise<Line> => {
    const share = fields(notify, '0000000c');
    share[3] = (base + offset).toString(16).padStart(8, '0');
    return client.submit(share);
  };
  assert.equal(errorCode(await at(-101)), 20);
  assert.equal((await at(-100)).result, true);
  assert.equal((await at(7000)).result, true);
  assert.equal(errorCode(await at(7001)), 20);
  await client.close();
});

test('version rolling: the mask both sides have, rolled bits in the share, others 20', async () => {
  const client = await StratumClient.open(pool.port);
  const { result } = await client.call('mining.configure', [
    ['version-rolling', 'minimum-difficulty', 'subscribe-extranonce', 'info', 'unheard-of'],
    {
      'version-rolling.mask': '1fffffff',
      'version-rolling.min-bit-count': 2,
      'minimum-difficulty.value': ANY_HASH,
      'info.sw-version': 'x',
    },
  ]);
  assert.deepEqual(result, {
    'version-rolling': true,
    'version-rolling.mask': '1fffe000',
    'minimum-difficulty': true,
    'subscribe-extranonce': true,
    info: true,
    'unheard-of': false,
  });
  await client.subscribe();
  await client.call('mining.authorize', ['donate', 'x']);
  const notify = await client.notify();
  const share = fields(notify, '00000000');
  assert.equal((await client.submit([...share, '00002000'])).result, true);
  assert.equal((await client.submit([...share, '00004000'])).result, true);
  assert.equal(errorCode(await client.submit([...share, '00004000'])), 22);
  assert.equal(errorCode(await client.submit([...share, '20002000'])), 20);
  assert.equal((await client.submit(share)).result, true);
  assert.equal(errorCode(await client.submit([...share, '00000000'])), 22);
  await client.close();
});

test('version rolling is refused where too few bits are left, and bits of one who did not ask are 20', async () => {
  const [client, notify] = await withJob();
  const { result } = await client.call('mining.configure', [
    ['version-rolling'],
    { 'version-rolling.mask': '00006000', 'version-rolling.min-bit-count': 3 },
  ]);
  assert.deepEqual(result, { 'version-rolling': false });
  assert.equal(errorCode(await client.submit([...fields(notify, '00000000'), '00002000'])), 20);
  await client.close();
});

test('the mask changes ahead of a job that forbids rolling, and back', async () => {
  const client = await StratumClient.open(pool.port);
  await client.call('mining.configure', [
    ['version-rolling'],
    { 'version-rolling.mask': 'ffffffff' },
  ]);
  await client.subscribe();
  await client.call('mining.authorize', ['donate', 'x']);
  const rolling = await client.notify();
  pool.source.give({ kind: 'push', versionMask: 0 });
  assert.deepEqual((await client.method('mining.set_version_mask')).params, ['00000000']);
  const rigid = await client.notify();
  assert.equal(errorCode(await client.submit([...fields(rigid, '00000000'), '00002000'])), 20);
  assert.equal((await client.submit([...fields(rolling, '00000000'), '00002000'])).result, true);
  pool.source.give({ kind: 'push' });
  assert.deepEqual((await client.method('mining.set_version_mask')).params, ['1fffe000']);
  await client.close();
});

test('a share is replayed under every other live id: each is other work, none is the same share', async () => {
  const [client, notify] = await withJob();
  const share = fields(notify, '00000abc');
  assert.equal((await client.submit(share)).result, true);
  const accepted = pool.ledger.accepted();
  pool.source.give({ kind: 'push' });
  const second = await client.notify();
  share[1] = (second.params as string[])[0]!;
  // At this difficulty any hash pays: what counts is that it is another header, once.
  assert.equal((await client.submit(share)).result, true);
  assert.equal(errorCode(await client.submit(share)), 22);
  assert.equal(pool.ledger.accepted(), accepted + 1);
  await client.close();
});

test('plain jobs reach a miner at its next push, flush and push jobs at once', async () => {
  const [client] = await withJob();
  pool.source.give({ kind: 'plain' });
  const flush = pool.source.give({ kind: 'flush' });
  const push = pool.source.give({ kind: 'push' });
  const heard = [await client.notify(), await client.notify()];
  assert.deepEqual(
    heard.map((line) => [line.params![0], line.params![8]]),
    [
      [flush.id, true],
      [push.id, false],
    ],
  );
  await client.close();
});

test('what the server says by itself: show_message, get_version and its answer, reconnect', async () => {
  const [client] = await withJob();
  const id = client.sessionId;
  pool.manager.command('stratum', { kind: 'showMessage', text: 'grüße "\n"' }, id);
  assert.deepEqual((await client.method('client.show_message')).params, ['grüße "\n"']);
  pool.manager.command('stratum', { kind: 'getVersion' }, id);
  const asked = await client.method('client.get_version');
  client.say({ id: asked.id, result: 'cgminer/9', error: null });
  await client.call('mining.ping', []);
  const details = await waitFor(() => pool.manager.details(id));
  assert.equal(details.userAgent, 'cgminer/9');
  pool.manager.command('stratum', { kind: 'reconnect', host: 'h', port: 1, waitSeconds: 2 }, id);
  assert.deepEqual((await client.method('client.reconnect')).params, ['h', 1, 2]);
  await client.close();
});

test('set_extranonce: a miner that asked for it gets other work ahead of a new id, old jobs keep theirs', async () => {
  const [client, notify] = await withJob();
  await client.call('mining.extranonce.subscribe', []);
  pool.manager.command('stratum', { kind: 'renewExtranonce' }, client.sessionId);
  pool.source.give({ kind: 'push', targetLE: new Uint8Array(32).fill(0xff) });
  const [extranonce1] = (await client.method('mining.set_extranonce')).params as [string];
  assert.notEqual(extranonce1, client.extranonce1);
  const next = await client.notify();
  assert.equal((await client.submit(fields(notify, '00000001'))).result, true);
  const solve = new Promise<string>((resolve) => {
    pool.source.onSolve = (found): void => resolve(Buffer.from(found.extranonce).toString('hex'));
  });
  assert.equal((await client.submit(fields(next, '00000002'))).result, true);
  assert.equal(await solve, `${extranonce1}00000002`);
  pool.source.onSolve = (): void => {};
  pool.source.give();
  await client.close();
});

test('usernames: address and worker, the alias of nobody is donate_key, odd workers are cleaned', async () => {
  for (const [user, credited] of [
    [`${ADDRESS}.rig one!`, `${ADDRESS}.rig-one-`],
    ['nobody.w', 'donate.w'],
    ['', 'donate.'],
  ] as const) {
    const [client, notify] = await withJob(user);
    await client.submit(fields(notify, '00000000', 'abababab'));
    assert.equal(pool.ledger.records.at(-1)?.worker, credited);
    await client.close();
  }
});

test('passwords: -d fixes the difficulty, not below minimum_manual_diff', async () => {
  const difficulty = async (password: string): Promise<unknown> => {
    const [client] = await withJob('donate', password);
    await client.close();
    return client.lines.find((line) => line.method === 'mining.set_difficulty')!.params![0];
  };
  assert.equal(await difficulty('-d 512'), 512);
  assert.equal(await difficulty('d=1024'), 1024);
  assert.equal(await difficulty('--diff 512 --unknown'), ANY_HASH);
});

test('suggest_difficulty before the login is the start, later it comes ahead of a new id', async () => {
  const client = await StratumClient.open(pool.port);
  await client.subscribe();
  await client.call('mining.suggest_difficulty', [32]);
  await client.call('mining.authorize', ['donate', 'x']);
  assert.deepEqual((await client.method('mining.set_difficulty')).params, [32]);
  await client.notify();
  await client.call('mining.suggest_difficulty', [64]);
  const noted = client.count('mining.set_difficulty');
  assert.equal(noted, 1);
  pool.source.give({ kind: 'plain' });
  assert.deepEqual((await client.method('mining.set_difficulty')).params, [64]);
  await client.notify();
  assert.equal(errorCode(await client.call('mining.suggest_difficulty', [-1])), 20);
  const target = (0xffffn << 207n).toString(16).padStart(64, '0');
  assert.equal((await client.call('mining.suggest_target', [target])).result, true);
  pool.source.give({ kind: 'plain' });
  assert.deepEqual((await client.method('mining.set_difficulty')).params, [2]);
  await client.close();
});

async function waitFor<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 50; tries++) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no answer to ${String(ask)}`);
}
