/**
 * Stopping and starting the whole product: a signal stops the listeners, commits what is pending and ends
 * with status 0 within term_timeout; a second signal ends a stop that hangs at once; a port or a ledger
 * in use is a clear error with status 1; a restart continues the ledger.
 */
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bech32 } from '@scure/base';
import { poolConfig } from '../support/pool-config.ts';
import type { PoolConfig } from '../support/pool-config.ts';
import { readShares } from '../support/pool-ledger.ts';
import { PoolProcess } from '../support/pool-process.ts';
import type { Exit } from '../support/pool-process.ts';
import { ScriptMiner } from '../support/script-miner.ts';
import { eventually, removeFolder, temporaryFolder } from '../support/servers.ts';
import { startTemplateDaemon } from '../support/template-daemon.ts';
import type { TemplateDaemon } from '../support/template-daemon.ts';

const ANY_HASH = 2 ** -40;
const TERM_TIMEOUT_S = 4;
/** Every hash is a share and none is a block. */
const NO_BLOCKS = 0x1d00ffff;

/** Keeps every writer out of the ledger's files, as a broken disk or another program would. */
function holdLedger(folder: string): DatabaseSync[] {
  const files = globSync(join(folder, '*', 'ledger.db*')).filter((file) =>
    /ledger\.db(?:\.shares-\d{8})?$/.test(file),
  );
  assert.ok(files.length >= 2);
  return files.map((file) => {
    const db = new DatabaseSync(file);
    db.exec('BEGIN IMMEDIATE');
    return db;
  });
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

describe('stopping a pool', () => {
  let daemon: TemplateDaemon;
  let folder: string;
  const running = new Set<PoolProcess>();

  const configFor = (port: number, over: Record<string, unknown> = {}): Promise<PoolConfig> =>
    poolConfig({
      algo: 'sha256d',
      currency: 'BTC',
      poolAddress: bech32.encode('bcrt', [0, ...bech32.toWords(new Uint8Array(20))]),
      daemons: [{ port, user: daemon.user, password: daemon.password }],
      difficulty: ANY_HASH,
      pool: { term_timeout: TERM_TIMEOUT_S },
      chain: { rpc_ping_int: 0.3 },
      ...over,
    });
  const run = (config: PoolConfig, inFolder = folder): PoolProcess => {
    const pool = new PoolProcess({
      config: config.text,
      monitorPort: config.monitorPort,
      folder: inFolder,
    });
    running.add(pool);
    return pool;
  };
  const timed = async (pool: PoolProcess): Promise<{ exit: Exit; ms: number }> => {
    const from = performance.now();
    const exit = await pool.exited;
    return { exit, ms: performance.now() - from };
  };

  before(async () => {
    daemon = await startTemplateDaemon({ bits: NO_BLOCKS });
    folder = temporaryFolder('pool-stop');
  });
  afterEach(async () => {
    for (const pool of running) {
      pool.kill('SIGKILL');
      await pool.exited;
    }
    running.clear();
  });
  after(async () => {
    await daemon.stop();
    removeFolder(folder);
  });

  it('every stop signal ends it with status 0, nothing that was answered is lost', async () => {
    const config = await configFor(daemon.port);
    const told: string[] = [];
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      const pool = run(config);
      await pool.ready();
      const miner = await ScriptMiner.open(config.stratumPort);
      miner.run(32);
      await miner.until('some shares', () => miner.told.length > 200);
      pool.kill(signal);
      const { exit, ms } = await timed(pool);
      await miner.closed;
      assert.deepEqual(exit, { code: 0, signal: null }, pool.output);
      assert.ok(ms < TERM_TIMEOUT_S * 1000, `${signal}: ${ms} ms`);
      assert.equal(await isOpen(config.stratumPort), false);
      told.push(...miner.told.map(({ fingerprint }) => fingerprint));
      const recorded = readShares(folder).map(({ fingerprint }) => fingerprint);
      const known = new Set(recorded);
      assert.equal(known.size, recorded.length);
      // Each run goes on where the one before ended: all of them are there.
      assert.deepEqual(
        told.filter((one) => !known.has(one)),
        [],
      );
    }
  });

  it('a stop that hangs ends within term_timeout, and at once at a second signal', async () => {
    const config = await configFor(daemon.port);
    for (const isHurried of [false, true]) {
      const pool = run(config);
      await pool.ready();
      const miner = await ScriptMiner.open(config.stratumPort);
      assert.equal((await miner.share()).answer, true);
      const held = holdLedger(folder);
      const share = miner.submit();
      await sleep(100);
      pool.kill('SIGTERM');
      await pool.logged(/"msg":"stopping"/);
      const ended = timed(pool);
      if (isHurried) pool.kill('SIGTERM');
      const { exit, ms } = await ended;
      held.forEach((db) => db.close());
      // It could not be recorded, so it was not acknowledged, and the pool says that something failed.
      assert.notEqual(share.answer, true);
      assert.deepEqual(
        exit,
        isHurried ? { code: null, signal: 'SIGKILL' } : { code: 1, signal: null },
        pool.output,
      );
      assert.ok(ms < (isHurried ? 1000 : TERM_TIMEOUT_S * 1000 + 3000), `${ms} ms`);
      assert.equal(/"msg":"stopped"/.test(pool.output), !isHurried);
    }
  });

  it('a port in use is a clear error and ends the start', async (t) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    const config = await configFor(daemon.port, { stratum: { port } });
    const own = temporaryFolder('pool-stop');
    t.after(() => removeFolder(own));
    const pool = run(config, own);
    const { exit } = await timed(pool);
    assert.equal(exit.code, 1);
    assert.match(pool.output, new RegExp(`${port}.*EADDRINUSE|EADDRINUSE.*${port}`));
  });

  it('a second pool on the same ledger is refused and leaves the first alone', async () => {
    const config = await configFor(daemon.port);
    const pool = run(config);
    await pool.ready();
    const other = run(await configFor(daemon.port));
    const { exit } = await timed(other);
    assert.equal(exit.code, 1);
    assert.match(other.output, /in use by another PowerPool/);
    const miner = await ScriptMiner.open(config.stratumPort);
    assert.equal((await miner.share()).answer, true);
    await miner.close();
  });

  it('a stop during the start ends it, too', async () => {
    const config = await configFor(daemon.port);
    const pool = run(config);
    await pool.logged(/"msg"/);
    pool.kill('SIGTERM');
    const { exit } = await timed(pool);
    assert.deepEqual(exit, { code: 0, signal: null }, pool.output);
    await eventually('the ledger is free', () => readShares(folder).length > 0);
  });
});
