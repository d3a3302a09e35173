/**
 * What a supervisor is told by the whole product: /healthz says 503 and what is missing until there are a
 * live daemon, a job and open ports, then 200; systemd hears READY=1 then and no sooner, WATCHDOG=1 while
 * it runs and STOPPING=1 when it stops, on a real Unix datagram socket.
 *
 * needs: systemd-notify python3
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bech32 } from '@scure/base';
import { startNotifySocket } from '../support/notify-socket.ts';
import type { NotifySocket } from '../support/notify-socket.ts';
import { poolConfig } from '../support/pool-config.ts';
import type { PoolConfig } from '../support/pool-config.ts';
import { PoolProcess } from '../support/pool-process.ts';
import { freePort } from '../support/ports.ts';
import { ScriptMiner } from '../support/script-miner.ts';
import { eventually, removeFolder } from '../support/servers.ts';
import { TemplateDaemon } from '../support/template-daemon.ts';

const WATCHDOG_MS = 600;

interface Health {
  readonly status: number;
  readonly body: {
    readonly status: string;
    readonly waiting?: readonly { readonly component: string; readonly waiting_for: string }[];
  };
}

describe('a supervised pool', () => {
  let daemon: TemplateDaemon;
  let socket: NotifySocket;
  let config: PoolConfig;
  let pool: PoolProcess;

  /** undefined while the monitor does not listen. */
  const health = async (): Promise<Health | undefined> => {
    try {
      const answer = await fetch(`http://127.0.0.1:${config.monitorPort}/healthz`);
      return { status: answer.status, body: (await answer.json()) as Health['body'] };
    } catch {
      return undefined;
    }
  };

  before(async () => {
    socket = await startNotifySocket();
    // Not there yet when the pool starts.
    daemon = new TemplateDaemon({ bits: 0x1d00ffff, port: await freePort() });
    config = await poolConfig({
      algo: 'sha256d',
      currency: 'BTC',
      poolAddress: bech32.encode('bcrt', [0, ...bech32.toWords(new Uint8Array(20))]),
      daemons: [{ port: daemon.port, user: daemon.user, password: daemon.password }],
      difficulty: 2 ** -40,
      chain: { rpc_ping_int: 0.2 },
    });
    pool = new PoolProcess({
      config: config.text,
      monitorPort: config.monitorPort,
      env: { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: String(WATCHDOG_MS * 1000) },
    });
  });
  after(async () => {
    pool.kill('SIGKILL');
    await pool.exited;
    removeFolder(pool.folder);
    await daemon.stop().catch(() => {});
    await socket.close();
  });

  it('is not ready without a daemon, and says what it waits for', async () => {
    await eventually('the monitor', async () => (await health()) !== undefined, 30_000);
    const { status, body } = (await health())!;
    assert.equal(status, 503);
    assert.deepEqual(
      body.waiting?.map(({ component }) => component),
      ['BTC'],
    );
    await sleep(500);
    assert.equal((await health())!.status, 503);
    assert.equal(socket.of('READY=1').length, 0);
  });

  it('is ready once there are a daemon, a job and a port, and tells systemd', async () => {
    await daemon.start();
    await eventually('it is healthy', async () => (await health())?.status === 200, 15_000);
    assert.deepEqual((await health())!.body, { status: 'ready' });
    await socket.heard('READY=1');
    const miner = await ScriptMiner.open(config.stratumPort);
    assert.equal((await miner.share()).answer, true);
    await miner.close();
  });

  it('feeds the watchdog in time', async () => {
    await socket.heard('WATCHDOG=1', 5);
    const times = socket.of('WATCHDOG=1').map(({ at }) => at);
    const gaps = times.slice(1).map((at, i) => at - times[i]!);
    assert.ok(Math.min(...gaps) > 0 && gaps.length >= 4, String(gaps));
  });

  it('a daemon that goes away leaves the pool ready: the last job stays', async () => {
    await daemon.stop();
    await eventually('the daemon counts as down', async () => {
      const view = await pool.view<{ live_coinservers: number }>('/BTC/');
      return view.live_coinservers === 0;
    });
    assert.equal((await health())!.status, 200);
    const miner = await ScriptMiner.open(config.stratumPort);
    assert.equal((await miner.share()).answer, true);
    await miner.close();
  });

  it('tells systemd that it stops, before it has stopped, and once', async () => {
    let ended = false;
    void pool.exited.then(() => {
      ended = true;
    });
    pool.kill('SIGTERM');
    await socket.heard('STOPPING=1');
    assert.equal(ended, false);
    assert.deepEqual(await pool.exited, { code: 0, signal: null });
    assert.equal(socket.of('READY=1').length, 1);
    assert.equal(socket.of('STOPPING=1').length, 1);
  });
});
