/**
 * What one peer address may take from a listener: how fast it connects, how many connections it
 * holds, how much nonsense it sends. Pure: `nowMs` is passed in (monotonic), the caller closes.
 * Everything is per peerKey, in a map that never exceeds `maxPeers`. Entry points: PeerLimits, peerKey;
 * for a single connection's budget: fullBucket, spend.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { LimitSettings } from '../config/schema/stratum-server.ts';

/** A token bucket: `burst` at once, refilled at `perSecond`. */
export interface Budget {
  readonly burst: number;
  readonly perSecond: number;
}

export interface Bucket {
  tokens: number;
  refilledMs: number;
}

export function fullBucket(budget: Budget, nowMs: number): Bucket {
  return { tokens: budget.burst, refilledMs: nowMs };
}

/** Tokens refilled bit by bit come to a whole one but for this. */
const ROUNDING = 1e-9;

/** Takes one token. 0: paid; else nothing was taken, and there is one in so many ms. */
export function spend(bucket: Bucket, budget: Budget, nowMs: number): number {
  const seconds = Math.max(0, nowMs - bucket.refilledMs) / 1000;
  bucket.tokens = Math.min(budget.burst, bucket.tokens + seconds * budget.perSecond);
  bucket.refilledMs = Math.max(nowMs, bucket.refilledMs);
  if (bucket.tokens >= 1 - ROUNDING) {
    bucket.tokens = Math.max(bucket.tokens - 1, 0);
    return 0;
  }
  return ((1 - bucket.tokens) / budget.perSecond) * 1000;
}

export interface PeerRules {
  /** Connections open at the same time. */
  readonly connections: number;
  readonly connects: Budget;
  /** For each open connection, paid from one purse per peer: reconnecting does not fill it. */
  readonly badRequests: Budget;
  /** How long a peer that has spent its purse cannot connect. */
  readonly banMs: number;
  /** Bound of the table. Must exceed the number of connections a listener may hold. */
  readonly maxPeers: number;
}

type PeerSettings = Pick<
  LimitSettings,
  'connections' | 'connections_per_address' | 'bad_per_minute' | 'ban_seconds'
>;

/** After a restart all miners of a farm come back at once, from one address. */
export function peerRules(settings: PeerSettings): PeerRules {
  const all = settings.connections_per_address;
  return {
    connections: all,
    connects: { burst: all, perSecond: Math.max(all / 60, 1) },
    badRequests: { burst: settings.bad_per_minute, perSecond: settings.bad_per_minute / 60 },
    banMs: settings.ban_seconds * 1000,
    maxPeers: settings.connections * 2,
  };
}

/** Why a connection is turned away. */
export type TurnedAway = 'banned' | 'tooManyConnections' | 'connectsTooFast' | 'tableFull';

interface Peer {
  connections: number;
  bannedUntilMs: number;
  readonly connects: Bucket;
  readonly badRequests: Bucket;
}

export class PeerLimits {
  readonly #rules: PeerRules;
  /** Peers with open connections: as many as there are connections at most, never evicted. */
  readonly #connected = new Map<string, Peer>();
  /** Peers that have gone, oldest first: kept so that a new connection fills no purse. */
  readonly #gone = new Map<string, Peer>();

  constructor(rules: PeerRules) {
    this.#rules = rules;
  }

  /** Peers remembered. */
  get size(): number {
    return this.#connected.size + this.#gone.size;
  }

  connectionsOf(key: string): number {
    return this.#connected.get(key)?.connections ?? 0;
  }

  /** Takes a place for a new connection (to be given back by `disconnect`), or says why not. */
  connect(key: string, nowMs: number): TurnedAway | undefined {
    let peer = this.#connected.get(key) ?? this.#gone.get(key);
    if (peer === undefined) {
      if (this.size >= this.#rules.maxPeers && !this.#evictOldest()) return 'tableFull';
      peer = {
        connections: 0,
        bannedUntilMs: -Infinity,
        connects: fullBucket(this.#rules.connects, nowMs),
        badRequests: fullBucket(this.#rules.badRequests, nowMs),
      };
    }
    if (peer.connections === 0) {
      this.#gone.delete(key);
      this.#gone.set(key, peer);
    }
    if (nowMs < peer.bannedUntilMs) return 'banned';
    if (peer.connections >= this.#rules.connections) return 'tooManyConnections';
    if (spend(peer.connects, this.#rules.connects, nowMs) > 0) return 'connectsTooFast';
    peer.connections += 1;
    this.#gone.delete(key);
    this.#connected.set(key, peer);
    return undefined;
  }

  disconnect(key: string): void {
    const peer = this.#connected.get(key);
    if (peer === undefined) return;
    peer.connections -= 1;
    if (peer.connections > 0) return;
    this.#connected.delete(key);
    this.#gone.set(key, peer);
  }

  /** Pays for a bad request. False: the purse is empty, the peer is banned, close the connection. */
  spendBad(key: string, nowMs: number): boolean {
    const peer = this.#connected.get(key);
    if (peer === undefined) return false;
    const { burst, perSecond } = this.#rules.badRequests;
    const purse = { burst: burst * peer.connections, perSecond: perSecond * peer.connections };
    if (spend(peer.badRequests, purse, nowMs) === 0) return true;
    peer.bannedUntilMs = nowMs + this.#rules.banMs;
    return false;
  }

  #evictOldest(): boolean {
    const oldest = this.#gone.keys().next();
    if (oldest.done === true) return false;
    return this.#gone.delete(oldest.value);
  }
}

/**
 * What counts as one peer: an IPv4 address (also when mapped into IPv6), or the /64 of an IPv6 one,
 * since a single host may use any address of it. Anything else is one common peer.
 */
export function peerKey(ip: string): string {
  const zone = ip.indexOf('%');
  const text = zone === -1 ? ip : ip.slice(0, zone);
  if (isIPv4(text)) return text;
  if (!isIPv6(text)) return 'unknown';
  const groups = ipv6Groups(text);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join('.');
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** The eight 16-bit groups of a valid IPv6 address (RFC 4291 §2.2). */
function ipv6Groups(text: string): number[] {
  const [head = '', tail] = text.split('::');
  const left = groupsOf(head);
  if (tail === undefined) return left;
  const right = groupsOf(tail);
  const zeroes = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return [...left, ...zeroes, ...right];
}

function groupsOf(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
