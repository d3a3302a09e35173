/**
 * The way from a template to a block on the chain, on a real bcoin node (regtest, segwit active, wallet
 * transactions in the blocks): group of daemons → main chain → job → nonce ground with node:crypto →
 * submission → the node's own word about the block, and the ledger's. Then what becomes of the block:
 * matured, orphaned by a longer chain, submitted again after a restart.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { mainChainSchema } from '../../src/config/schema/chains.ts';
import { DaemonGroup } from '../../src/daemon/group.ts';
import { templateParams } from '../../src/daemon/template-request.ts';
import { RunIdentity } from '../../src/jobs/identity.ts';
import { MainChain } from '../../src/jobs/main-chain.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { silentLog } from '../../src/log.ts';
import type { Job, Solve } from '../../src/ports.ts';
import { startBcoin } from '../support/bcoin.ts';
import type { Bcoin } from '../support/bcoin.ts';
import { eventually, removeFolder, temporaryFolder } from '../support/servers.ts';
import { grind, notifyParams } from '../unit/jobs/notify-miner.ts';

const EXTRANONCE = Buffer.from('a1a2a3a4b1b2b3b4', 'hex');
const MATURITY = 5;

interface Pool {
  readonly ledger: Ledger;
  readonly group: DaemonGroup;
  readonly chain: MainChain;
}

interface NodeBlock {
  readonly confirmations: number;
  readonly height: number;
  readonly tx: readonly string[];
}

let node: Bcoin;
const folder = temporaryFolder('jobs-submit');

async function startPool(ledgerName: string): Promise<Pool> {
  const ledger = await Ledger.open({
    path: join(folder, ledgerName),
    synchronous: 'normal',
    serverNumber: 0,
    retention: { sharesHours: 24, slicesDays: null, blocksDays: null },
    log: silentLog,
  });
  const { host, port, user: username, password } = node.rpc;
  const group = new DaemonGroup({
    key: 'bcoin',
    currency: 'BTC',
    daemons: [
      {
        key: `${host}:${port}`,
        host,
        port,
        username,
        password,
        priority: 0,
        maxConnections: 4,
        timeoutMs: 5000,
      },
    ],
    blockPollMs: 50,
    jobRefreshMs: 500,
    pingMs: 500,
    poll: true,
    longpoll: false,
    templateParams: () => templateParams(),
    clock: systemClock,
    log: silentLog,
  });
  const chain = new MainChain({
    key: 'BTC',
    settings: mainChainSchema.parse({
      coinservs: [{ address: host, port }],
      algo: 'sha256d',
      currency: 'BTC',
      pool_address: node.address,
      maturity: MATURITY,
    }),
    algorithm: 'sha256d',
    diff1: 0xffffn << 208n,
    extranonceSize: EXTRANONCE.length,
    group,
    blockLog: ledger.blocks,
    identity: new RunIdentity(0),
    clock: systemClock,
    log: silentLog,
    count: () => {},
  });
  await chain.start();
  await group.start();
  return { ledger, group, chain };
}

/** In the order of the pool: what delivers ends first, the ledger last. */
async function stopPool(pool: Pool): Promise<void> {
  await pool.group.stop();
  await pool.chain.stop();
  await pool.ledger.stop();
}

function solve(job: Job): { readonly solve: Solve; readonly hash: string } {
  const { header, hashLE } = grind(notifyParams(job.notify), EXTRANONCE);
  const hash = Buffer.from(hashLE.toReversed()).toString('hex');
  return {
    hash,
    solve: {
      jobId: job.id,
      chains: ['BTC'],
      header,
      extranonce: EXTRANONCE,
      powHashLE: hashLE,
      address: 'miner',
      worker: 'rig',
      server: 'stratum',
      difficulty: 1,
      time: systemClock.now(),
    },
  };
}

