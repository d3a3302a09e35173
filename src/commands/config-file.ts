/** Reading the configuration file a command names, and printing what is wrong with it. */
import { readFileSync } from 'node:fs';
import { formatProblems } from '../config/format.ts';
import { loadConfig } from '../config/load.ts';
import type { Problem } from '../config/problem.ts';
import type { Config } from '../config/types.ts';
import { PoolError, messageOf } from '../errors.ts';
import { checkConfig } from '../pool-checks.ts';
import { algorithm, algorithmNames } from '../pow/algorithms.ts';
import type { Terminal } from './usage.ts';

export interface ConfigFile {
  /** Undefined when the file has errors; they have been printed. */
  readonly config: Config | undefined;
  readonly warnings: readonly Problem[];
}

/** Loads and checks a file; all problems go to standard error, each with its place. */
export function readConfigFile(
  file: string,
  serverNumber: number,
  terminal: Pick<Terminal, 'err'>,
): ConfigFile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new PoolError('CONFIG_FILE', `cannot read the configuration: ${messageOf(error)}`);
  }
  const loaded = loadConfig(text, file, {
    serverNumber,
    algorithms: algorithmNames(),
    canonicalAlgorithm: (name) => algorithm(name)?.name,
  });
  const late = loaded.settings === undefined ? [] : checkConfig(loaded.settings);
  const errors = [...loaded.errors, ...late];
  terminal.err(formatProblems([...errors, ...loaded.warnings], file));
  return {
    config: errors.length === 0 ? loaded.settings : undefined,
    warnings: loaded.warnings,
  };
}
