/** A whole pool that merge-mines: the product in a child process, aux daemons, the built-in miner. */
import { Miner } from '../../src/miner/miner.ts';
import { silentLog } from '../../src/log.ts';
import { algorithm } from '../../src/pow/algorithms.ts';
import { AuxDaemon } from './aux-daemon.ts';
import type { AuxDaemonOptions } from './aux-daemon.ts';
import { poolConfig } from './pool-config.ts';
import type { PoolConfig, PoolWishes } from './pool-config.ts';

export interface AuxWish {
  /** Component key and currency. */
  readonly key: string;
  /** Best first. */
  readonly daemons: readonly Pick<AuxDaemon, 'port' | 'user' | 'password'>[];
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** The configuration of one main chain with these aux chains, in the order given. */
export async function auxPoolConfig(
  wishes: PoolWishes,
  aux: readonly AuxWish[],
): Promise<PoolConfig> {
  const merged = aux.map(({ key }) => key);
  const config = await poolConfig({ ...wishes, chain: { ...wishes.chain, merged } });
  const components = JSON.parse(config.text) as Record<string, unknown>;
  for (const { key, daemons, settings } of aux) {
    components[key] = {
      type: 'aux_chain',
      algo: wishes.algo,
      currency: key,
      work_interval: 0.1,
      rpc_ping_int: 0.2,
      pool_address: `${key}-address`,
      coinservs: daemons.map(({ port, user, password }, at) => ({
        port,
        username: user,
        password,
        poll_priority: daemons.length - at,
      })),
      ...settings,
    };
  }
  return { ...config, text: JSON.stringify(components, undefined, 2) };
}

export async function startAuxDaemons(
  options: readonly AuxDaemonOptions[],
): Promise<readonly AuxDaemon[]> {
  return await Promise.all(options.map((one) => new AuxDaemon(one).start()));
}

/** The built-in miner, running until it is stopped. */
export async function startMiner(port: number, name: 'sha256d' | 'scrypt', user: string) {
  const found = algorithm(name)!;
  const miner = new Miner({
    host: '127.0.0.1',
    port,
    user,
    password: 'x',
    versionRolling: true,
    algorithm: found,
    threads: 1,
    log: silentLog,
  });
  await miner.start();
  return miner;
}
