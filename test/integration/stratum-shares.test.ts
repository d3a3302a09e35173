/**
 * What a share is worth and what happens to it, over real sockets: difficulty fixed by the first send of
 * a job, solves before anything else, stale and late, the ledger's word before the miner's, keep-alive
 * and vardiff. Hashes are computed here with node:crypto, from what the wire says.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { StratumClient } from '../support/stratum-client.ts';
import type { Line } from '../support/stratum-client.ts';
import { ANY_HASH, doubleSha, headerOf, startPool } from '../support/stratum-pool.ts';
import type { PoolWishes, TestPool } from '../support/stratum-pool.ts';

const ALL = new Uint8Array(32).fill(0xff);
const DIFF1 = 0xffffn << 208n;

async function open(t: TestContext, wishes: PoolWishes = {}): Promise<TestPool> {
  const pool = await startPool(wishes);
  t.after(() => pool.stop());
  return pool;
}

function fields(notify: Line, en2: string, nonce = '00000001'): string[] {
  const params = notify.params as string[];
  return ['who', params[0]!, en2, params[7]!, nonce];
}

function errorCode(line: Line): number | undefined {
  return line.error?.[0];
}

function hashNumber(header: Buffer): bigint {
  return BigInt(`0x${doubleSha(header).reverse().toString('hex')}`);
}

/** A nonce whose hash is (or is not) at or below the target. */
function grind(notify: Line, extranonce1: string, en2: string, target: bigint, wanted: boolean) {
  const time = (notify.params as string[])[7]!;
  for (let nonce = 0; ; nonce++) {
    const hex = nonce.toString(16).padStart(8, '0');
    const header = headerOf(notify, extranonce1, en2, time, hex);
    if (hashNumber(header) <= target === wanted) return { nonce: hex, header };
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`never: ${String(condition)}`);
}

test('a hash at the target of the difficulty is accepted, above it is 23: the pool hashes as the miner does', async (t) => {
  const difficulty = 2 ** -24;
  const pool = await open(t, { settings: { start_difficulty: difficulty } });
  pool.source.give({ branchLevels: 12 });
  const client = await StratumClient.miner(pool.port);
  const notify = await client.notify();
  const target = DIFF1 << 24n;
  for (let i = 0; i < 12; i++) {
    const en2 = i.toString(16).padStart(8, '0');
    const wanted = i % 2 === 0;
    const { nonce } = grind(notify, client.extranonce1, en2, target, wanted);
    const reply = await client.submit(fields(notify, en2, nonce));
    assert.equal(errorCode(reply), wanted ? undefined : 23);
  }
  assert.equal(pool.ledger.accepted(), 6);
  assert.equal(pool.ledger.records[0]!.difficulty, difficulty);
  // Refusals are summed and recorded once a second: a second may end between two of them.
  await until(() => {
    const refused = pool.ledger.records.filter((record) => record.kind === 2);
    return refused.reduce((sum, record) => sum + record.shares, 0) === 6;
  });
});

test('a share is judged by the difficulty in force when its job was first sent, also after a keep-alive', async (t) => {
  const pool = await open(t, { settings: { push_job_interval: 1, start_difficulty: 2 ** -24 } });
  const old = pool.source.give();
  const client = await StratumClient.miner(pool.port);
  const notify = await client.notify();
  await client.call('mining.suggest_difficulty', [2 ** -20]);
  const again = await client.notify();
  assert.deepEqual([again.params![0], again.params![8]], [old.id, false]);
  assert.equal(client.count('mining.set_difficulty'), 1);
  pool.source.give({ kind: 'push' });
  assert.deepEqual((await client.method('mining.set_difficulty')).params, [2 ** -20]);
  const next = await client.notify();
  const easy = DIFF1 << 24n;
  const hard = DIFF1 << 20n;
  const between = (line: Line, en2: string): string => {
    for (let nonce = 0; ; nonce++) {
      const hex = nonce.toString(16).padStart(8, '0');
      const time = (line.params as string[])[7]!;
      const hash = hashNumber(headerOf(line, client.extranonce1, en2, time, hex));
      if (hash <= easy && hash > hard) return hex;
    }
  };
  const onOld = await client.submit(fields(notify, '00000000', between(notify, '00000000')));
  const onNew = await client.submit(fields(next, '00000000', between(next, '00000000')));
  assert.equal(onOld.result, true);
  assert.equal(errorCode(onNew), 23);
  assert.equal(pool.ledger.records[0]!.difficulty, 2 ** -24);
});

test('a retarget asks for a job with another coinbase when none is due, and goes out ahead of it', async (t) => {
  const pool = await open(t);
  pool.source.give();
  const client = await StratumClient.miner(pool.port);
  await client.notify();
  pool.source.onVariant = (): void => void pool.source.give({ kind: 'plain' });
  await client.call('mining.suggest_difficulty', [4]);
  assert.deepEqual((await client.method('mining.set_difficulty')).params, [4]);
  await client.notify();
  assert.equal(pool.source.variants, 1);
});

