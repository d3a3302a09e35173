/**
 * What can be known of a configuration without starting, beyond its form: components this version does
 * not build, addresses that cannot be paid to, algorithms that do not exist. Entry point: checkConfig.
 */
import { notYetBuilt } from './config/built.ts';
import type { Feature } from './config/built.ts';
import type { Problem } from './config/problem.ts';
import type { ComponentType, Config } from './config/types.ts';
import { messageOf } from './errors.ts';
import { PayTo } from './jobs/pool-script.ts';
import { algorithmFor } from './pool-algorithms.ts';

const BUILT: ReadonlySet<ComponentType | Feature> = new Set<ComponentType | Feature>([
  'pool',
  'main_chain',
  'stratum',
  'monitor',
]);

/** Every problem, as errors; empty where the pool can be built. */
export function checkConfig(config: Config): Problem[] {
  const problems = [...notYetBuilt(config, BUILT)];
  const check = (key: string, path: string, line: number, step: () => unknown): void => {
    try {
      step();
    } catch (error) {
      problems.push({
        severity: 'error',
        component: key,
        path,
        line,
        column: 1,
        message: messageOf(error),
      });
    }
  };
  for (const { key, settings, line } of config.mainChains) {
    check(key, `${key}.algo`, line, () => algorithmFor(config, settings.algo));
    check(
      key,
      `${key}.pool_address`,
      line,
      () =>
        new PayTo({
          chain: key,
          poolAddress: settings.pool_address,
          versions: settings.address_versions,
          bech32Hrp: settings.bech32_hrp,
          network: settings.network,
        }),
    );
  }
  return problems;
}
