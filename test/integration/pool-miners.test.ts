/**
 * Miners' habits on the whole product: `powerpool mine` with and without version rolling, also over a
 * restart of the pool; and a session as cpuminer has it, which subscribes to extranonce changes with id 3
 * after it was authorized and sends every submit with id 4. What was accepted must be in the ledger, and
 * rolled version bits in the blocks of the daemon.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startBcoin } from '../support/bcoin.ts';
import type { Bcoin } from '../support/bcoin.ts';
import { mineShares, poolConfig } from '../support/pool-config.ts';
import type { PoolConfig } from '../support/pool-config.ts';
import { readShares } from '../support/pool-ledger.ts';
import { PoolProcess } from '../support/pool-process.ts';
import { StratumClient } from '../support/stratum-client.ts';
import type { Line } from '../support/stratum-client.ts';
import { eventually, removeFolder, temporaryFolder } from '../support/servers.ts';
import { startTemplateDaemon } from '../support/template-daemon.ts';
import type { TemplateDaemon } from '../support/template-daemon.ts';
import { minerHeader } from '../unit/jobs/notify-miner.ts';
import type { NotifyParams } from '../unit/jobs/notify-miner.ts';
import { doubleSha } from '../support/oracle.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/powerpool.js', import.meta.url));
/** About 4,300 hashes a share. */
const DIFFICULTY = 2 ** -20;

/** `powerpool mine` until it is stopped. */
class Miner {
  output = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(port: number, args: readonly string[] = []) {
    const url = `stratum+tcp://127.0.0.1:${port}`;
    this.#child = spawn(process.execPath, [LAUNCHER, 'mine', '--url', url, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#closed = new Promise((resolve) => this.#child.once('close', resolve));
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
  }

  get accepted(): number {
    return this.output.split('"share accepted"').length - 1;
  }

  async moreShares(count: number): Promise<void> {
    const from = this.accepted;
    await eventually(`${count} shares more`, () => this.accepted >= from + count, 20_000);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#closed;
  }
}

