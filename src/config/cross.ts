/**
 * Checks between components: there is one manager, references name components of the right type, the
 * algorithms of ports and chains agree, ranges are ranges. Under a dotted type a name in `merged` or
 * `jobmanagers` that does not exist is dropped with a warning. Entry point: `crossCheck`.
 */
import type { Draft, DraftOf } from './draft.ts';
import type { Problem } from './problem.ts';
import { nearest, valueText } from './problem.ts';
import type { Path } from './schema/inspect.ts';
import { pathText } from './schema/inspect.ts';
import type { ComponentType } from './types.ts';

type Finding = Pick<Problem, 'message' | 'found' | 'expected'> & {
  readonly severity?: Problem['severity'];
  readonly nearest?: string | undefined;
};

export interface CrossContext {
  readonly drafts: readonly Draft[];
  /** Keys at the top of the file, also of components whose type is not known. */
  readonly keys: ReadonlySet<string>;
  /** Names that `algo` may have besides those under the manager's algorithms; undefined: any. */
  readonly algorithms: ReadonlySet<string> | undefined;
  readonly canonicalAlgorithm: ((name: string) => string | undefined) | undefined;
  readonly report: (problem: Problem) => void;
}

/** A problem of one path of one component. */
export function reportAt(
  report: (problem: Problem) => void,
  draft: Draft,
  path: Path,
  finding: Finding,
): void {
  const { severity = 'error', nearest: near, ...rest } = finding;
  report({
    severity,
    component: draft.key,
    path: pathText([draft.key, ...path]),
    ...draft.placeOf(path),
    ...rest,
    ...(near === undefined ? {} : { nearest: near }),
  });
}

export function draftsOf<T extends ComponentType>(drafts: readonly Draft[], type: T): DraftOf<T>[] {
  return drafts.filter((draft): draft is Extract<Draft, DraftOf<T>> => draft.type === type);
}

const REPORTERS: readonly ComponentType[] = ['celery', 'redis', 'postgres', 'fanout', 'plugin'];
const SOURCES: readonly ComponentType[] = ['main_chain', 'switcher', 'plugin'];

/** Checks everything; returns the key of the job source of every stratum server that has one. */
export function crossCheck(context: CrossContext): ReadonlyMap<string, string> {
  const { drafts } = context;
  checkManager(context);
  for (const draft of draftsOf(drafts, 'main_chain')) {
    if (draft.settings === undefined) continue;
    const merged = checkList(context, draft, 'merged', draft.settings.merged, [
      'aux_chain',
      'plugin',
    ]);
    draft.settings = { ...draft.settings, merged };
    checkDaemons(context, draft);
  }
  for (const draft of draftsOf(drafts, 'aux_chain')) checkDaemons(context, draft);
  for (const draft of draftsOf(drafts, 'switcher')) {
    if (draft.settings === undefined) continue;
    const list = draft.settings.jobmanagers;
    const jobmanagers = checkList(context, draft, 'jobmanagers', list, ['main_chain', 'plugin']);
    draft.settings = { ...draft.settings, jobmanagers };
    if (list.length > 0 && jobmanagers.length === 0 && draft.old) {
      const expected = 'a list of at least one main chain';
      reportAt(context.report, draft, ['jobmanagers'], { message: 'nothing is left', expected });
    }
  }
  for (const draft of draftsOf(drafts, 'fanout')) {
    const list = draft.settings?.reporters ?? [];
    const allowed = REPORTERS.filter((type) => type !== 'fanout');
    checkList(context, draft, 'reporters', list, allowed);
  }
  const sources = new Map<string, string>();
  for (const draft of draftsOf(drafts, 'stratum')) {
    const source = checkStratum(context, draft);
    if (source !== undefined) sources.set(draft.key, source);
  }
  checkAlgorithms(context, sources);
  checkAuxModes(context);
  return sources;
}

function checkManager({ drafts, report }: CrossContext): void {
  const managers = draftsOf(drafts, 'pool');
  if (managers.length === 0) {
    const message = 'there is no manager';
    const expected = 'one component with "type: pool"';
    report({ severity: 'error', component: '', path: '', line: 0, column: 0, message, expected });
  }
  for (const extra of managers.slice(1)) {
    reportAt(report, extra, [], {
      message: 'a second manager',
      expected: `only one component with "type: pool", which is ${managers[0]!.key}`,
    });
  }
}

