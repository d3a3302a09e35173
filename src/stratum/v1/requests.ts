/**
 * A line → what the miner wants. Method names ignore case; ids are kept as JSON text so that they come
 * back as they were sent (contract §4: not JSON or without id → 1). Shapes are checked here, so that a
 * session never sees a value of the wrong type. Entry point: parseRequest.
 */
import type { RefusalName } from '../refusals.ts';

export interface Configure {
  readonly extensions: readonly string[];
  /** Mask the miner can roll, 0 where it named none; as BIP310, all bits where it only named the extension. */
  readonly versionMask: number;
  readonly minBitCount: number;
  /** undefined: not asked for. */
  readonly minimumDifficulty: number | undefined;
  readonly info: string | undefined;
}

export type Request =
  | { readonly method: 'subscribe'; readonly userAgent: string }
  | { readonly method: 'authorize'; readonly username: string; readonly password: string }
  | { readonly method: 'submit'; readonly params: readonly unknown[] }
  | ({ readonly method: 'configure' } & Configure)
  | { readonly method: 'extranonceSubscribe' }
  | { readonly method: 'suggestDifficulty'; readonly difficulty: number }
  | { readonly method: 'suggestTarget'; readonly targetHexBE: string }
  | { readonly method: 'ping' }
  /** The answer to client.get_version. */
  | { readonly method: 'version'; readonly text: string }
  /** An answer to nothing we asked: no reply. */
  | { readonly method: 'none' }
  | { readonly method: 'refused'; readonly refusal: RefusalName };

export interface Message {
  /** JSON text. */
  readonly id: string;
  readonly request: Request;
}

/** The id of client.get_version, by which its answer is known. */
export const VERSION_REQUEST_ID = 'version';

const MAX_TEXT = 256;
const NO_ID = '1';

export function parseRequest(line: string): Message {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { id: NO_ID, request: { method: 'refused', refusal: 'notJson' } };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { id: NO_ID, request: { method: 'refused', refusal: 'notARequest' } };
  }
  const message = value as Readonly<Record<string, unknown>>;
  const method = message['method'];
  if (typeof method !== 'string') return { id: idOf(message['id']), request: answer(message) };
  const params = Array.isArray(message['params']) ? (message['params'] as unknown[]) : [];
  return { id: idOf(message['id']), request: requestOf(method.toLowerCase(), params) };
}

/** Numbers, strings and null come back as sent; whatever else stands there counts as no id. */
function idOf(id: unknown): string {
  if (id === null) return 'null';
  if (typeof id === 'number') return JSON.stringify(id);
  if (typeof id !== 'string' || id.length > MAX_TEXT) return NO_ID;
  return JSON.stringify(id).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function answer(message: Readonly<Record<string, unknown>>): Request {
  if (!('result' in message) && !('error' in message)) {
    return { method: 'refused', refusal: 'notARequest' };
  }
  if (message['id'] !== VERSION_REQUEST_ID) return { method: 'none' };
  return { method: 'version', text: textOf(message['result']) };
}

function requestOf(method: string, params: readonly unknown[]): Request {
  switch (method) {
    case 'mining.submit':
      return { method: 'submit', params };
    case 'mining.subscribe':
      return { method: 'subscribe', userAgent: textOf(params[0]) };
    case 'mining.authorize':
      return { method: 'authorize', username: textOf(params[0]), password: textOf(params[1]) };
    case 'mining.configure':
      return configure(params);
    case 'mining.extranonce.subscribe':
      return { method: 'extranonceSubscribe' };
    case 'mining.suggest_difficulty':
      return positive(params[0], (difficulty) => ({ method: 'suggestDifficulty', difficulty }));
    case 'mining.suggest_target':
      return target(params[0]);
    case 'mining.ping':
      return { method: 'ping' };
    case 'mining.get_transactions':
      return { method: 'refused', refusal: 'noTransactions' };
    default:
      return { method: 'refused', refusal: 'unknownMethod' };
  }
}

/** Text a miner calls itself by: printable, bounded; it stands in logs and views. */
function textOf(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') return '';
  return value.slice(0, MAX_TEXT).replace(/[\p{Cc}\u2028\u2029]/gu, '');
}

function positive(value: unknown, make: (number: number) => Request): Request {
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number' || !(number > 0) || number === Number.POSITIVE_INFINITY) {
    return { method: 'refused', refusal: 'badParams' };
  }
  return make(number);
}

function target(value: unknown): Request {
  if (typeof value !== 'string' || !/^[0-9a-fA-F]{1,64}$/.test(value) || /^0+$/.test(value)) {
    return { method: 'refused', refusal: 'badParams' };
  }
  return { method: 'suggestTarget', targetHexBE: value };
}

/** BIP310: [[extension, …], {"extension.parameter": value, …}]. */
function configure(params: readonly unknown[]): Request {
  const names = params[0];
  if (!Array.isArray(names)) return { method: 'refused', refusal: 'badParams' };
  const options: Readonly<Record<string, unknown>> =
    typeof params[1] === 'object' && params[1] !== null
      ? (params[1] as Readonly<Record<string, unknown>>)
      : {};
  const extensions = names.slice(0, 16).filter((name): name is string => typeof name === 'string');
  const mask = options['version-rolling.mask'];
  const bits = options['version-rolling.min-bit-count'];
  const minimum = Number(options['minimum-difficulty.value']);
  return {
    method: 'configure',
    extensions,
    versionMask: mask === undefined ? 0xffffffff : hexMask(mask),
    minBitCount: typeof bits === 'number' && Number.isInteger(bits) ? bits : 0,
    minimumDifficulty: minimum > 0 && Number.isFinite(minimum) ? minimum : undefined,
    info: extensions.includes('info') ? textOf(options['info.sw-version']) : undefined,
  };
}

function hexMask(value: unknown): number {
  return typeof value === 'string' && /^[0-9a-fA-F]{1,8}$/.test(value)
    ? Number.parseInt(value, 16)
    : 0;
}
