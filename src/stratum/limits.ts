/**
 * What one peer address may take from a listener: how fast it connects, how many connections it
 * holds, how much nonsense it sends. Pure: `nowMs` is passed in (monotonic), the caller closes.
 * Everything is per peerKey, in a map that never exceeds `maxPeers`. Entry points: PeerLimits, peerKey.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** A token bucket: `burst` at once, refilled at `perSecond`. */
export interface Budget {
  readonly burst: number;
  readonly perSecond: number;
}

export interface PeerRules {
  /** Connections open at the same time. */
  readonly connections: number;
  readonly connects: Budget;
  readonly badRequests: Budget;
  /** Bound of the table. Must exceed the number of connections a listener may hold. */
  readonly maxPeers: number;
}

/** Why a connection is turned away. */
export type TurnedAway = 'tooManyConnections' | 'connectsTooFast' | 'tableFull';

interface Peer {
  connections: number;
  connectTokens: number;
  badTokens: number;
  /** When the tokens were last brought up to date. */
  refilledAt: number;
}

export class PeerLimits {
  readonly #rules: PeerRules;
  /** Peers with open connections: as many as there are connections at most, never evicted. */
  readonly #connected = new Map<string, Peer>();
  /** Peers that have gone, oldest first: kept so that reconnecting does not refill a budget. */
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
    const known = this.#connected.get(key) ?? this.#gone.get(key);
    if (known === undefined && this.size >= this.#rules.maxPeers && !this.#evictOldest()) {
      return 'tableFull';
    }
    const peer = known ?? this.#fresh(nowMs);
    this.#refill(peer, nowMs);
    if (peer.connections >= this.#rules.connections) return 'tooManyConnections';
    if (peer.connectTokens < 1) {
      this.#remember(key, peer);
      return 'connectsTooFast';
    }
    peer.connectTokens -= 1;
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

  /** Pays for a bad request. False: the budget is spent, the connection should be closed. */
  spendBad(key: string, nowMs: number): boolean {
    const peer = this.#connected.get(key);
    if (peer === undefined) return false;
    this.#refill(peer, nowMs);
    if (peer.badTokens < 1) return false;
    peer.badTokens -= 1;
    return true;
  }

  #fresh(nowMs: number): Peer {
    return {
      connections: 0,
      connectTokens: this.#rules.connects.burst,
      badTokens: this.#rules.badRequests.burst,
      refilledAt: nowMs,
    };
  }

  #refill(peer: Peer, nowMs: number): void {
    const seconds = Math.max(0, nowMs - peer.refilledAt) / 1000;
    const { connects, badRequests } = this.#rules;
    peer.connectTokens = Math.min(
      connects.burst,
      peer.connectTokens + seconds * connects.perSecond,
    );
    peer.badTokens = Math.min(badRequests.burst, peer.badTokens + seconds * badRequests.perSecond);
    peer.refilledAt = nowMs;
  }

  #remember(key: string, peer: Peer): void {
    if (peer.connections > 0) return;
    this.#gone.delete(key);
    this.#gone.set(key, peer);
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
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}

function groupsOf(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
