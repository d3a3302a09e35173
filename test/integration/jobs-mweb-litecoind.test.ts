/**
 * Blocks on real Litecoin Core (regtest, scrypt by node:crypto): the first one of MWEB with a peg-in, the
 * ones after it with a HogEx, and one with ordinary transactions beside it. Two nodes, as Litecoin serves
 * templates only with a peer. What counts is the daemon's word about each block.
 */
import assert from 'node:assert/strict';
import { scryptSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { mainChainSchema } from '../../src/config/schema/chains.ts';
import { DaemonGroup } from '../../src/daemon/group.ts';
import { templateParams } from '../../src/daemon/template-request.ts';
import { RunIdentity } from '../../src/jobs/identity.ts';
import { MainChain } from '../../src/jobs/main-chain.ts';
import { silentLog } from '../../src/log.ts';
import type { Job } from '../../src/ports.ts';
import { startLitecoinPair } from '../support/litecoind.ts';
import type { Litecoind } from '../support/litecoind.ts';
import { display, doubleSha } from '../support/oracle.ts';
import { eventually } from '../support/servers.ts';
import { grind, notifyParams } from '../unit/jobs/notify-miner.ts';
import { MemoryBlockLog } from '../unit/jobs/support.ts';

const EXTRANONCE = Buffer.from('0011223344556677', 'hex');
/** BIP9 on regtest: active after three windows of 144 blocks. */
const MWEB_HEIGHT = 432;

interface NodeBlock {
  readonly height: number;
  readonly tx: readonly string[];
}

let nodes: readonly [Litecoind, Litecoind];
let group: DaemonGroup;
let chain: MainChain;
const blockLog = new MemoryBlockLog();

before(async () => {
  nodes = await startLitecoinPair();
  const [node] = nodes;
  await node.cli('createwallet', ['pool']);
  const address = (await node.cli('getnewaddress')) as string;
  await node.mine(MWEB_HEIGHT - 1, address);
  // The template of the activation block fails until there is a peg-in.
  const hidden = await node.cli('getnewaddress', ['', 'mweb']);
  await node.cli('sendtoaddress', [hidden, 1]);
  group = new DaemonGroup({
    key: 'litecoind',
    currency: 'LTC',
    daemons: [
      {
        key: `${node.host}:${node.rpcPort}`,
        host: node.host,
        port: node.rpcPort,
        username: node.user,
        password: node.password,
        priority: 0,
        maxConnections: 4,
        timeoutMs: 15_000,
      },
    ],
    blockPollMs: 50,
    jobRefreshMs: 300,
    pingMs: 500,
    poll: true,
    longpoll: false,
    templateParams: () => templateParams(),
    clock: systemClock,
    log: silentLog,
  });
  chain = new MainChain({
    key: 'LTC',
    settings: mainChainSchema.parse({
      coinservs: [{ address: node.host, port: node.rpcPort }],
      algo: 'scrypt',
      currency: 'LTC',
      pool_address: address,
    }),
    algorithm: 'scrypt',
    diff1: 0xffffn << 224n,
    extranonceSize: EXTRANONCE.length,
    group,
    blockLog,
    identity: new RunIdentity(0),
    clock: systemClock,
    log: silentLog,
    count: () => {},
  });
  await chain.start();
  await group.start();
});

after(async () => {
  await group.stop();
  await chain.stop();
  await Promise.all(nodes.map((node) => node.stop()));
});

const scrypt = (header: Uint8Array): Uint8Array =>
  scryptSync(header, header, 32, { N: 1024, r: 1, p: 1 });

/** Solves the job and returns the daemon's view of the block once it is the daemon's best. */
async function mineOn(job: Job): Promise<NodeBlock> {
  const { header, hashLE } = grind(notifyParams(job.notify), EXTRANONCE, scrypt);
  chain.solved({
    jobId: job.id,
    chains: ['LTC'],
    header,
    extranonce: EXTRANONCE,
    powHashLE: hashLE,
    address: 'miner',
    worker: '',
    server: 'stratum',
    difficulty: 1,
    time: systemClock.now(),
  });
  const hash = display(doubleSha(header));
  await eventually('the daemon has answered', () =>
    blockLog.events.some((event) => event.endsWith(` ${hash}`) && !event.startsWith('append')),
  );
  assert.ok(blockLog.events.includes(`accepted ${hash}`), blockLog.events.slice(-3).join('; '));
  assert.equal(await nodes[0].cli('getbestblockhash'), hash);
  return (await nodes[0].cli('getblock', [hash])) as NodeBlock;
}

async function jobAt(height: number, transactions: number): Promise<Job> {
  await eventually(`a job for block ${height} with ${transactions} transactions`, () => {
    const work = chain.status()['net_state'] as { height: number; transactions: number };
    return work.height === height && work.transactions >= transactions;
  });
  const job = chain.current();
  assert.ok(job !== undefined);
  return job;
}

test('blocks from the activation of MWEB on are accepted, with peg-in and HogEx', async () => {
  const [node] = nodes;
  const first = await mineOn(await jobAt(MWEB_HEIGHT, 1));
  assert.equal(first.height, MWEB_HEIGHT);
  assert.ok(first.tx.length >= 2, 'coinbase and the peg-in at least');
  const second = await mineOn(await jobAt(MWEB_HEIGHT + 1, 1));
  const hogEx = second.tx.at(-1);
  const raw = (await node.cli('getrawtransaction', [
    hogEx,
    false,
    await node.cli('getbestblockhash'),
  ])) as string;
  assert.equal(raw.slice(8, 12), '0008', 'the last transaction is a HogEx');
  const sent: unknown[] = [];
  for (let count = 0; count < 3; count += 1) {
    const target = await node.cli('getnewaddress');
    sent.push(await node.cli('sendtoaddress', [target, 0.5]));
  }
  const hidden = await node.cli('getnewaddress', ['', 'mweb']);
  sent.push(await node.cli('sendtoaddress', [hidden, 0.25]));
  const third = await mineOn(await jobAt(MWEB_HEIGHT + 2, 4));
  // The wallet pays one of the four out of its MWEB coin: that one is inside the extension block.
  const seen = sent.filter((txid) => third.tx.includes(String(txid)));
  assert.equal(seen.length, 3);
});
