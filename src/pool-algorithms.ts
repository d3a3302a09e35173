/**
 * The algorithm a configuration means: the built-in row with the operator's own figures in it. A value
 * under the manager's `algorithms` wins over the table; a chain's own diff1 and hashes_per_share win
 * over both (pool.ts).
 */
import type { Config } from './config/types.ts';
import { PoolError } from './errors.ts';
import { algorithm, findByModule } from './pow/algorithms.ts';
import type { Algorithm } from './pow/algorithms.ts';

/** Throws PoolError where the name means nothing; `check` has said so before. */
export function algorithmFor(config: Config, name: string): Algorithm {
  const own = config.pool.settings.algorithms[name];
  const module = own?.module ?? null;
  const found = (module === null ? undefined : findByModule(module)) ?? algorithm(name);
  if (found === undefined) {
    throw new PoolError('ALGORITHM', `algo ${name}: there is no such algorithm`);
  }
  return {
    ...found,
    diff1: own?.diff1 ?? found.diff1,
    hashesPerShare: own?.hashes_per_share ?? found.hashesPerShare,
  };
}
