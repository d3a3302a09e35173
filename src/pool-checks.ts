/**
 * What can be known of a configuration without starting, beyond its form: components this version does
 * not build, addresses that cannot be paid to, algorithms that do not exist. Entry point: checkConfig.
 */
import { HEADER_SIZE } from './coin/header.ts';
import { notYetBuilt } from './config/built.ts';
import type { Feature } from './config/built.ts';
import type { Problem } from './config/problem.ts';
import type { MainChainSettings } from './config/schema/chains.ts';
import type { ComponentType, Config } from './config/types.ts';
import { PoolError, messageOf } from './errors.ts';
import { scriptSigProblem } from './jobs/builder.ts';
import { PayTo } from './jobs/pool-script.ts';
import { algorithmFor } from './pool-algorithms.ts';
import { reporterKeys } from './pool-reporters.ts';
import type { Algorithm } from './pow/algorithms.ts';
import { EXTRANONCE_STRIDE } from './pow/checker.ts';
import { parseBrokers } from './report/broker-url.ts';

const BUILT: ReadonlySet<ComponentType | Feature> = new Set<ComponentType | Feature>([
  'pool',
  'main_chain',
  'aux_chain',
  'stratum',
  'monitor',
  'celery',
  'redis',
  'postgres',
  'fanout',
  'plugin',
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
    check(key, `${key}.algo`, line, () => checkMinable(algorithmFor(config, settings.algo)));
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
    check(key, `${key}.coinbase_tag`, line, () => checkScriptSig(config, settings));
  }
  const reporters = reporterKeys(config);
  for (const { key, line } of config.plugins) {
    check(key, key, line, () => {
      if (reporters.has(key)) return;
      throw new PoolError('PLUGIN', 'only reporters can be components of your own in this version');
    });
  }
  for (const { key, settings, line } of config.auxChains) {
    check(key, `${key}.algo`, line, () => algorithmFor(config, settings.algo));
  }
  for (const { key, type, settings, line } of config.reporters) {
    if (type !== 'celery') continue;
    const path = `${key}.celery.BROKER_URL`;
    check(key, path, line, () => parseBrokers(settings.celery.BROKER_URL));
  }
  const { extranonce_serv_size, extranonce_size } = config.pool.settings;
  const extranonceSize = extranonce_serv_size + extranonce_size;
  if (extranonceSize > EXTRANONCE_STRIDE) {
    problems.push({
      severity: 'error',
      component: config.pool.key,
      path: `${config.pool.key}.extranonce_size`,
      line: config.pool.line,
      column: 1,
      message: 'extranonce_serv_size and extranonce_size together are too long',
      found: `${extranonceSize} bytes`,
      expected: `at most ${EXTRANONCE_STRIDE}`,
    });
  }
  return problems;
}

/** Heavycoin's 84-byte header has a vote and a reward in it that Stratum V1 does not carry. */
function checkMinable({ name, headerBytes }: Algorithm): void {
  if (headerBytes === HEADER_SIZE) return;
  throw new PoolError(
    'HEADER',
    `${name} hashes a header of ${headerBytes} bytes, and a chain is mined with one of ${HEADER_SIZE}; ` +
      `the algorithm can be used by 'powerpool hash' and 'powerpool bench' only`,
  );
}

/** The parts of a coinbase's script that are known now must fit; found at start, not at a block. */
function checkScriptSig(config: Config, settings: MainChainSettings): void {
  const { extranonce_serv_size, extranonce_size } = config.pool.settings;
  const isMerged = config.auxChains.some(
    (aux) => aux.settings.enabled && settings.merged.includes(aux.key),
  );
  const problem = scriptSigProblem({
    coinbaseTag: settings.coinbase_tag,
    extranonceSize: extranonce_serv_size + extranonce_size,
    merged: isMerged,
  });
  if (problem !== undefined) throw new PoolError('SCRIPT_SIG', problem);
}
