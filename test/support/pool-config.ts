/** Configuration texts for whole-pool tests, and the built-in miner as a child process. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { freePort } from './ports.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/powerpool.js', import.meta.url));

export interface PoolWishes {
  readonly algo: string;
  readonly currency: string;
  readonly poolAddress: string;
  /** RPC ports and credentials, best first. */
  readonly daemons: readonly {
    readonly port: number;
    readonly user: string;
    readonly password: string;
    readonly priority?: number;
    readonly zmq?: string;
  }[];
  readonly difficulty: number;
  readonly pool?: Readonly<Record<string, unknown>>;
  readonly chain?: Readonly<Record<string, unknown>>;
  readonly stratum?: Readonly<Record<string, unknown>>;
}

export interface PoolConfig {
  readonly text: string;
  readonly stratumPort: number;
  readonly monitorPort: number;
}

/** One chain, one port, one monitor; JSON, which is YAML. */
export async function poolConfig(wishes: PoolWishes): Promise<PoolConfig> {
  const stratumPort = await freePort();
  const monitorPort = await freePort();
  const text = JSON.stringify(
    {
      manager: { type: 'pool', threads: 2, ...wishes.pool },
      [wishes.currency]: {
        type: 'main_chain',
        algo: wishes.algo,
        currency: wishes.currency,
        pool_address: wishes.poolAddress,
        coinservs: wishes.daemons.map(({ port, user, password, priority, zmq }) => ({
          port,
          username: user,
          password,
          poll_priority: priority ?? 0,
          ...(zmq !== undefined && { zmq }),
        })),
        ...wishes.chain,
      },
      stratum: {
        type: 'stratum',
        algo: wishes.algo,
        address: '127.0.0.1',
        port: stratumPort,
        start_difficulty: wishes.difficulty,
        minimum_manual_diff: wishes.difficulty / 1000,
        ...wishes.stratum,
      },
      monitor: { type: 'monitor', port: monitorPort },
    },
    undefined,
    2,
  );
  return { text, stratumPort, monitorPort };
}

/** Runs `powerpool mine` until it has that many accepted shares; rejects with its output otherwise. */
export function mineShares(
  port: number,
  options: { readonly shares: number; readonly user: string; readonly algo?: string },
  timeoutMs = 60_000,
): Promise<string> {
  const child = spawn(
    process.execPath,
    [
      LAUNCHER,
      'mine',
      ...['--url', `stratum+tcp://127.0.0.1:${port}`],
      ...['--user', options.user],
      ...['--algo', options.algo ?? 'sha256d'],
      ...['--shares', String(options.shares)],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      clearTimeout(timer);
      if (code === 0) resolve(output);
      else reject(new Error(`the miner ended with ${code}:\n${output.slice(-5000)}`));
    });
  });
}
