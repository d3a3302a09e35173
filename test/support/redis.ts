/** A real redis-server on a free port, and a reader of it that is not the code under test's (redis-cli). */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './ports.ts';
import { removeFolder, startServer, temporaryFolder } from './servers.ts';
import type { Server } from './servers.ts';

/** A list of every share of a test fits. */
const MAX_OUTPUT = 256 * 1024 * 1024;

const run = promisify(execFile);

export interface RedisServer {
  readonly port: number;
  /** SIGKILL, and a start on the same port and files; what was acknowledged is there again. */
  crash(): Promise<void>;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** One command through redis-cli, its reply as JSON. */
  ask<T = unknown>(...command: readonly string[]): Promise<T>;
  stop(): Promise<void>;
}

export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  const folder = temporaryFolder('redis');
  const port = await freePort();
  const ask = async <T>(...command: readonly string[]): Promise<T> => {
    const { stdout } = await run('redis-cli', ['-p', String(port), '--json', ...command], {
      maxBuffer: MAX_OUTPUT,
    });
    return JSON.parse(stdout) as T;
  };
  let server: Server | undefined;
  const start = async (): Promise<void> => {
    server = await startServer({
      command: 'redis-server',
      args: [
        ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
        ...['--appendonly', 'yes', '--appendfsync', 'always', ...args],
      ],
      install: 'apt-get install redis-server',
      isReady: async () => (await ask('ping')) === 'PONG',
    });
  };
  await start();
  return {
    port,
    ask,
    start,
    kill: async () => server?.kill(),
    crash: async () => {
      await server?.kill();
      await start();
    },
    stop: async () => {
      await server?.kill();
      removeFolder(join(folder));
    },
  };
}

/** A hash as redis-cli prints it, fields sorted. */
export async function hashOf(redis: RedisServer, key: string): Promise<Record<string, string>> {
  const found = await redis.ask<Record<string, string>>('hgetall', key);
  return Object.fromEntries(Object.entries(found).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
