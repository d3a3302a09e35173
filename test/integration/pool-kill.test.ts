/**
 * Acknowledged means recorded (design rule 3), seen by miners of the whole product: two pools, each under
 * load by four connections with pipelined submits, are killed with SIGKILL at random moments and started
 * again over the same ledger, 100 times together; some kills come while a pool starts, and tips change
 * meanwhile. Afterwards the share files are read with the test's own decoder and compared with the miners'
 * books: told ⊆ ledger, ledger ∖ told ⊆ sent and unanswered, nothing twice. A share is known by the first
 * bytes of its hash, which the miners compute with node:crypto. The moments come from a printed seed.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bech32 } from '@scure/base';
import { poolConfig } from '../support/pool-config.ts';
import type { PoolConfig } from '../support/pool-config.ts';
import { readShares } from '../support/pool-ledger.ts';
import { PoolProcess } from '../support/pool-process.ts';
import { seededRandom } from '../support/random.ts';
import { ScriptMiner } from '../support/script-miner.ts';
import type { SentShare } from '../support/script-miner.ts';
import { removeFolder, temporaryFolder } from '../support/servers.ts';
import { startTemplateDaemon } from '../support/template-daemon.ts';

const KILLS = Number(process.env['POOL_KILLS'] ?? 100);
const SEED = Number(process.env['POOL_KILL_SEED'] ?? 20261123);
const POOLS = 2;
const MINERS = 4;
const WINDOW = 16;
/** Blocks of real Bitcoin's first difficulty: no miner here finds one. */
const BITS = 0x1d00ffff;
/** Every hash is a share. */
const ANY_HASH = 2 ** -40;

interface Outcome {
  readonly kills: number;
  readonly killedWhileStarting: number;
  readonly sent: number;
  readonly told: number;
  readonly recorded: number;
  readonly unanswered: number;
  readonly meanStartMs: number;
}

/** The books of all miners of one pool, over all its lives. */
class Books {
  readonly told = new Set<string>();
  readonly refused = new Set<string>();
  readonly unanswered = new Set<string>();
  sent = 0;

  enter(shares: readonly SentShare[]): void {
    this.sent += shares.length;
    for (const { fingerprint, answer, isRepeat } of shares) {
      if (answer === true) {
        assert.ok(!this.told.has(fingerprint), `${fingerprint} was accepted twice`);
        this.told.add(fingerprint);
      } else if (answer === undefined) this.unanswered.add(fingerprint);
      // A repeat is refused as it should be: that says nothing about the share itself.
      else if (!isRepeat) this.refused.add(fingerprint);
    }
  }

  compare(folder: string): { readonly recorded: number; readonly unanswered: number } {
    const recorded = new Set<string>();
    for (const { fingerprint, difficulty, kind } of readShares(folder)) {
      if (kind !== 0) continue;
      assert.ok(!recorded.has(fingerprint), `${fingerprint} stands in the ledger twice`);
      assert.equal(difficulty, ANY_HASH);
      recorded.add(fingerprint);
    }
    for (const one of this.told) assert.ok(recorded.has(one), `${one} was told, is not recorded`);
    const untold = [...recorded].filter((one) => !this.told.has(one));
    for (const one of untold) {
      assert.ok(this.unanswered.has(one), `${one} is recorded, was not sent or was refused`);
      assert.ok(!this.refused.has(one), `${one} was refused, is recorded`);
    }
    return { recorded: recorded.size, unanswered: untold.length };
  }
}

/** Connects as soon as the port is open. */
async function connectMiners(config: PoolConfig, pool: PoolProcess): Promise<ScriptMiner[]> {
  let ended = false;
  void pool.exited.then(() => {
    ended = true;
  });
  for (;;) {
    try {
      const first = await ScriptMiner.open(config.stratumPort, { user: 'donate.0' });
      const others = Array.from({ length: MINERS - 1 }, (_, i) =>
        ScriptMiner.open(config.stratumPort, { user: `donate.${i + 1}` }),
      );
      return [first, ...(await Promise.all(others))];
    } catch (error) {
      if (ended) throw new Error(`the pool ended:\n${pool.output}`, { cause: error });
      await sleep(10);
    }
  }
}

async function killOver(
  seed: number,
  kills: number,
  folder: string,
  atEnd: (step: () => unknown) => void,
): Promise<Outcome> {
  const next = seededRandom(seed);
  const daemon = await startTemplateDaemon({ bits: BITS });
  atEnd(() => daemon.stop());
  const config = await poolConfig({
    algo: 'sha256d',
    currency: 'BTC',
    poolAddress: bech32.encode('bcrt', [0, ...bech32.toWords(new Uint8Array(20))]),
    daemons: [{ port: daemon.port, user: daemon.user, password: daemon.password }],
    difficulty: ANY_HASH,
    stratum: { limits: { requests_per_second: 1e6 } },
  });
  // Modules compiled once, by a first start that ends in order: it is starts that take the time here.
  const env = { NODE_COMPILE_CACHE: join(folder, 'compiled') };
  const { text, monitorPort } = config;
  const start = (): PoolProcess => {
    const pool = new PoolProcess({ config: text, monitorPort, folder, env });
    atEnd(() => pool.kill('SIGKILL'));
    return pool;
  };
  const first = start();
  await first.ready();
  await first.stop({ keep: true });
  const books = new Books();
  let killedWhileStarting = 0;
  let startMs = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    const from = performance.now();
    const pool = start();
    if (next() < 0.1) {
      await sleep(next() * 1000);
      killedWhileStarting += 1;
      pool.kill('SIGKILL');
      await pool.exited;
      continue;
    }
    const miners = await connectMiners(config, pool);
    startMs += performance.now() - from;
    for (const miner of miners) miner.run(WINDOW, { repeatEvery: 20 });
    if (next() < 0.3) daemon.newTip();
    await sleep(next() * 300);
    pool.kill('SIGKILL');
    await Promise.all([pool.exited, ...miners.map((miner) => miner.closed)]);
    for (const miner of miners) books.enter(miner.shares);
    if (kill % 10 === 9) books.compare(folder);
  }
  const { recorded, unanswered } = books.compare(folder);
  const meanStartMs = Math.round(startMs / (kills - killedWhileStarting));
  const { sent, told } = books;
  return {
    kills,
    killedWhileStarting,
    sent,
    told: told.size,
    recorded,
    unanswered,
    meanStartMs,
  };
}

test(`told is recorded, nothing twice, over ${KILLS} kills of the pool`, async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const folders = Array.from({ length: POOLS }, () => temporaryFolder('pool-kill'));
  t.after(() => folders.forEach(removeFolder));
  const runs = await Promise.allSettled(
    folders.map((folder, i) =>
      killOver(SEED + i, Math.ceil(KILLS / POOLS), folder, (step) => t.after(step)),
    ),
  );
  for (const run of runs) {
    if (run.status === 'rejected') throw run.reason;
    t.diagnostic(JSON.stringify(run.value));
    assert.ok(run.value.told > run.value.kills * 50, 'hardly any load');
  }
});
