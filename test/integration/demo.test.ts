/**
 * `powerpool demo` as a newcomer runs it: one command, blocks within seconds, Ctrl-C ends everything.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mineShares } from '../support/pool-config.ts';
import { freePort } from '../support/ports.ts';
import { eventually, rpcCall } from '../support/servers.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/powerpool.js', import.meta.url));

const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
});

async function startDemo(...args: readonly string[]) {
  const port = await freePort();
  const monitorPort = await freePort();
  const child = spawn(
    process.execPath,
    [LAUNCHER, 'demo', '--port', String(port), '--monitor-port', String(monitorPort), ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const status = async () => {
    const answer = await fetch(`http://127.0.0.1:${monitorPort}/BTC/`);
    return (await answer.json()) as {
      block_stats: { accepts: number };
      net_state: { height: number };
    };
  };
  const isReady = async (): Promise<boolean> => {
    try {
      return (await fetch(`http://127.0.0.1:${monitorPort}/healthz`)).ok;
    } catch {
      return false;
    }
  };
  const ready = async () => {
    try {
      await eventually('the demo is ready', isReady, 30_000);
    } catch (error) {
      throw new Error(output, { cause: error });
    }
  };
  running.add(child);
  child.once('close', () => running.delete(child));
  const stop = async () => {
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number | null];
    return code;
  };
  return { port, child, status, ready, stop, output: () => output };
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('powerpool demo', () => {
  it('finds blocks by itself, says where everything is, and leaves nothing behind', async () => {
    const demo = await startDemo('--difficulty', '0.00001');
    await demo.ready();
    await eventually(
      'three blocks',
      async () => (await demo.status()).block_stats.accepts >= 3,
      30_000,
    );
    const output = demo.output();
    assert.match(output, new RegExp(`pool +stratum\\+tcp://127\\.0\\.0\\.1:${demo.port}\n`));
    assert.match(output, /npx powerpool mine --url/);
    const [, rpcPort, pid] = /RPC on 127\.0\.0\.1:(\d+) \(process (\d+)\)/.exec(output)!;
    assert.ok(alive(Number(pid)));
    // The chain is a real one: it says so itself.
    await assert.rejects(rpcCall(Number(rpcPort), 'nobody:nothing', 'getblockcount', []), /401/);
    assert.equal(await demo.stop(), 0);
    assert.equal(alive(Number(pid)), false);
    const left = readdirSync(tmpdir()).filter((name) => demo.output().includes(name));
    assert.deepEqual(
      left.filter((name) => name.startsWith('powerpool-demo-')),
      [],
    );
  });

  it('--no-miner waits for another miner', async () => {
    const demo = await startDemo('--no-miner', '--difficulty', '0.00001');
    await demo.ready();
    assert.equal((await demo.status()).block_stats.accepts, 0);
    const user = /--user (\S+)/.exec(demo.output())![1]!;
    await mineShares(demo.port, { shares: 1, user });
    await eventually('a block', async () => (await demo.status()).block_stats.accepts >= 1);
    assert.equal(await demo.stop(), 0);
  });
});
