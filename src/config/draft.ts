/**
 * One component on its way from the file to typed settings: its own keys over the defaults of its type,
 * checked by the schema. What concerns several components is in `cross.ts` and `listeners.ts`.
 * Entry points: `readDefaults`, `draftComponent`.
 */
import { isMap, isScalar } from 'yaml';
import type { YAMLMap } from 'yaml';
import type { z } from 'zod';
import type { Problem } from './problem.ts';
import { nearest, secretText, valueText } from './problem.ts';
import type { ReadResult, Reader } from './read.ts';
import type { Path, Shape } from './schema/inspect.ts';
import { expectation, mergeSettings, pathText, shapeAt, valueAt } from './schema/inspect.ts';
import type { Place, Source } from './source.ts';
import { keyText } from './source.ts';
import type { ComponentType, ResolvedType, SettingsByType } from './types.ts';
import { COMPONENT_TYPES, SHORT_NAMES, resolveType } from './types.ts';

/** A component whose type is known; settings are undefined where they are wrong. */
export interface DraftOf<T extends ComponentType> {
  readonly key: string;
  readonly index: number;
  readonly place: Place;
  readonly type: T;
  readonly declaredType: string;
  readonly old: boolean;
  settings: SettingsByType[T] | undefined;
  /** Where a path of it stands in the file, or the nearest thing around it. */
  placeOf(path: Path): Place;
}

export type Draft = { [T in ComponentType]: DraftOf<T> }[ComponentType];

export interface DraftContext {
  readonly source: Source;
  readonly reader: Reader;
  readonly report: (problem: Problem) => void;
}

/** Defaults of the file by type; for plug-ins by `type` as written. */
export type DefaultsByType = ReadonlyMap<string, ReadResult>;

const TYPE_KEY: ReadonlySet<string> = new Set(['type']);
const NO_KEYS: ReadonlySet<string> = new Set();

const typeNames = (): string[] => [
  ...SHORT_NAMES,
  ...SHORT_NAMES.flatMap((type) => COMPONENT_TYPES[type].dotted ?? []),
];

/** The known name for a wrong one: by its class (`StratumServer`), else by spelling. */
function nearestType(name: string): string | undefined {
  const last = name.slice(name.lastIndexOf('.') + 1);
  const byClass = SHORT_NAMES.find((type) => COMPONENT_TYPES[type].className === last);
  return byClass ?? nearest(name, typeNames());
}

function resolveDefaultsName(name: string): ResolvedType | undefined {
  const byClass = SHORT_NAMES.find((type) => COMPONENT_TYPES[type].className === name);
  return resolveType(name) ?? (byClass === undefined ? undefined : { type: byClass, old: true });
}

/** Where `path` stands, else the nearest thing around it that stands in the file. */
function nearestPlace(places: ReadonlyMap<string, Place>, path: Path): Place | undefined {
  for (let length = path.length; length > 0; length--) {
    const place = places.get(pathText(path.slice(0, length)));
    if (place !== undefined) return place;
  }
  return undefined;
}

function issueProblem(
  issue: z.core.$ZodIssue,
  value: unknown,
  shape: Shape | undefined,
): Pick<Problem, 'severity' | 'message' | 'found' | 'expected' | 'nearest'> {
  if (value === undefined) {
    return {
      severity: 'error',
      message: 'required key is missing',
      expected: expectation(shape),
    };
  }
  const near =
    issue.code === 'invalid_value' && typeof value === 'string'
      ? nearest(value, issue.values.map(String))
      : undefined;
  return {
    severity: 'error',
    message: 'wrong value',
    found: shape?.meta.secret === true ? secretText(value) : valueText(value),
    expected: expectation(shape),
    ...(near === undefined ? {} : { nearest: near }),
  };
}

/** Reads the top-level `defaults:`; what is wrong in it is reported here, once. */
export function readDefaults(node: unknown, context: DraftContext): DefaultsByType {
  const result = new Map<string, ReadResult>();
  const at = context.reader.resolve(node);
  const base = { component: 'defaults', severity: 'error' as const };
  if (!isMap(at)) {
    const empty = at === null || at === undefined || (isScalar(at) && at.value === null);
    if (!empty) {
      const expected = 'a map from types to settings';
      context.report({
        ...base,
        path: 'defaults',
        ...context.source.place(at),
        message: 'wrong value',
        expected,
      });
    }
    return result;
  }
  for (const pair of context.reader.pairs(at)) {
    const name = keyText(pair) ?? '';
    const resolved = resolveDefaultsName(name);
    if (resolved === undefined) {
      const near = nearestType(name);
      context.report({
        ...base,
        path: pathText(['defaults', name]),
        ...context.source.place(pair.key),
        message: 'unknown type',
        found: valueText(name),
        expected: `one of ${SHORT_NAMES.join(', ')}`,
        ...(near === undefined ? {} : { nearest: near }),
      });
      continue;
    }
    const read = readDefaultsOf(name, resolved, pair.value, context);
    const slot = resolved.type === 'plugin' ? name : resolved.type;
    const before = result.get(slot);
    if (read !== undefined) result.set(slot, before === undefined ? read : joined(before, read));
  }
  return result;
}

