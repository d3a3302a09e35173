/**
 * A configuration file's text → typed, frozen settings, or everything that is wrong with it at once.
 * The steps: syntax (source.ts), each component by itself (draft.ts), all together (cross.ts,
 * listeners.ts). Addresses of coins are not looked at here. Entry point: `loadConfig`.
 */
import { homedir } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { isMap } from 'yaml';
import { crossCheck, draftsOf } from './cross.ts';
import type { Draft } from './draft.ts';
import { draftComponent, readDefaults } from './draft.ts';
import { applyServerNumber, checkListeners } from './listeners.ts';
import type { Problem } from './problem.ts';
import { valueText } from './problem.ts';
import { Reader } from './read.ts';
import { mapSettings } from './schema/inspect.ts';
import type { Source } from './source.ts';
import { keyText, parseSource } from './source.ts';
import type { AnyComponent, Component, ComponentType, Config, StratumComponent } from './types.ts';
import { COMPONENT_TYPES } from './types.ts';

export interface LoadOptions {
  /** `--server-number`, added to the file's. */
  readonly serverNumber?: number;
  /** Names that `algo` may have besides those under the manager's `algorithms`; any where not given. */
  readonly algorithms?: ReadonlySet<string>;
  /** The one name of an algorithm that has several; without it only letter case is ignored. */
  readonly canonicalAlgorithm?: (name: string) => string | undefined;
}

export interface LoadResult {
  /** Undefined when there is an error. */
  readonly settings: Config | undefined;
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
}

const KEY = /^[^\s/?#%\p{Cc}]{1,64}$/u;

/**
 * Checks a file's text. `file` is its name: messages name it, and file names in it are relative to its
 * folder. Never throws, whatever the text.
 */
export function loadConfig(text: string, file: string, options: LoadOptions = {}): LoadResult {
  const seen = new Map<string, Problem>();
  const report = (problem: Problem): void => {
    seen.set(JSON.stringify(problem), problem);
  };
  const source = parseSource(text, report);
  const config = source === undefined ? undefined : build(source, file, options, report);
  const problems = [...seen.values()];
  const errors = problems.filter((problem) => problem.severity === 'error');
  return {
    settings: errors.length === 0 ? config : undefined,
    errors,
    warnings: problems.filter((problem) => problem.severity === 'warning'),
  };
}

/** The folder of the ledger: as set, else beside the file, named by it and the server number. */
export function ledgerPath(config: Config): string {
  const { ledger, server_number } = config.pool.settings;
  const name = `${basename(config.file, extname(config.file))}-ledger-${server_number}`;
  return ledger.path ?? join(dirname(config.file), name);
}

function build(
  source: Source,
  file: string,
  options: LoadOptions,
  report: (problem: Problem) => void,
): Config | undefined {
  const reader = new Reader(source, report);
  const read = readComponents(source, reader, report);
  if (read === undefined) return undefined;
  const { drafts, keys } = read;
  const sources = crossCheck({
    drafts,
    keys,
    algorithms: options.algorithms,
    canonicalAlgorithm: options.canonicalAlgorithm,
    report,
  });
  applyServerNumber(drafts, options.serverNumber ?? 0);
  checkListeners(drafts, report);
  return assemble(drafts, sources, resolve(file));
}

function readComponents(
  source: Source,
  reader: Reader,
  report: (problem: Problem) => void,
): { drafts: Draft[]; keys: Set<string> } | undefined {
  const context = { source, reader, report };
  const root = reader.resolve(source.root);
  const base = { severity: 'error' as const, component: '', path: '' };
  if (!isMap(root)) {
    const message = source.root === undefined ? 'the file is empty' : 'the file is not a map';
    const expected = 'a map from component keys to settings';
    report({ ...base, line: 1, column: 1, message, expected });
    return undefined;
  }
  const pairs = reader.pairs(root);
  const defaultsPair = pairs.find((pair) => keyText(pair) === 'defaults');
  const defaults = readDefaults(defaultsPair?.value, context);
  const drafts: Draft[] = [];
  const keys = new Set<string>();
  for (const pair of pairs) {
    if (pair === defaultsPair) continue;
    const key = keyText(pair) ?? '';
    const place = source.place(pair.key);
    const map = reader.resolve(pair.value);
    if (!KEY.test(key) || key === '__proto__') {
      const expected = 'up to 64 characters without spaces, slashes, ?, # or %';
      report({
        ...base,
        ...place,
        message: 'not a key for a component',
        found: valueText(key),
        expected,
      });
    } else if (!isMap(map)) {
      const expected = 'a map with type and settings';
      report({
        ...base,
        component: key,
        path: key,
        ...place,
        message: 'not a component',
        expected,
      });
    } else {
      const draft = draftComponent({ key, index: keys.size, place }, map, defaults, context);
      if (draft !== undefined) drafts.push(draft);
    }
    keys.add(key);
  }
  return { drafts, keys };
}

/** File names made absolute; the home directory stands for `~`. */
function withPaths(draft: Draft, folder: string): unknown {
  return mapSettings(draft.settings, COMPONENT_TYPES[draft.type].shape, (value, shape) => {
    if (shape?.meta.path !== true || typeof value !== 'string') return undefined;
    return value.startsWith('~/') ? join(homedir(), value.slice(2)) : resolve(folder, value);
  });
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(freeze);
    Object.freeze(value);
  }
  return value;
}

/** Undefined when any component is not complete; the reason has been reported then. */
function assemble(
  drafts: readonly Draft[],
  sources: ReadonlyMap<string, string>,
  file: string,
): Config | undefined {
  if (drafts.some((draft) => draft.settings === undefined)) return undefined;
  const components = drafts.map(
    (draft) =>
      ({
        key: draft.key,
        type: draft.type,
        declaredType: draft.declaredType,
        settings: withPaths(draft, dirname(file)),
        index: draft.index,
        line: draft.place.line,
      }) as AnyComponent,
  );
  const of = <T extends ComponentType>(type: T): Component<T>[] =>
    components.filter((part): part is Extract<AnyComponent, Component<T>> => part.type === type);
  const stratum: StratumComponent[] = of('stratum').flatMap((part) => {
    const jobSource = sources.get(part.key);
    return jobSource === undefined ? [] : [{ ...part, jobSource }];
  });
  const [pool] = of('pool');
  if (pool === undefined || stratum.length < draftsOf(drafts, 'stratum').length) return undefined;
  return freeze({
    file,
    pool,
    mainChains: of('main_chain'),
    auxChains: of('aux_chain'),
    switchers: of('switcher'),
    stratum,
    reporters: [...of('celery'), ...of('redis'), ...of('postgres'), ...of('fanout')].toSorted(
      (a, b) => a.index - b.index,
    ),
    monitors: of('monitor'),
    plugins: of('plugin'),
    components,
  });
}