test('a solve reaches the job source with what a block is made of; replayed it is 22 and not posted', async (t) => {
  const pool = await open(t);
  pool.source.give({ targetLE: ALL });
  const client = await StratumClient.miner(pool.port, 'donate.solver');
  const notify = await client.notify();
  const share = fields(notify, '00c0ffee', 'deadbeef');
  assert.equal((await client.submit(share)).result, true);
  assert.equal(errorCode(await client.submit(share)), 22);
  await until(() => pool.source.solves.length > 0);
  const [solve, ...more] = pool.source.solves;
  const header = headerOf(notify, client.extranonce1, '00c0ffee', share[3]!, 'deadbeef');
  assert.equal(more.length, 0);
  assert.deepEqual(Buffer.from(solve!.header), header);
  assert.deepEqual(Buffer.from(solve!.powHashLE), doubleSha(header));
  assert.equal(Buffer.from(solve!.extranonce).toString('hex'), `${client.extranonce1}00c0ffee`);
  assert.deepEqual(
    [solve!.jobId, solve!.chains, solve!.address, solve!.worker, solve!.server],
    [notify.params![0], ['main'], 'donate', 'solver', 'stratum'],
  );
});

test('a stale share can still solve an aux chain; the miner hears 21', async (t) => {
  const pool = await open(t, { settings: { late_share_grace: 0 } });
  pool.source.give({
    aux: [
      { chain: 'hard', currency: 'H', targetLE: new Uint8Array(32) },
      { chain: 'easy', currency: 'E', targetLE: ALL },
    ],
  });
  const client = await StratumClient.miner(pool.port);
  const notify = await client.notify();
  pool.source.give({ tip: 2 });
  await client.notify();
  assert.equal(errorCode(await client.submit(fields(notify, '00000000'))), 21);
  await until(() => pool.source.solves.length === 1);
  assert.deepEqual(pool.source.solves[0]!.chains, ['easy']);
});

test('only a new main tip makes shares stale; within late_share_grace they pay under their own counter', async (t) => {
  const pool = await open(t, { settings: { late_share_grace: 1 } });
  pool.source.give();
  const client = await StratumClient.miner(pool.port);
  const first = await client.notify();
  pool.source.give({ kind: 'push', clean: true });
  await client.notify();
  assert.equal((await client.submit(fields(first, '00000000'))).result, true);
  pool.source.give({ tip: 2 });
  await client.notify();
  assert.equal((await client.submit(fields(first, '00000001'))).result, true);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  assert.equal(errorCode(await client.submit(fields(first, '00000002'))), 21);
  const status = pool.manager.servers[0]!;
  await until(() => status.total('reject_stale_share_count') === 1);
  assert.equal(status.total('acc_share_count'), 2);
  assert.equal(status.total('late_share_count'), 1);
  assert.equal(status.total('acc_share_n1'), 2 * ANY_HASH);
});

test('a retired job is 21, its siblings go on', async (t) => {
  const pool = await open(t);
  const old = pool.source.give();
  const client = await StratumClient.miner(pool.port);
  const notify = await client.notify();
  pool.source.give({ kind: 'push' });
  const next = await client.notify();
  pool.source.retire([old.id]);
  await until(() => pool.manager.servers[0]!.jobs.active === 1);
  assert.equal(errorCode(await client.submit(fields(notify, '00000000'))), 21);
  assert.equal((await client.submit(fields(next, '00000000'))).result, true);
});

test('true is said only after the ledger has the share, in order; a refusal of another miner does not wait', async (t) => {
  const pool = await open(t);
  pool.source.give();
  const [a, b] = [await StratumClient.miner(pool.port), await StratumClient.miner(pool.port)];
  const notify = await a.notify();
  await b.notify();
  pool.ledger.mode = 'wait';
  const accepted = a.submit(fields(notify, '00000000'), 'share');
  const pong = a.call('mining.ping', [], 'ping');
  assert.equal(errorCode(await b.submit(['x', 'y'], 7)), 20);
  assert.equal((await b.call('mining.ping', [])).result, 'pong');
  assert.deepEqual(
    a.lines.filter((line) => line.id === 'share' || line.id === 'ping'),
    [],
  );
  pool.ledger.release();
  assert.equal((await accepted).result, true);
  assert.equal((await pong).result, 'pong');
  assert.deepEqual(
    a.lines.slice(-2).map((line) => line.id),
    ['share', 'ping'],
  );
});

test('a share that cannot be recorded gets 20; jobs go on', async (t) => {
  const pool = await open(t);
  pool.source.give({ targetLE: ALL });
  const client = await StratumClient.miner(pool.port);
  const notify = await client.notify();
  pool.ledger.mode = 'fail';
  assert.equal(errorCode(await client.submit(fields(notify, '00000000'))), 20);
  await until(() => pool.source.solves.length === 1);
  pool.source.give({ tip: 2 });
  const next = await client.notify();
  pool.ledger.mode = 'ok';
  assert.equal((await client.submit(fields(next, '00000000'))).result, true);
});

