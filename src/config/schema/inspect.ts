/**
 * A zod schema read back as plain data: what kind of value a setting is, its default, its words. The
 * reader, the error messages, the dump, the redaction and the generated manual all work from `Shape`;
 * nothing else of the house looks inside zod. Entry point: `shapeOf`.
 */
import { z } from 'zod';
import type { FieldMeta } from './fields.ts';

export type Path = readonly (string | number)[];

/** What a setting is, with all wrappers (default, nullable, preprocess) taken off. */
export interface Shape {
  readonly kind: 'text' | 'target' | 'scalar' | 'object' | 'list' | 'map' | 'any';
  readonly meta: FieldMeta;
  readonly nullable: boolean;
  /** It has no default and must stand in the file. */
  readonly required: boolean;
  /** Undefined where `required`. */
  readonly defaultValue: unknown;
  /** Of an object, in the order of the schema. */
  readonly fields: ReadonlyMap<string, Shape>;
  /** Of an object: unknown keys are kept as they are (plug-ins). */
  readonly open: boolean;
  /** Of a list or a map. */
  readonly element: Shape | undefined;
}

const NO_FIELDS: ReadonlyMap<string, Shape> = new Map();
const cache = new WeakMap<z.core.$ZodType, Shape>();

function metaOf(schema: z.core.$ZodType): FieldMeta {
  return (z.globalRegistry.get(schema) ?? {}) as FieldMeta;
}

/** Takes the wrappers off; the outermost word on anything wins. */
function unwrap(schema: z.core.$ZodType): {
  inner: z.core.$ZodType;
  meta: FieldMeta;
  nullable: boolean;
} {
  let inner = schema;
  let meta: FieldMeta = {};
  let nullable = false;
  for (;;) {
    meta = { ...metaOf(inner), ...meta };
    if (inner instanceof z.ZodNullable) {
      nullable = true;
      inner = inner.def.innerType;
    } else if (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
      inner = inner.def.innerType;
    } else if (inner instanceof z.ZodPipe) {
      inner = inner.def.out;
    } else {
      return { inner, meta, nullable };
    }
  }
}

function kindOf(inner: z.core.$ZodType): Shape['kind'] {
  if (inner instanceof z.ZodString) return 'text';
  if (inner instanceof z.ZodBigInt) return 'target';
  if (inner instanceof z.ZodObject) return 'object';
  if (inner instanceof z.ZodArray) return 'list';
  if (inner instanceof z.ZodRecord) return 'map';
  if (inner instanceof z.ZodUnknown) return 'any';
  return 'scalar';
}

function elementOf(inner: z.core.$ZodType): Shape | undefined {
  if (inner instanceof z.ZodArray) return shapeOf(inner.def.element);
  if (inner instanceof z.ZodRecord) return shapeOf(inner.def.valueType);
  return undefined;
}

export function shapeOf(schema: z.core.$ZodType): Shape {
  const known = cache.get(schema);
  if (known !== undefined) return known;
  const { inner, meta, nullable } = unwrap(schema);
  const absent = z.safeParse(schema, undefined);
  const isObject = inner instanceof z.ZodObject;
  const shape: Shape = {
    kind: kindOf(inner),
    meta,
    nullable,
    required: !absent.success,
    defaultValue: absent.data,
    fields: isObject
      ? new Map(Object.entries(inner.def.shape).map(([key, field]) => [key, shapeOf(field)]))
      : NO_FIELDS,
    open: isObject && inner.def.catchall instanceof z.ZodUnknown,
    element: elementOf(inner),
  };
  cache.set(schema, shape);
  return shape;
}

/** The shape of one key of an object or map, or of one entry of a list. */
export function childShape(shape: Shape | undefined, key: string | number): Shape | undefined {
  if (shape === undefined) return undefined;
  return shape.kind === 'object' ? shape.fields.get(String(key)) : shape.element;
}

export function shapeAt(shape: Shape, path: Path): Shape | undefined {
  return path.reduce<Shape | undefined>(childShape, shape);
}

/** What a value has to be, for a message or the manual. */
export function expectation(shape: Shape | undefined): string {
  let expects = shape?.meta.expects ?? 'any value';
  if (shape?.element !== undefined && shape.element.kind !== 'object' && /^a \w+$/.test(expects)) {
    expects += `, each ${shape.kind === 'map' ? 'value ' : ''}${expectation(shape.element)}`;
  }
  return shape?.nullable === true && !expects.includes('null') ? `${expects}, or null` : expects;
}

/** `coinservs[0].port`, as messages and the manual write a path. */
export function pathText(path: Path): string {
  return path
    .map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? part : `.${part}`))
    .join('');
}

/** Where else in a component a key of this name is known: `vardiff.spm_target` for spm_target. */
export function findKey(shape: Shape, key: string, under = ''): string | undefined {
  for (const [field, child] of shape.fields) {
    const at = under === '' ? field : `${under}.${field}`;
    if (field === key) return at;
    const deeper = child.kind === 'list' ? child.element : child;
    const found = deeper === undefined ? undefined : findKey(deeper, key, at);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A copy of `value` with `change` asked at every node, outermost first: what it returns is taken as it
 * is, undefined goes on into lists and maps and keeps everything else.
 */
export function mapSettings(
  value: unknown,
  shape: Shape | undefined,
  change: (value: unknown, shape: Shape | undefined, key: string) => unknown,
  key = '',
): unknown {
  const changed = change(value, shape, key);
  if (changed !== undefined) return changed;
  if (Array.isArray(value)) {
    return value.map((item) => mapSettings(item, childShape(shape, 0), change, key));
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      mapSettings(item, childShape(shape, name), change, name),
    ]),
  );
}

/** `base` with `over` laid upon it: maps are merged, everything else is replaced. */
export function mergeSettings(base: unknown, over: unknown): unknown {
  if (over === undefined) return base;
  if (!isRecord(base) || !isRecord(over)) return over;
  const result: Record<string, unknown> = { ...base };
  for (const [name, item] of Object.entries(over)) result[name] = mergeSettings(result[name], item);
  return result;
}

/** What stands at `path` in a plain value. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, part) =>
      typeof inner === 'object' && inner !== null
        ? (inner as Readonly<Record<string | number, unknown>>)[part]
        : undefined,
    value,
  );
}
