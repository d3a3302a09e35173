/**
 * YAML nodes → the plain values a schema expects, with the place of each. Reading is led by the shape:
 * text keeps its spelling (`password: 0123`, `currency: NO`), an empty section counts as one left out,
 * unknown keys are reported and dropped. Aliases are expanded within bounds. Entry point: `Reader`.
 */
import type { Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { isAlias, isMap, isPair, isScalar, isSeq } from 'yaml';
import type { Problem } from './problem.ts';
import { looksSecret, nearest, redactText, secretText, valueText } from './problem.ts';
import type { Path, Shape } from './schema/inspect.ts';
import { childShape, findKey, pathText } from './schema/inspect.ts';
import type { Place, Source } from './source.ts';
import { isMergeKey, keyText } from './source.ts';

const MAX_VALUES = 100_000;
const MAX_DEPTH = 64;
/** Keys that are listed in full where one is unknown. */
const LISTED_KEYS = 12;

/** An unknown key that is nearly one of these has a value not to be shown. */
const SECRET_WORDS = ['password', 'passphrase', 'secret', 'token'];

/** A map read from the file: plain values, and where in the file each path stands. */
export interface ReadResult {
  readonly value: unknown;
  readonly places: ReadonlyMap<string, Place>;
}

/** What is being read, for messages. */
export interface Subject {
  readonly component: string;
  /** Stands before every path in messages. */
  readonly prefix: Path;
  readonly root: Shape | undefined;
  /** What the unknown key belongs to, for messages: `type stratum`. */
  readonly what: string;
  /** Unknown keys are warnings. */
  readonly old: boolean;
  /** Keys of the outermost map that are not settings. */
  readonly skip: ReadonlySet<string>;
}

interface Run extends Subject {
  readonly places: Map<string, Place>;
}

class TooBig extends Error {}

export class Reader {
  readonly #source: Source;
  readonly #report: (problem: Problem) => void;
  readonly #open = new Set<Node>();
  #valuesLeft = MAX_VALUES;

  constructor(source: Source, report: (problem: Problem) => void) {
    this.#source = source;
    this.#report = report;
  }

  /** Reads one component (or defaults of one); undefined when it cannot be read at all. */
  read(node: unknown, subject: Subject): ReadResult | undefined {
    const run: Run = { ...subject, places: new Map() };
    try {
      return { value: this.#value(node, subject.root, [], run), places: run.places };
    } catch (error) {
      if (!(error instanceof TooBig)) throw error;
      this.#problem(run, [], node, { severity: 'error', message: error.message });
      return undefined;
    }
  }

  /** The pairs of a map with merge keys applied, later ones of the same name dropped. */
  pairs(map: YAMLMap): Pair[] {
    try {
      return this.#pairs(map);
    } catch (error) {
      if (!(error instanceof TooBig)) throw error;
      this.#fileProblem(map, error.message);
      return map.items.filter((pair) => !isMergeKey(pair));
    }
  }

  /** Follows aliases to what they stand for. */
  resolve(node: unknown): unknown {
    return isAlias(node) ? this.#source.target(node) : node;
  }

  #pairs(map: YAMLMap): Pair[] {
    const own = map.items.filter((pair) => !isMergeKey(pair));
    const seen = new Set(own.map(keyText));
    for (const pair of map.items) {
      if (!isMergeKey(pair)) continue;
      for (const inherited of this.#mergeSources(pair)) {
        for (const other of this.#guarded(inherited, () => this.#pairs(inherited))) {
          if (!seen.has(keyText(other))) own.push(other);
          seen.add(keyText(other));
        }
      }
    }
    return own;
  }

  #mergeSources(pair: Pair): YAMLMap[] {
    const node = this.resolve(pair.value);
    const nodes = isSeq(node) ? node.items.map((item) => this.resolve(item)) : [node];
    if (!nodes.every(isMap)) this.#fileProblem(pair.key, '<< takes over from something not a map');
    return nodes.filter(isMap);
  }

  #fileProblem(node: unknown, message: string): void {
    const place = this.#source.place(node);
    this.#report({ severity: 'error', component: '', path: '', ...place, message });
  }

  /** Runs `body` inside `node`, failing where the node is inside itself or all is too much. */
  #guarded<T>(node: Node, body: () => T): T {
    if (this.#open.has(node)) throw new TooBig('an alias stands for something it is part of');
    if (this.#open.size >= MAX_DEPTH) throw new TooBig(`nested more than ${MAX_DEPTH} deep`);
    this.#count();
    this.#open.add(node);
    try {
      return body();
    } finally {
      this.#open.delete(node);
    }
  }

  #count(): void {
    if (--this.#valuesLeft < 0) {
      throw new TooBig(`more than ${MAX_VALUES} values once all aliases are expanded`);
    }
  }

  #value(raw: unknown, shape: Shape | undefined, path: Path, run: Run): unknown {
    this.#count();
    const node = this.resolve(raw);
    const place = this.#source.place(isAlias(raw) ? raw : node);
    if (raw !== null && raw !== undefined) run.places.set(pathText(path), place);
    if (isMap(node)) return this.#guarded(node, () => this.#map(node, shape, path, run));
    if (isSeq(node)) return this.#guarded(node, () => this.#list(node, shape, path, run));
    return scalarValue(isScalar(node) ? node : undefined, shape);
  }

  #list(node: YAMLSeq, shape: Shape | undefined, path: Path, run: Run): unknown {
    const element = shape?.kind === 'list' ? shape.element : undefined;
    return node.items.map((item, at) =>
      this.#value(isPair(item) ? item.value : item, element, [...path, at], run),
    );
  }

  #map(node: YAMLMap, shape: Shape | undefined, path: Path, run: Run): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const pair of this.#pairs(node)) {
      const written = keyText(pair);
      if (written === undefined || written === '__proto__') {
        this.#problem(run, path, pair.key, { severity: 'error', message: 'a key must be a name' });
        continue;
      }
      if (path.length === 0 && run.skip.has(written)) continue;
      const key = canonicalKey(shape, written);
      if (shape?.kind === 'object' && !shape.open && !shape.fields.has(key)) {
        this.#unknownKey(pair, written, shape, path, run);
      } else if (Object.hasOwn(result, key) && key !== written) {
        this.#problem(run, [...path, written], pair.key, {
          severity: 'error',
          message: `another name of ${key}, which stands here as well`,
        });
      } else {
        const at = [...path, key];
        if (pair.value === null) run.places.set(pathText(at), this.#source.place(pair.key));
        result[key] = this.#value(pair.value, childShape(shape, key), at, run);
      }
    }
    return result;
  }

  #unknownKey(pair: Pair, written: string, shape: Shape, path: Path, run: Run): void {
    const known = [...shape.fields.keys()];
    const near = nearest(written, known);
    const elsewhere = run.root === undefined ? undefined : findKey(run.root, written);
    const secret = looksSecret(written) || nearest(written, SECRET_WORDS) !== undefined;
    const value = this.#plain(pair.value);
    const suggestion = near ?? elsewhere;
    this.#problem(run, [...path, written], pair.key, {
      severity: run.old || shape.meta.lenient === true ? 'warning' : 'error',
      message: 'unknown key',
      found: secret ? secretText(value) : valueText(value),
      expected: known.length <= LISTED_KEYS ? `one of ${known.join(', ')}` : `a key of ${run.what}`,
      ...(suggestion === undefined ? {} : { nearest: suggestion }),
    });
  }

  /** A value for a message only: collections stay unread. */
  #plain(raw: unknown): unknown {
    const node = this.resolve(raw);
    if (isMap(node)) return {};
    if (isSeq(node)) return node.items.map(() => null);
    return scalarValue(isScalar(node) ? node : undefined, undefined);
  }

  #problem(
    run: Run,
    path: Path,
    node: unknown,
    problem: Pick<Problem, 'severity' | 'message' | 'found' | 'expected' | 'nearest'>,
  ): void {
    this.#report({
      component: run.component,
      path: redactText(pathText([...run.prefix, ...path])),
      ...this.#source.place(node),
      ...problem,
    });
  }
}

/** The schema's name of a key that old files may spell otherwise (`broker_url`). */
function canonicalKey(shape: Shape | undefined, written: string): string {
  if (shape?.kind !== 'object' || shape.fields.has(written)) return written;
  for (const [key, field] of shape.fields) {
    if (field.meta.aliases?.includes(written) === true) return key;
  }
  return written;
}

const EMPTY: Readonly<Record<string, () => unknown>> = {
  object: () => ({}),
  map: () => ({}),
  list: () => [],
};

function scalarValue(node: Scalar | undefined, shape: Shape | undefined): unknown {
  const value = node?.value ?? null;
  if (value === null) {
    return shape === undefined || shape.nullable ? null : (EMPTY[shape.kind]?.() ?? null);
  }
  if (typeof value === 'string') return value;
  const written = node?.source ?? String(value);
  if (shape?.kind === 'text') return written;
  if (typeof value === 'bigint') {
    if (shape?.kind === 'target') return value;
    if (shape?.kind === 'scalar') return Number(value);
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
      ? Number(value)
      : value;
  }
  return typeof value === 'number' || typeof value === 'boolean' ? value : written;
}
