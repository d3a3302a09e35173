/**
 * A miner's username → the address that is paid and the worker it is shown under (contract §4).
 * Pure; never throws, whatever was sent. The address check itself is `coin/address.ts`.
 * Entry point: parseLogin, with the rules made once per server by loginRules.
 */
import { isAddress } from '../coin/address.ts';
import type { StratumSettings } from '../config/schema/stratum-server.ts';

/** The settings of a stratum server that decide on usernames. */
export type LoginSettings = Pick<
  StratumSettings,
  | 'valid_address_versions'
  | 'address_hrps'
  | 'aliases'
  | 'donate_key'
  | 'strict'
  | 'max_worker_length'
>;

export interface LoginRules {
  /** Accepted base58 versions and bech32 HRPs; both empty: any valid address. */
  readonly versions: readonly number[];
  readonly hrps: readonly string[];
  /** By nameKey. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly donateKey: string;
  readonly strict: boolean;
  readonly maxWorkerLength: number;
}

export type Login =
  | {
      readonly kind: 'accepted';
      readonly address: string;
      readonly worker: string;
      /** How the address was found; `donation` is a name nobody knows, mining for donate_key. */
      readonly via: 'address' | 'alias' | 'donation';
    }
  | { readonly kind: 'refused'; readonly refusal: 'unknownUser' };

/** Longer usernames are cut: the longest address has 90 characters (BIP173), a worker 16. */
const MAX_USERNAME_LENGTH = 512;

export function loginRules(settings: LoginSettings): LoginRules {
  const aliases = new Map<string, string>();
  for (const [name, address] of Object.entries(settings.aliases)) {
    aliases.set(nameKey(name), address);
  }
  return {
    versions: settings.valid_address_versions,
    hrps: settings.address_hrps,
    aliases,
    donateKey: settings.donate_key,
    strict: settings.strict,
    maxWorkerLength: settings.max_worker_length,
  };
}

export function parseLogin(username: unknown, rules: LoginRules): Login {
  const text = textOf(username);
  const dot = text.indexOf('.');
  const name = dot === -1 ? text : text.slice(0, dot);
  const worker = dot === -1 ? '' : cleanWorker(text.slice(dot + 1), rules.maxWorkerLength);
  const address = addressOf(name, rules);
  if (address !== undefined) return { kind: 'accepted', address, worker, via: 'address' };
  const key = nameKey(name);
  const alias = rules.aliases.get(key);
  if (alias !== undefined) return { kind: 'accepted', address: alias, worker, via: 'alias' };
  if (rules.strict && (key === '' || key !== nameKey(rules.donateKey))) {
    return { kind: 'refused', refusal: 'unknownUser' };
  }
  return { kind: 'accepted', address: rules.donateKey, worker, via: 'donation' };
}

/** How a name that is no address is compared: letters and digits only, lower case. */
export function nameKey(name: string): string {
  return name.replace(/[^A-Za-z0-9]+/g, '').toLowerCase();
}

/** A worker name as it is reported: it becomes part of keys and URLs of the back ends. */
export function cleanWorker(worker: string, maxLength: number): string {
  return worker.replace(/[^A-Za-z0-9[\]_]+/g, '-').slice(0, maxLength);
}

function textOf(username: unknown): string {
  if (typeof username === 'number') return String(username);
  if (typeof username !== 'string') return '';
  return username.slice(0, MAX_USERNAME_LENGTH).trim();
}

/**
 * The accepted spelling of an address, or undefined. BIP173 allows upper case throughout (QR codes):
 * that is the same address as in lower case and must not be counted apart.
 */
function addressOf(name: string, rules: LoginRules): string | undefined {
  if (name === '') return undefined;
  if (name === name.toUpperCase()) {
    const lower = name.toLowerCase();
    if (isAddress(lower, rules.versions, rules.hrps)) return lower;
  }
  return isAddress(name, rules.versions, rules.hrps) ? name : undefined;
}