/** A reference to a component; true when it stands, or when what it names is wrong by itself. */
function checkReference(
  context: CrossContext,
  draft: Draft,
  path: Path,
  key: string,
  allowed: readonly ComponentType[],
  severity: Problem['severity'],
): boolean {
  const named = context.drafts.find((candidate) => candidate.key === key);
  const fitting = context.drafts.filter((candidate) => allowed.includes(candidate.type));
  const expected = `the key of a component of type ${allowed.filter((type) => type !== 'plugin').join(', ')}`;
  if (named === undefined && context.keys.has(key)) return true;
  if (named === undefined) {
    const near = nearest(
      key,
      fitting.map((candidate) => candidate.key),
    );
    const dropped = severity === 'warning' ? ' and is left out' : '';
    const message = `no component has this key${dropped}`;
    reportAt(context.report, draft, path, {
      severity,
      message,
      found: valueText(key),
      expected,
      nearest: near,
    });
    return false;
  }
  if (allowed.includes(named.type)) return true;
  const found = `${valueText(key)} of type ${named.type}`;
  reportAt(context.report, draft, path, {
    message: 'a component of the wrong type',
    found,
    expected,
  });
  return false;
}

/** Checks a list of references; returns those that stand. */
function checkList(
  context: CrossContext,
  draft: Draft,
  name: string,
  keys: readonly string[],
  allowed: readonly ComponentType[],
): string[] {
  const lax = draft.old && (name === 'merged' || name === 'jobmanagers');
  return keys.filter((key, at) => {
    if (keys.indexOf(key) !== at) {
      const expected = 'each only once';
      reportAt(context.report, draft, [name, at], {
        message: 'named twice',
        found: valueText(key),
        expected,
      });
      return false;
    }
    return checkReference(context, draft, [name, at], key, allowed, lax ? 'warning' : 'error');
  });
}

function checkDaemons(context: CrossContext, draft: DraftOf<'main_chain'> | DraftOf<'aux_chain'>) {
  const seen = new Set<string>();
  for (const [at, daemon] of (draft.settings?.coinservs ?? []).entries()) {
    const name = `${daemon.address}:${daemon.port}`;
    if (seen.has(name)) {
      reportAt(context.report, draft, ['coinservs', at], {
        message: 'the same daemon twice',
        found: name,
        expected: 'a different address or port',
      });
    }
    seen.add(name);
  }
}

function checkStratum(context: CrossContext, draft: DraftOf<'stratum'>): string | undefined {
  const { settings } = draft;
  if (settings === undefined) return undefined;
  const { vardiff, limits } = settings;
  if (vardiff.minimum_difficulty > vardiff.maximum_difficulty) {
    reportAt(context.report, draft, ['vardiff', 'minimum_difficulty'], {
      message: 'the minimum is above the maximum',
      found: valueText(vardiff.minimum_difficulty),
      expected: `at most maximum_difficulty, which is ${vardiff.maximum_difficulty}`,
    });
  }
  if (limits.line_bytes > limits.pending_bytes) {
    reportAt(context.report, draft, ['limits', 'line_bytes'], {
      message: 'a line of this length never fits the input buffer',
      found: valueText(limits.line_bytes),
      expected: `at most pending_bytes, which is ${limits.pending_bytes}`,
    });
  }
  if (settings.reporter !== null) {
    checkReference(context, draft, ['reporter'], settings.reporter, REPORTERS, 'error');
  }
  if (settings.jobmanager === null) return onlySource(context, draft);
  const stands = checkReference(
    context,
    draft,
    ['jobmanager'],
    settings.jobmanager,
    SOURCES,
    'error',
  );
  return stands ? settings.jobmanager : undefined;
}

