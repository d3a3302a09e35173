/**
 * A found block is never lost (design rule 5): a process that dies by SIGKILL in the very turn in which
 * append() returned leaves the block to the next start, whole; answers and states are recorded, a
 * replayed solve is recognised, damaged files are left alone, and a directory that cannot be written
 * raises an alarm without losing the block while the process lives.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { Log } from '../../src/log.ts';
import { silentLog } from '../../src/log.ts';
import type { SolvedBlock } from '../../src/ports.ts';

const HASH = '00000000000000000002a7c4c1e48d76c5a37902165a270156b7a8d72728a054';

function block(hex: string, changes: Partial<SolvedBlock> = {}): SolvedBlock {
  return {
    chain: 'LTC main/1',
    currency: 'LTC',
    algorithm: 'scrypt',
    hashHexBE: HASH,
    height: 2_500_000,
    address: 'addr',
    worker: 'rig 1',
    server: 'stratum',
    time: 1_795_391_400_000,
    totalSubsidy: 2n ** 60n + 1n,
    fees: 12_345n,
    bitsHex: '1a01b2c3',
    merged: false,
    networkDifficulty: 3.5e7,
    submit: { kind: 'block', hex: Buffer.from(hex, 'latin1'), workId: 'w-1' },
    ...changes,
  };
}

async function temp(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'powerpool-blocks-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return join(directory, 'ledger.db');
}

async function openLedger(t: TestContext, path: string, log: Log = silentLog): Promise<Ledger> {
  const ledger = await Ledger.open({
    path,
    synchronous: 'normal',
    serverNumber: 0,
    retention: { sharesHours: 24, slicesDays: 365, blocksDays: null },
    log,
  });
  t.after(() => ledger.stop());
  return ledger;
}

async function untilEmpty(directory: string): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if ((await readdir(directory)).length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`files are left in ${directory}`);
}

test('a block survives SIGKILL in the turn in which append returned', async (t) => {
  const path = await temp(t);
  const hex = randomBytes(500_000).toString('hex');
  const source = (file: string) =>
    JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href);
  const script = `${path}.mjs`;
  await writeFile(
    script,
    `import { Ledger } from ${source('ledger/ledger.ts')};
     import { silentLog } from ${source('log.ts')};
     const ledger = await Ledger.open({ path: ${JSON.stringify(path)}, synchronous: 'normal',
       serverNumber: 0, retention: { sharesHours: 24, slicesDays: 365, blocksDays: null },
       log: silentLog });
     ledger.blocks.append({ chain: 'LTC main/1', currency: 'LTC', algorithm: 'scrypt',
       hashHexBE: '${HASH}', height: 2500000, address: 'addr', worker: 'rig 1', server: 'stratum',
       time: 1795391400000, totalSubsidy: 2n ** 60n + 1n, fees: 12345n, bitsHex: '1a01b2c3',
       merged: false, networkDifficulty: 3.5e7,
       submit: { kind: 'block', hex: Buffer.from('${hex}', 'latin1'), workId: 'w-1' } });
     process.kill(process.pid, 'SIGKILL');`,
  );
  const dying = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  assert.equal(dying.signal, 'SIGKILL', dying.stderr);
  const ledger = await openLedger(t, path);
  const expected = block(hex);
  const [pending, ...more] = await ledger.blocks.pending();
  assert.deepEqual(more, []);
  assert.deepEqual(
    { ...pending, submit: { ...pending!.submit, hex: Buffer.from(pending!.submit.hex) } },
    expected,
  );
  assert.equal(ledger.blocks.append(expected), false, 'a replayed solve is a duplicate');
});

test('answers and states are recorded; the file goes once a daemon has answered', async (t) => {
  const path = await temp(t);
  const first = await openLedger(t, path);
  const solved = block('00ff'.repeat(1000));
  assert.equal(first.blocks.append(solved), true);
  assert.equal(first.blocks.append(solved), false);
  assert.equal(first.blocks.append(block('01', { chain: 'DOGE' })), true, 'the key has the chain');
  const answers = [
    { daemon: '127.0.0.1:9332', time: 1_795_391_400_010, answer: 'accepted' },
    { daemon: '127.0.0.1:9333', time: 1_795_391_400_020, answer: 'duplicate' },
  ];
  for (const answer of answers) first.blocks.answered(solved.chain, HASH, answer);
  first.blocks.settled(solved.chain, HASH, 'accepted');
  assert.deepEqual(
    (await first.blocks.pending()).map(({ chain }) => chain),
    ['DOGE'],
  );
  first.blocks.settled('DOGE', HASH, 'rejected');
  await untilEmpty(`${path}.blocks`);
  assert.deepEqual(await first.blocks.unsettled(solved.chain), [
    { hashHexBE: HASH, height: 2_500_000, state: 'accepted' },
  ]);
  await first.stop();

  const second = await openLedger(t, path);
  assert.equal(second.blocks.append(solved), false);
  const [row] = await second.query.blocks({ chain: solved.chain });
  assert.deepEqual(row?.answers, answers);
  assert.deepEqual(
    [row?.state, row?.totalSubsidy, row?.fees, row?.worker, row?.bitsHex],
    ['accepted', 2n ** 60n + 1n, 12_345n, 'rig 1', '1a01b2c3'],
  );
  second.blocks.settled(solved.chain, HASH, 'matured');
  assert.deepEqual(await second.blocks.unsettled(solved.chain), []);
  assert.deepEqual(await second.blocks.pending(), []);
});

test('torn and damaged files are named in the log and left where they are', async (t) => {
  const path = await temp(t);
  const first = await openLedger(t, path);
  first.blocks.append(block('00ff'));
  await first.stop();
  const directory = `${path}.blocks`;
  await writeFile(join(directory, 'LTC-x.block'), '{"chain":"LTC","hexBytes":10}\n00');
  await writeFile(join(directory, 'LTC-y.block.tmp'), '{"cha');
  const lines: string[] = [];
  const log: Log = { ...silentLog, error: (m) => lines.push(m), warn: (m) => lines.push(m) };
  const second = await openLedger(t, path, log);
  assert.equal((await second.blocks.pending()).length, 1);
  assert.ok(lines.some((line) => line.includes('LTC-x.block')));
  assert.ok(lines.some((line) => line.includes('LTC-y.block.tmp')));
  assert.equal((await readdir(directory)).length, 3);
});

test('a block that cannot be written as a file raises BLOCK_LOG and is still entered and pending', async (t) => {
  const path = await temp(t);
  const ledger = await openLedger(t, path);
  await rm(`${path}.blocks`, { recursive: true });
  assert.throws(() => ledger.blocks.append(block('00ff')), { code: 'BLOCK_LOG' });
  assert.equal(ledger.blocks.append(block('00ff')), false, 'known all the same');
  const [pending] = await ledger.blocks.pending();
  assert.equal(Buffer.from(pending!.submit.hex).toString('latin1'), '00ff');
});

test('what an aux block pays can be recorded after it was found', async (t) => {
  const path = await temp(t);
  const first = await openLedger(t, path);
  const submit = { kind: 'submitauxblock', hex: Buffer.from('ab'), daemon: 'doge:22555' } as const;
  const found = block('', { merged: true, totalSubsidy: null, fees: null, submit });
  first.blocks.append(found);
  first.blocks.valued(found.chain, HASH, 2n ** 60n + 3n);
  await first.stop();
  const second = await openLedger(t, path);
  const [pending] = await second.blocks.pending();
  assert.equal(pending?.totalSubsidy, 2n ** 60n + 3n);
  assert.equal(pending.fees, null);
  assert.equal(pending.submit.daemon, 'doge:22555');
});
