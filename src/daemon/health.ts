/**
 * What a daemon says about itself: the answers of getblockchaininfo and getnetworkinfo (getinfo on old
 * daemons) as checked values, and why such a daemon should not serve templates. Entry points:
 * `askHealth`, `whyUnsynced`, `isBehind`, `disagree`.
 */
import type { CallResult } from './envelope.ts';
import { quote } from './envelope.ts';
import { DaemonError } from './error.ts';
import type { Daemon } from './rpc.ts';

export interface Health {
  /** main, test, regtest, signet …; undefined where the daemon does not say (getinfo). */
  readonly chain: string | undefined;
  readonly height: number;
  /** Best block, display order. */
  readonly tip: string;
  /** Total work of its best chain; undefined where the daemon does not say. */
  readonly work: bigint | undefined;
  readonly initialDownload: boolean;
  readonly peers: number | undefined;
  /** For the monitor's last_getinfo. */
  readonly info: Readonly<Record<string, string | number | boolean>>;
}

/** A tip and for how long this daemon is known to have had it, monotonic ms. */
export interface TipHeld {
  readonly chain: string | undefined;
  readonly tip: string;
  readonly height: number;
  readonly work: bigint | undefined;
  readonly since: number;
  readonly confirmedAt: number;
}

const METHOD_NOT_FOUND = -32601;

/** What the monitor shows of a daemon's answers; everything else in them stays here. */
const SHOWN = [
  'version',
  'subversion',
  'protocolversion',
  'chain',
  'testnet',
  'blocks',
  'headers',
  'bestblockhash',
  'difficulty',
  'mediantime',
  'verificationprogress',
  'initialblockdownload',
  'connections',
  'timeoffset',
  'relayfee',
  'warnings',
  'errors',
] as const;

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Asks for everything in one request. Throws DaemonError when the daemon cannot be used at all. */
export async function askHealth(daemon: Daemon): Promise<Health> {
  const results = await daemon.batch([
    { method: 'getblockchaininfo', params: [] },
    { method: 'getnetworkinfo', params: [] },
  ]);
  const chain = required(results[0]);
  if (chain !== undefined)
    return decodeHealth(daemon.key, fields(chain), fields(optional(results[1])));
  const old = await daemon.batch([
    { method: 'getinfo', params: [] },
    { method: 'getbestblockhash', params: [] },
  ]);
  const info = fields(required(old[0]));
  return decodeHealth(daemon.key, { ...info, bestblockhash: required(old[1]) }, {});
}

/** The result; undefined where the daemon has no such method; throws every other failure. */
function required(result: CallResult | undefined): unknown {
  if (result === undefined || result.ok) return result?.result;
  if (result.error.rpcCode === METHOD_NOT_FOUND) return undefined;
  throw result.error;
}

function optional(result: CallResult | undefined): unknown {
  return result?.ok === true ? result.result : undefined;
}

export function decodeHealth(daemon: string, chain: Fields, network: Fields): Health {
  const all = { ...chain, ...network };
  const tip = all['bestblockhash'];
  const height = all['blocks'];
  if (typeof tip !== 'string' || !/^[0-9a-f]{64}$/i.test(tip) || !isCount(height)) {
    throw new DaemonError(
      'BAD_ANSWER',
      `daemon ${daemon}: getblockchaininfo has no bestblockhash and blocks (or getinfo, getbestblockhash on old daemons): it is not used`,
    );
  }
  const work = all['chainwork'];
  const name = all['chain'];
  const peers = all['connections'];
  return {
    chain: typeof name === 'string' ? quote(name) : undefined,
    height,
    tip: tip.toLowerCase(),
    work:
      typeof work === 'string' && /^[0-9a-f]{1,64}$/i.test(work) ? BigInt(`0x${work}`) : undefined,
    initialDownload: all['initialblockdownload'] === true,
    peers: isCount(peers) ? peers : undefined,
    info: shown(all),
  };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function shown(all: Fields): Health['info'] {
  const info: Record<string, string | number | boolean> = {};
  for (const name of SHOWN) {
    const value = all[name];
    if (typeof value === 'string') info[name] = quote(value);
    else if (typeof value === 'number' || typeof value === 'boolean') info[name] = value;
  }
  return info;
}

/** Why its templates are not wanted while a better daemon lives, or undefined. */
export function whyUnsynced(health: Health): string | undefined {
  if (health.initialDownload) return 'it is still downloading the chain';
  if (health.peers === 0 && health.chain !== 'regtest') return 'it has no peers';
  return undefined;
}

/** The tip as held from now on, or as before and confirmed once more. */
export function holdTip(before: TipHeld | undefined, health: Health, now: number): TipHeld {
  const { chain, tip, height, work } = health;
  const since = before?.tip === tip ? before.since : now;
  return { chain, tip, height, work, since, confirmedAt: now };
}

function sameChain(a: TipHeld, b: TipHeld): boolean {
  return a.chain === undefined || b.chain === undefined || a.chain === b.chain;
}

/** `mine` still stood on less work `agreeMs` after `other` had more. */
export function isBehind(mine: TipHeld, other: TipHeld, agreeMs: number): boolean {
  if (!sameChain(mine, other) || mine.confirmedAt - other.since < agreeMs) return false;
  if (mine.work !== undefined && other.work !== undefined) return mine.work < other.work;
  return mine.height < other.height;
}

/** Both held different tips, at the same time, for `agreeMs`; or they are on different networks. */
export function disagree(a: TipHeld, b: TipHeld, agreeMs: number): boolean {
  if (!sameChain(a, b)) return true;
  const together = Math.min(a.confirmedAt, b.confirmedAt) - Math.max(a.since, b.since);
  return a.tip !== b.tip && together >= agreeMs;
}
