/**
 * `powerpool demo`: a Bitcoin node on regtest in memory, a pool that mines on it and a CPU miner. The
 * pool is made of the very configuration a file would hold, by the same code.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatProblems } from '../config/format.ts';
import { loadConfig } from '../config/load.ts';
import { startRegtestChain } from '../demo/chain.ts';
import type { RegtestChain } from '../demo/chain.ts';
import { PoolError } from '../errors.ts';
import { createLog } from '../log.ts';
import type { Log } from '../log.ts';
import { Miner } from '../miner/miner.ts';
import { createPool } from '../pool.ts';
import { algorithm } from '../pow/algorithms.ts';
import { runPool } from './run.ts';
import { integerOption, positiveOption, readOptions } from './usage.ts';
import type { Terminal } from './usage.ts';

const HELP = `usage: powerpool demo [options]

A Bitcoin node on regtest in memory, a pool that mines on it, the monitor, and a CPU miner.

  --no-miner           without the built-in miner
  --port N             port for miners      (3333)
  --monitor-port N     port of the monitor  (3855)
  --difficulty D       difficulty of a share, fractions too  (0.0005: one every few seconds)
`;

interface DemoOptions {
  readonly port: number;
  readonly monitorPort: number;
  readonly difficulty: number;
  readonly withMiner: boolean;
}

function demoConfig(chain: RegtestChain, options: DemoOptions, ledger: string): string {
  const { host, port, user, password } = chain.rpc;
  return JSON.stringify({
    pool: { type: 'pool', procname: 'demo', ledger: { path: ledger } },
    BTC: {
      type: 'main_chain',
      algo: 'sha256d',
      currency: 'BTC',
      pool_address: chain.address,
      coinservs: [{ address: host, port, username: user, password }],
    },
    stratum: {
      type: 'stratum',
      algo: 'sha256d',
      port: options.port,
      start_difficulty: options.difficulty,
      minimum_manual_diff: options.difficulty / 1000,
    },
    monitor: {
      type: 'monitor',
      port: options.monitorPort,
      JSONIFY_PRETTYPRINT_REGULAR: true,
    },
  });
}

function introduction(chain: RegtestChain, options: DemoOptions): string {
  const url = `stratum+tcp://127.0.0.1:${options.port}`;
  const user = `${chain.address}.rig1`;
  return `
PowerPool demo
  chain     bcoin, regtest, in memory; RPC on ${chain.rpc.host}:${chain.rpc.port} (process ${chain.pid})
  pool      ${url}
  monitor   http://127.0.0.1:${options.monitorPort}/
  miner     ${options.withMiner ? 'built in, one thread' : 'none (--no-miner)'}

Point another miner at it:
  npx powerpool mine --url ${url} --user ${user}
  minerd -a sha256d -o ${url} -u ${user} -p x
Ctrl-C stops everything; nothing is kept.

`;
}

export async function demoCommand(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readOptions('demo', argv, {
    'no-miner': { type: 'boolean', default: false },
    port: { type: 'string' },
    'monitor-port': { type: 'string' },
    difficulty: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (values.help || positionals.length > 0) {
    if (values.help) terminal.out(HELP);
    else terminal.err(HELP);
    return values.help ? 0 : 2;
  }
  const ports = { least: 1, most: 65_535 };
  const options: DemoOptions = {
    port: integerOption('port', values.port, { ...ports, otherwise: 3333 }),
    monitorPort: integerOption('monitor-port', values['monitor-port'], {
      ...ports,
      otherwise: 3855,
    }),
    difficulty: positiveOption('difficulty', values.difficulty, 0.0005),
    withMiner: !values['no-miner'],
  };
  const log = createLog({ level: 'info', pretty: true });
  log.info('starting a regtest chain');
  const folder = mkdtempSync(join(tmpdir(), 'powerpool-demo-'));
  const chain = await startRegtestChain();
  try {
    chain.onExit((reason) => log.error('the chain is gone', { reason }));
    terminal.out(introduction(chain, options));
    return await runDemo(chain, options, folder, log, terminal);
  } finally {
    await chain.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runDemo(
  chain: RegtestChain,
  options: DemoOptions,
  folder: string,
  log: Log,
  terminal: Terminal,
): Promise<number> {
  const loaded = loadConfig(demoConfig(chain, options, join(folder, 'ledger')), 'demo');
  if (loaded.settings === undefined) {
    throw new PoolError('DEMO', formatProblems(loaded.errors, 'demo'));
  }
  const pool = await createPool(loaded.settings, { log });
  const miner = new Miner({
    host: '127.0.0.1',
    port: options.port,
    user: `${chain.address}.demo`,
    password: 'x',
    versionRolling: true,
    algorithm: algorithm('sha256d')!,
    threads: 1,
    log: log.child('miner'),
  });
  if (options.withMiner) void pool.ready.then(() => miner.start());
  return runPool(pool, terminal, () => miner.stop());
}