test('before the first template authorize answers true; the job follows when there is one, clean', async (t) => {
  const pool = await open(t);
  const client = await StratumClient.miner(pool.port);
  pool.source.give({ kind: 'plain' });
  const notify = await client.notify();
  assert.equal(notify.params![8], true);
  assert.equal((await client.submit(fields(notify, '00000000'))).result, true);
});

test('several submits in one write, cut anywhere, are answered in their order', async (t) => {
  const pool = await open(t);
  pool.source.give();
  const client = await StratumClient.miner(pool.port);
  const notify = await client.notify();
  const text = Array.from({ length: 40 }, (_, i) => {
    const en2 = (i % 3 === 2 ? 0 : i).toString(16).padStart(8, '0');
    return `${JSON.stringify({ id: i, method: 'mining.submit', params: fields(notify, en2) })}\n`;
  }).join('');
  const done = client.next((line) => line.id === 39);
  for (let at = 0; at < text.length; at += 577) client.send(text.slice(at, at + 577));
  await done;
  const replies = client.lines.filter((line) => typeof line.id === 'number' && line.id < 40);
  assert.deepEqual(
    replies.map((line) => line.id),
    Array.from({ length: 40 }, (_, i) => i),
  );
  assert.deepEqual(
    replies.map((line) => errorCode(line)),
    Array.from({ length: 40 }, (_, i) => (i % 3 === 2 ? 22 : undefined)),
  );
});

test('vardiff: a fast miner gets a higher difficulty, ahead of a new id, and a returning one starts there', async (t) => {
  const vardiff = {
    enabled: true,
    spm_target: 60,
    interval: 1,
    minimum_difficulty: 2 ** -40,
    maximum_difficulty: 2 ** -30,
  };
  const pool = await open(t, { settings: { vardiff } });
  pool.source.give();
  pool.source.onVariant = (): void => void pool.source.give({ kind: 'plain' });
  const client = await StratumClient.miner(pool.port, 'donate.fast');
  let notify = await client.notify();
  let raised = 0;
  for (let i = 0; raised <= ANY_HASH && i < 600; i++) {
    await client.submit(fields(notify, i.toString(16).padStart(8, '0')));
    await new Promise((resolve) => setTimeout(resolve, 10));
    const lines = client.lines;
    const at = lines.findLastIndex((line) => line.method === 'mining.set_difficulty');
    raised = lines[at]!.params![0] as number;
    if (raised > ANY_HASH) {
      await until(() => lines.slice(at).some((line) => line.method === 'mining.notify'));
      const following = lines.slice(at).find((line) => line.method === 'mining.notify')!;
      assert.notEqual(following.params![0], notify.params![0]);
      notify = following;
    }
  }
  assert.ok(raised > ANY_HASH, `still ${raised}`);
  await client.close();
  await until(() => pool.manager.directory.size === 0);
  const back = await StratumClient.miner(pool.port, 'donate.fast');
  const start = (await back.method('mining.set_difficulty')).params![0] as number;
  assert.ok(start >= raised, `${start} is below ${raised}`);
});

test('the directory knows who is there, with difficulty, shares and idleness', async (t) => {
  const pool = await open(t, { settings: { idle_worker_threshold: 1 } });
  pool.source.give();
  const client = await StratumClient.miner(pool.port, 'donate.seen');
  const notify = await client.notify();
  await client.submit(fields(notify, '00000000'));
  const { directory } = pool.manager;
  const info = () => directory.byWorker('stratum', 'donate', 'seen', 1)[0];
  await until(() => info()?.acceptedShares === 1);
  assert.equal(info()!.ip, '127.0.0.1');
  assert.equal(info()!.userAgent, 'test/1');
  assert.equal(info()!.difficulty, ANY_HASH);
  assert.equal(info()!.id, client.sessionId);
  await until(() => info()!.idle);
  await client.submit(fields(notify, '00000001'));
  await until(() => !info()!.idle);
  const details = await pool.manager.details(client.sessionId);
  assert.equal(details!.acceptedShares, 2);
  await client.close();
  await until(() => directory.size === 0);
});

test('a miner idle beyond idle_worker_disconnect_threshold is disconnected', async (t) => {
  const pool = await open(t, { settings: { idle_worker_disconnect_threshold: 1 } });
  pool.source.give();
  const client = await StratumClient.miner(pool.port);
  const notify = await client.notify();
  await new Promise((resolve) => setTimeout(resolve, 700));
  await client.submit(fields(notify, '00000000'));
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.equal((await client.call('mining.ping', [])).result, 'pong');
  await client.closed;
});
