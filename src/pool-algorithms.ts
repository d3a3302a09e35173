/**
 * The algorithm a configuration means: the built-in row, or a function of the operator's own, with the
 * operator's own figures in it. A value under the manager's `algorithms` wins over the table; a chain's
 * own diff1 and hashes_per_share win over both (pool.ts).
 */
import { dirname } from 'node:path';
import type { Config } from './config/types.ts';
import { PoolError } from './errors.ts';
import { algorithm, findByModule, scryptN } from './pow/algorithms.ts';
import type { Algorithm } from './pow/algorithms.ts';
import { customRow, loadCustom } from './pow/custom.ts';

/** Where a function of the operator's own comes from; every thread that needs it loads it for itself. */
export interface CustomSource {
  readonly module: string;
  readonly directory: string;
}

export interface LoadedAlgorithm {
  readonly algorithm: Algorithm;
  readonly custom?: CustomSource;
}

/**
 * The row of `name`; of a function of the operator's own everything but the function. Throws PoolError
 * where the name means nothing.
 */
export function algorithmFor(config: Config, name: string): Algorithm {
  const own = config.pool.settings.algorithms[name];
  const found = rowOf(name, own?.module ?? null, own?.nfactor ?? null);
  if (found === undefined) {
    throw new PoolError('ALGORITHM', `algo ${name}: there is no such algorithm`);
  }
  return {
    ...found,
    diff1: own?.diff1 ?? found.diff1,
    hashesPerShare: own?.hashes_per_share ?? found.hashesPerShare,
  };
}

/** The same with the function loaded; throws PowError where its module cannot be used. */
export async function loadAlgorithm(config: Config, name: string): Promise<LoadedAlgorithm> {
  const row = algorithmFor(config, name);
  const module = config.pool.settings.algorithms[name]?.module ?? null;
  if (module === null || !isOwn(module)) return { algorithm: row };
  const custom = { module, directory: dirname(config.file) };
  const { custom: hash } = await loadCustom(row.name, module, custom.directory);
  return { algorithm: { ...row, ...(hash !== undefined && { custom: hash }) }, custom };
}

function rowOf(name: string, module: string | null, nfactor: number | null): Algorithm | undefined {
  if (nfactor !== null) {
    const row = scryptN(nfactor);
    return row === undefined ? undefined : { ...row, name };
  }
  if (module === null) return algorithm(name);
  return isOwn(module) ? customRow(name) : (findByModule(module) ?? algorithm(name));
}

/** `./file.ts#function` or `package#function`; names of the old Python modules have no `#`. */
function isOwn(module: string): boolean {
  return module.includes('#');
}