describe("miners' habits", () => {
  let chain: Bcoin;
  let daemon: TemplateDaemon;
  let config: PoolConfig;
  const folder = temporaryFolder('pool-miners');
  let pool: PoolProcess;

  const start = async (): Promise<void> => {
    pool = new PoolProcess({ config: config.text, monitorPort: config.monitorPort, folder });
    await pool.ready();
  };

  before(async () => {
    chain = await startBcoin();
    // Blocks are not what this is about: with these bits no CPU finds one.
    daemon = await startTemplateDaemon({ bits: 0x1d00ffff });
    config = await poolConfig({
      algo: 'sha256d',
      currency: 'BTC',
      poolAddress: chain.address,
      daemons: [{ port: daemon.port, user: daemon.user, password: daemon.password }],
      difficulty: DIFFICULTY,
      stratum: { push_job_interval: 1 },
    });
    await start();
  });
  after(async () => {
    pool.kill('SIGKILL');
    await pool.exited;
    await daemon.stop();
    await chain.stop();
    removeFolder(folder);
  });

  it('`powerpool mine` rolls version bits, and the daemon takes such blocks', async (t) => {
    const real = await poolConfig({
      algo: 'sha256d',
      currency: 'BTC',
      poolAddress: chain.address,
      daemons: [chain.rpc],
      difficulty: DIFFICULTY,
    });
    const other = new PoolProcess({ config: real.text, monitorPort: real.monitorPort });
    t.after(() => other.stop());
    await other.ready();
    await mineShares(real.stratumPort, { shares: 3, user: `${chain.address}.rig` });
    // The last block of it may be under way.
    await eventually('a job on the newest block', async () => {
      const view = await other.view<{ net_state: { prev_hash: string; height: number } }>('/BTC/');
      const { prev_hash, height } = view.net_state;
      return height > 1 && prev_hash === (await chain.cli('getbestblockhash'));
    });
    const miner = await StratumClient.open(real.stratumPort);
    const mask = await miner.call('mining.configure', [
      ['version-rolling'],
      { 'version-rolling.mask': '1fffe000', 'version-rolling.min-bit-count': 2 },
    ]);
    assert.deepEqual(mask.result, {
      'version-rolling': true,
      'version-rolling.mask': '1fffe000',
    });
    await miner.subscribe();
    await miner.call('mining.authorize', [chain.address, 'x']);
    const params = [...((await miner.notify()).params as NotifyParams)] as NotifyParams;
    const rolled = 0x00c00000;
    params[5] = (Number.parseInt(params[5], 16) | rolled).toString(16).padStart(8, '0');
    const share = solve(miner, params, 0x207fffff);
    const bits = rolled.toString(16).padStart(8, '0');
    const reply = await miner.submit([chain.address, params[0], ...share.fields, bits]);
    assert.equal(reply.result, true, JSON.stringify(reply));
    await other.logged(new RegExp(`on block \\d+: accepted".*|"hash":"${share.hash}"`));
    assert.equal(await chain.cli('getbestblockhash'), share.hash, other.output);
    const block = (await chain.cli('getblock', [share.hash])) as { version: number };
    assert.equal((block.version & rolled) >>> 0, rolled);
    await miner.close();
  });

  it('mines without version rolling', async () => {
    const miner = new Miner(config.stratumPort, ['--no-version-rolling']);
    await miner.moreShares(3);
    await miner.stop();
    assert.doesNotMatch(miner.output, /refused|rejected":[1-9]/);
  });

  it('connects again after a restart of the pool and mines on', async () => {
    const miner = new Miner(config.stratumPort);
    await miner.moreShares(3);
    pool.kill('SIGTERM');
    assert.equal((await pool.exited).code, 0);
    await start();
    await miner.moreShares(3);
    pool.kill('SIGKILL');
    await pool.exited;
    await start();
    await miner.moreShares(3);
    await miner.stop();
    await eventually('all of it is in the ledger', () => readShares(folder).length >= 12);
    const prints = readShares(folder).map(({ fingerprint }) => fingerprint);
    assert.equal(new Set(prints).size, prints.length);
  });

  it('a session as cpuminer has it: every submit has id 4', async () => {
    const from = readShares(folder).length;
    const miner = await StratumClient.open(config.stratumPort);
    const subscribed = await miner.call('mining.subscribe', ['cpuminer-multi/1.3.7'], 1);
    const [, extranonce1, size] = subscribed.result as [unknown, string, number];
    miner.extranonce1 = extranonce1;
    miner.extranonce2Size = size;
    const authorized = await miner.call('mining.authorize', ['donate.cpu', 'x'], 2);
    assert.equal(authorized.result, true);
    const extranonce = await miner.call('mining.extranonce.subscribe', [], 3);
    assert.equal(extranonce.result, true);
    const notify = miner.lines.find(({ method }) => method === 'mining.notify');
    const params = (notify ?? (await miner.notify())).params as NotifyParams;
    // The third is a repeat of the second: the answers come in the order of the submits.
    const shares = [0, 1, 1, 2].map((n) => solve(miner, params, undefined, n));
    const seen = miner.lines.length;
    for (const { fields } of shares) {
      miner.say({ id: 4, method: 'mining.submit', params: ['donate.cpu', params[0], ...fields] });
    }
    const answers = (): Line[] => miner.lines.slice(seen).filter(({ id }) => id === 4);
    await eventually('four answers', () => answers().length === 4);
    assert.deepEqual(
      answers().map(({ result, error }) => (result === true ? true : error?.[0])),
      [true, true, 22, true],
    );
    const recorded = readShares(folder)
      .filter(({ kind }) => kind === 0)
      .slice(from)
      .map(({ fingerprint }) => fingerprint);
    const expected = [0, 1, 3].map((i) => shares[i]!.fingerprint);
    for (const one of expected) assert.ok(recorded.includes(one));
    await miner.close();
  });
});

/** A share of DIFFICULTY, and of `bits` where a block is wanted. */
function solve(
  miner: StratumClient,
  params: NotifyParams,
  bits: number | undefined,
  extranonce2Number = 0,
): { fields: readonly [string, string, string]; hash: string; fingerprint: string } {
  const [, , , , , , , time] = params;
  const extranonce2 = extranonce2Number.toString(16).padStart(miner.extranonce2Size * 2, '0');
  const header = minerHeader(params, Buffer.from(miner.extranonce1 + extranonce2, 'hex'));
  // Difficulty 1 is 0xffff × 2^208.
  const shareTarget = (0xffffn << 208n) * 2n ** 20n;
  const blockTarget =
    bits === undefined ? shareTarget : BigInt(bits & 0x7fffff) << BigInt(8 * ((bits >>> 24) - 3));
  for (let nonce = 0; nonce < 1_000_000; nonce += 1) {
    header.writeUInt32LE(nonce, 76);
    const hash = doubleSha(header);
    const hex = Buffer.from(hash.toReversed()).toString('hex');
    const value = BigInt(`0x${hex}`);
    if (value > shareTarget || value > blockTarget) continue;
    const word = nonce.toString(16).padStart(8, '0');
    return {
      fields: [extranonce2, time, word],
      hash: hex,
      fingerprint: hash.toString('hex', 0, 8),
    };
  }
  throw new Error('no share found');
}
