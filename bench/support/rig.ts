/**
 * A whole pool under load: a template daemon, the product as its user starts it (its command with a
 * configuration file, ledger on), and load generators, each in a process of its own. The limits per
 * address and connection are raised, because all miners come from this machine and are as fast as they
 * can. Entry point: startRig.
 */
import { globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { poolConfig } from '../../test/support/pool-config.ts';
import { PoolProcess } from '../../test/support/pool-process.ts';
import type { DaemonCalls } from './daemon-process.ts';
import { machineMs } from './machine.ts';
import { Remote } from './remote.ts';
import type { SwarmCalls } from './swarm-process.ts';

/** BIP173's example key hash on regtest. */
export const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const EASIEST = 1e-10;
const TRANSACTIONS = 3000;
/** Hard enough that no share of a benchmark is a block by accident. */
const NO_BLOCKS = '1a00ffff';
const UNLIMITED = 1_000_000;

export interface RigWishes {
  readonly algo?: 'sha256d' | 'scrypt';
  /** Of every share; 1e-10 unless given, which every hash meets, so that nothing is ground. */
  readonly difficulty?: number;
  readonly synchronous?: 'normal' | 'full';
  readonly bitsHex?: string;
  readonly jobRefreshSeconds?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Rig {
  readonly daemon: Remote<DaemonCalls>;
  readonly pool: PoolProcess;
  readonly stratumPort: number;
  /** From the start of the command until the pool says that it is ready. */
  readonly readyAfterMs: number;
  /** A new load generator; stopped with the rig. */
  swarm(): Remote<SwarmCalls>;
  /** Stops everything; shares the ledger holds as accepted, by its records and by its minutes. */
  stop(): Promise<LedgerCounts>;
}

export interface LedgerCounts {
  readonly records: number;
  readonly slices: number;
}

export async function startRig(wishes: RigWishes = {}): Promise<Rig> {
  const daemon = new Remote<DaemonCalls>(new URL('./daemon-process.ts', import.meta.url));
  const daemonPort = await daemon.call('start', {
    transactions: TRANSACTIONS,
    bitsHex: wishes.bitsHex ?? NO_BLOCKS,
  });
  const config = await poolConfig({
    algo: wishes.algo ?? 'sha256d',
    currency: 'BTC',
    poolAddress: ADDRESS,
    daemons: [{ port: daemonPort, user: 'bench', password: 'bench' }],
    difficulty: wishes.difficulty ?? EASIEST,
    chain: { job_refresh: wishes.jobRefreshSeconds ?? 15 },
    pool: { ledger: { synchronous: wishes.synchronous ?? 'normal' } },
    stratum: {
      limits: {
        connections: UNLIMITED,
        connections_per_address: UNLIMITED,
        requests_per_second: UNLIMITED,
      },
    },
  });
  const startedAt = machineMs();
  const pool = new PoolProcess({
    config: config.text,
    monitorPort: config.monitorPort,
    ...(wishes.env !== undefined && { env: wishes.env }),
  });
  // A benchmark that fails leaves no pool behind.
  const abandon = (): void => {
    pool.kill('SIGKILL');
    rmSync(pool.folder, { recursive: true, force: true });
  };
  process.once('exit', abandon);
  await pool.logged(/"msg":"ready"/);
  const readyAfterMs = machineMs() - startedAt;
  const swarms: Remote<SwarmCalls>[] = [];
  return {
    daemon,
    pool,
    stratumPort: config.stratumPort,
    readyAfterMs,
    swarm: () => {
      const swarm = new Remote<SwarmCalls>(new URL('./swarm-process.ts', import.meta.url));
      swarms.push(swarm);
      return swarm;
    },
    stop: async () => {
      await Promise.all(swarms.map((swarm) => swarm.stop()));
      const { code } = await pool.stop({ keep: true });
      await daemon.stop();
      if (code !== 0) throw new Error(`the pool ended with ${code}:\n${pool.output}`);
      const counts = ledgerCounts(pool.folder);
      process.off('exit', abandon);
      rmSync(pool.folder, { recursive: true, force: true });
      return counts;
    },
  };
}

/** Read from the files themselves, not through the ledger. */
function ledgerCounts(folder: string): LedgerCounts {
  const count = (file: string, sql: string): number => {
    const db = new DatabaseSync(file, { readOnly: true });
    const row = db.prepare(sql).get();
    db.close();
    return Number(row?.['n'] ?? 0);
  };
  const [main] = globSync(join(folder, '*', 'ledger.db'));
  if (main === undefined) throw new Error(`no ledger in ${folder}`);
  const days = globSync(`${main}.shares-*`).filter((file) => !/-(wal|shm)$/.test(file));
  return {
    slices: count(main, 'SELECT sum(count) AS n FROM slices WHERE kind = 0'),
    records: days.reduce(
      (sum, file) => sum + count(file, 'SELECT sum(count) AS n FROM batches'),
      0,
    ),
  };
}