/** The only job source there is: a chain that a switcher manages counts as the switcher. */
function onlySource(context: CrossContext, draft: DraftOf<'stratum'>): string | undefined {
  const switchers = draftsOf(context.drafts, 'switcher');
  const managed = new Set(switchers.flatMap((switcher) => switcher.settings?.jobmanagers ?? []));
  const chains = draftsOf(context.drafts, 'main_chain').filter((chain) => !managed.has(chain.key));
  const sources = [...chains, ...switchers].map((source) => source.key);
  if (sources.length === 1) return sources[0];
  const undecided = context.keys.size > context.drafts.length;
  if (sources.length === 0 && undecided) return undefined;
  reportAt(context.report, draft, ['jobmanager'], {
    message:
      sources.length === 0 ? 'there is no chain to mine' : 'there are several chains to mine',
    found: 'nothing',
    expected:
      sources.length === 0 ? 'a component of type main_chain' : `one of ${sources.join(', ')}`,
  });
  return undefined;
}

function checkAlgorithms(context: CrossContext, sources: ReadonlyMap<string, string>): void {
  const own = draftsOf(context.drafts, 'pool').flatMap((pool) =>
    Object.keys(pool.settings?.algorithms ?? {}),
  );
  const known = context.algorithms === undefined ? undefined : [...context.algorithms, ...own];
  for (const draft of context.drafts) {
    if (draft.type !== 'main_chain' && draft.type !== 'aux_chain' && draft.type !== 'stratum') {
      continue;
    }
    const algo = draft.settings?.algo;
    if (algo === undefined || known === undefined) continue;
    if (known.some((name) => name.toLowerCase() === algo.toLowerCase())) continue;
    const names = known.filter((name) => !name.includes('.')).toSorted();
    reportAt(context.report, draft, ['algo'], {
      message: 'unknown algorithm',
      found: valueText(algo),
      expected: `one of ${names.join(', ')}`,
      nearest: nearest(algo, known),
    });
  }
  for (const draft of draftsOf(context.drafts, 'stratum')) {
    for (const chain of chainsOf(context, sources.get(draft.key))) {
      agree(context, draft, draft.settings?.algo, chain, 'error');
    }
  }
  for (const main of draftsOf(context.drafts, 'main_chain')) {
    for (const aux of draftsOf(context.drafts, 'aux_chain')) {
      if (main.settings?.merged.includes(aux.key) !== true) continue;
      agree(context, aux, aux.settings?.algo, main, aux.old ? 'warning' : 'error');
    }
  }
}

/** The main chains behind a job source. */
function chainsOf(context: CrossContext, source: string | undefined): DraftOf<'main_chain'>[] {
  const switcher = draftsOf(context.drafts, 'switcher').find((draft) => draft.key === source);
  const keys = switcher === undefined ? [source] : (switcher.settings?.jobmanagers ?? []);
  return draftsOf(context.drafts, 'main_chain').filter((draft) => keys.includes(draft.key));
}

function agree(
  context: CrossContext,
  draft: Draft,
  algo: string | undefined,
  chain: DraftOf<'main_chain'>,
  severity: Problem['severity'],
): void {
  const wanted = chain.settings?.algo;
  if (algo === undefined || wanted === undefined) return;
  const { canonicalAlgorithm: canonical = (name) => name.toLowerCase() } = context;
  if ((canonical(algo) ?? algo) === (canonical(wanted) ?? wanted)) return;
  reportAt(context.report, draft, ['algo'], {
    severity,
    message: `not the algorithm of ${chain.key}`,
    found: valueText(algo),
    expected: valueText(wanted),
  });
}

/** A daemon that sees both createauxblock and getauxblock forgets its work (mining-facts). */
function checkAuxModes(context: CrossContext): void {
  const modes = new Map<string, { readonly own: boolean; readonly key: string }>();
  for (const draft of draftsOf(context.drafts, 'aux_chain')) {
    for (const [at, daemon] of (draft.settings?.coinservs ?? []).entries()) {
      const name = `${daemon.address}:${daemon.port}`;
      const own = draft.settings?.pool_address === null;
      const other = modes.get(name);
      if (other !== undefined && other.own !== own) {
        reportAt(context.report, draft, ['coinservs', at], {
          message: `${other.key} uses this daemon too, one with pool_address and one without`,
          found: name,
          expected: 'both with pool_address, or both without',
        });
      }
      if (other === undefined) modes.set(name, { own, key: draft.key });
    }
  }
}