async function stateOf(pool: Pool, hash: string): Promise<string | undefined> {
  const rows = await pool.ledger.query.blocks({});
  return rows.find((row) => row.hashHexBE === hash)?.state;
}

before(async () => {
  node = await startBcoin({ blocks: 120 });
});

after(async () => {
  await node.stop();
  removeFolder(folder);
});

test('a solved job with wallet transactions becomes a block on the chain, and matures', async (t) => {
  // Before the first template: bcoin makes one with new transactions only every ten seconds.
  const sent = await node.send(6);
  const pool = await startPool('first.db');
  t.after(() => stopPool(pool));
  await eventually('a job with the transactions', () => {
    const job = pool.chain.current();
    return job !== undefined && job.branch.length === 3 * 32;
  });
  const job = pool.chain.current();
  assert.ok(job !== undefined);
  const found = solve(job);
  pool.chain.solved(found.solve);
  pool.chain.solved(found.solve);
  await eventually('a job on the new block', () => pool.chain.current()?.tip === job.tip + 1);
  const block = (await node.cli('getblock', [found.hash])) as NodeBlock;
  assert.equal(block.height, job.height);
  assert.deepEqual(block.tx.slice(1).toSorted(), sent.toSorted());
  assert.equal(await node.cli('getbestblockhash'), found.hash);
  assert.equal(pool.chain.current()?.clean, true);
  await eventually(
    'the ledger has it',
    async () => (await stateOf(pool, found.hash)) === 'accepted',
  );
  const rows = await pool.ledger.query.blocks({});
  assert.equal(rows.length, 1, 'a replayed solve is not logged again');
  assert.deepEqual(
    rows[0]?.answers.map((one) => one.answer),
    ['accepted'],
  );
  assert.ok((rows[0]?.fees ?? 0n) > 0n);
  await node.mine(MATURITY - 1);
  await eventually('it matures', async () => (await stateOf(pool, found.hash)) === 'matured');
});

test('a late solution of a stale job is submitted too, and recorded as out of the best chain', async (t) => {
  const pool = await startPool('second.db');
  t.after(() => stopPool(pool));
  await eventually('a job', () => pool.chain.current() !== undefined);
  const stale = pool.chain.current();
  assert.ok(stale !== undefined);
  const found = solve(stale);
  await node.mine(1);
  await eventually('a newer job', () => (pool.chain.current()?.tip ?? 0) > stale.tip);
  pool.chain.solved(found.solve);
  await eventually('the node has it', async () => (await stateOf(pool, found.hash)) === 'accepted');
  const best = await node.cli('getblockhash', [stale.height]);
  assert.notEqual(best, found.hash, 'the node keeps the block it saw first');
  await node.mine(1);
  await eventually('it is orphaned', async () => (await stateOf(pool, found.hash)) === 'orphaned');
});

test('a block found while no daemon lives is submitted after a restart', async (t) => {
  const first = await startPool('third.db');
  let isStopped = false;
  t.after(async () => {
    if (!isStopped) await stopPool(first);
  });
  await eventually('a job', () => first.chain.current() !== undefined);
  const job = first.chain.current();
  assert.ok(job !== undefined);
  const found = solve(job);
  // The group stops first, so that no daemon is there when the solution comes.
  await first.group.stop();
  first.chain.solved(found.solve);
  assert.equal((await first.ledger.blocks.pending()).length, 1);
  await stopPool(first);
  isStopped = true;
  assert.notEqual(await node.cli('getbestblockhash'), found.hash);
  const second = await startPool('third.db');
  t.after(() => stopPool(second));
  await eventually('it is on the chain', async () => {
    return (await node.cli('getbestblockhash')) === found.hash;
  });
  await eventually('it is settled', async () => (await stateOf(second, found.hash)) === 'accepted');
  second.chain.solved({ ...found.solve, jobId: second.chain.current()?.id ?? '' });
  assert.equal((await second.ledger.query.blocks({})).length, 1);
});
