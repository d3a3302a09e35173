/**
 * Settings without what is secret, for everything that shows them: the dump, the monitor, the log.
 * Where the type is known its schema says what is secret; keys no schema knows go by their names; user
 * and password in URLs go everywhere. Entry point: `redact`.
 */
import { REDACTED, looksSecret, redactText } from './problem.ts';
import type { Shape } from './schema/inspect.ts';
import { mapSettings } from './schema/inspect.ts';
import { COMPONENT_TYPES, SHORT_NAMES, resolveType } from './types.ts';

/** Of a plug-in's or price source's own setting nothing is known but its name. */
function isUnknown(shape: Shape | undefined): boolean {
  return shape === undefined || shape.kind === 'any';
}

/** A change for `mapSettings`. */
export function redactValue(value: unknown, shape: Shape | undefined, key: string): unknown {
  const empty = value === null || value === undefined || value === '' || typeof value === 'boolean';
  if (!empty && (isUnknown(shape) ? looksSecret(key) : shape?.meta.secret === true)) {
    return REDACTED;
  }
  if (typeof value !== 'string') return undefined;
  return shape?.meta.url === true
    ? redactText(value).replace(/^.*@/s, redactUser)
    : redactText(value);
}

/** `user:password@` with or without a scheme, in a setting that is known to hold a URL. */
function redactUser(before: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(before)?.[0] ?? '';
  return `${scheme}${REDACTED}@`;
}

function shapeOfType(type: string | undefined): Shape | undefined {
  if (type === undefined) return undefined;
  const byClass = SHORT_NAMES.find((name) => COMPONENT_TYPES[name].className === type);
  const known = byClass ?? resolveType(type)?.type;
  return known === undefined ? undefined : COMPONENT_TYPES[known].shape;
}

/**
 * A copy of any settings (or other plain data) without secrets. `type` is a component's type, short,
 * dotted or its class name; without it every key goes by its name, which hides more than it must.
 */
export function redact<T>(settings: T, type?: string): T {
  return mapSettings(settings, shapeOfType(type), redactValue) as T;
}