function joined(before: ReadResult, read: ReadResult): ReadResult {
  return {
    value: mergeSettings(before.value, read.value),
    places: new Map([...before.places, ...read.places]),
  };
}

function readDefaultsOf(
  name: string,
  resolved: ResolvedType,
  node: unknown,
  context: DraftContext,
): ReadResult | undefined {
  const { schema, shape } = COMPONENT_TYPES[resolved.type];
  const prefix = ['defaults', name];
  const read = context.reader.read(node, {
    component: 'defaults',
    prefix,
    root: shape,
    what: `type ${resolved.type}`,
    old: resolved.old,
    skip: NO_KEYS,
  });
  if (read === undefined) return undefined;
  const parsed = schema.safeParse(read.value);
  for (const issue of parsed.error?.issues ?? []) {
    const path = issue.path as Path;
    const value = valueAt(read.value, path);
    if (value === undefined) continue;
    context.report({
      component: 'defaults',
      path: pathText([...prefix, ...path]),
      ...(nearestPlace(read.places, path) ?? context.source.place(node)),
      ...issueProblem(issue, value, shapeAt(shape, path)),
    });
  }
  return read;
}

/** The type of a component, reported when it has none that is known. */
function typeOf(
  key: string,
  map: YAMLMap,
  place: Place,
  context: DraftContext,
): (ResolvedType & { readonly declaredType: string }) | undefined {
  const pair = context.reader.pairs(map).find((candidate) => keyText(candidate) === 'type');
  const node = context.reader.resolve(pair?.value);
  const name = isScalar(node) && typeof node.value === 'string' ? node.value : undefined;
  const resolved = name === undefined ? undefined : resolveType(name);
  if (name !== undefined && resolved !== undefined) return { ...resolved, declaredType: name };
  const near = name === undefined ? undefined : nearestType(name);
  context.report({
    severity: 'error',
    component: key,
    path: `${key}.type`,
    ...(pair === undefined ? place : context.source.place(node ?? pair.key)),
    message: pair === undefined ? 'required key is missing' : 'unknown type',
    ...(pair === undefined ? {} : { found: valueText(name) }),
    expected: `one of ${SHORT_NAMES.join(', ')}, or ./file.ts#Class of your own`,
    ...(near === undefined ? {} : { nearest: near }),
  });
  return undefined;
}

/** Checks a component by itself; undefined when not even its type is known. */
export function draftComponent(
  entry: { readonly key: string; readonly index: number; readonly place: Place },
  map: YAMLMap,
  defaults: DefaultsByType,
  context: DraftContext,
): Draft | undefined {
  const { key, index, place } = entry;
  const resolved = typeOf(key, map, place, context);
  if (resolved === undefined) return undefined;
  const { type, declaredType, old } = resolved;
  const { schema, shape } = COMPONENT_TYPES[type];
  const own = context.reader.read(map, {
    component: key,
    prefix: [key],
    root: shape,
    what: `type ${type}`,
    old,
    skip: TYPE_KEY,
  });
  const base = defaults.get(type === 'plugin' ? declaredType : type);
  const placeOf = (path: Path): Place =>
    nearestPlace(own?.places ?? new Map(), path) ??
    nearestPlace(base?.places ?? new Map(), path) ??
    place;
  const merged = mergeSettings(base?.value ?? {}, own?.value ?? {});
  const parsed = schema.safeParse(merged);
  for (const issue of own === undefined ? [] : (parsed.error?.issues ?? [])) {
    const path = issue.path as Path;
    const value = valueAt(merged, path);
    if (value !== undefined && !own!.places.has(pathText(path))) continue;
    context.report({
      component: key,
      path: pathText([key, ...path]),
      ...(value === undefined ? (nearestPlace(own!.places, path) ?? place) : placeOf(path)),
      ...issueProblem(issue, value, shapeAt(shape, path)),
    });
  }
  const settings = own === undefined ? undefined : parsed.data;
  return { key, index, place, type, declaredType, old, settings, placeOf } as Draft;
}
