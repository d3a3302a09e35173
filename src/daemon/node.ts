/**
 * One daemon as its group sees it: live or down, synced or not, refused for templates or not, and the
 * rule that picks the one to use. The rule is `preferred`, a pure function.
 */
import type { Health, TipHeld } from './health.ts';
import { holdTip, whyUnsynced } from './health.ts';
import type { Daemon } from './rpc.ts';
import { NOTHING_LEARNED } from './template-request.ts';
import type { Learned } from './template-request.ts';

export interface Candidate {
  readonly live: boolean;
  /** Why others are better, or undefined. */
  readonly unsynced: string | undefined;
  /** Not asked for templates before this time, monotonic ms. */
  readonly refusedUntil: number;
  readonly priority: number;
}

/**
 * The daemon to take templates from: live, not refused just now, a synced one before any unsynced one,
 * then the highest priority, then the order of the settings.
 */
export function preferred<N extends Candidate>(nodes: readonly N[], now: number): N | undefined {
  let best: N | undefined;
  for (const node of nodes) {
    if (!node.live || node.refusedUntil > now) continue;
    if (best === undefined || isBetter(node, best)) best = node;
  }
  return best;
}

function isBetter(a: Candidate, b: Candidate): boolean {
  const aSynced = a.unsynced === undefined;
  const bSynced = b.unsynced === undefined;
  return aSynced === bSynced ? a.priority > b.priority : aSynced;
}

const FIRST_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 60_000;

export class DaemonNode implements Candidate {
  readonly daemon: Daemon;
  readonly priority: number;
  live = false;
  /** Undefined until it answered once. */
  health: Health | undefined;
  held: TipHeld | undefined;
  /** Set by the group, which compares the nodes: its chain has less work than a sibling's. */
  behind = false;
  learned: Learned = NOTHING_LEARNED;
  refusedUntil = -1;
  refusal: string | undefined;
  pinging = false;
  /** The failure that was last logged while it is down; undefined when live. */
  failure: string | undefined;
  #refusals = 0;

  constructor(daemon: Daemon) {
    this.daemon = daemon;
    this.priority = daemon.priority;
  }

  get unsynced(): string | undefined {
    if (this.behind) return 'another daemon has a longer chain';
    return this.health === undefined ? undefined : whyUnsynced(this.health);
  }

  /** It answered; true if it was down before. */
  up(health: Health, now: number): boolean {
    const wasDown = !this.live;
    this.live = true;
    this.failure = undefined;
    this.health = health;
    this.held = holdTip(wasDown ? undefined : this.held, health, now);
    return wasDown;
  }

  /** A call failed; true if there is something new to log. */
  down(failure: string): boolean {
    const isNews = this.live || this.failure === undefined;
    this.live = false;
    this.failure = failure;
    this.held = undefined;
    this.behind = false;
    return isNews;
  }

  /** Its template is of no use: not asked again for a time that doubles. True if the reason is new. */
  refuse(reason: string, now: number): boolean {
    const isNews = this.refusal !== reason;
    this.refusal = reason;
    this.refusedUntil = now + Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#refusals);
    this.#refusals = Math.min(this.#refusals + 1, 16);
    return isNews;
  }

  /** Its template was used. */
  accepted(): void {
    this.refusal = undefined;
    this.refusedUntil = -1;
    this.#refusals = 0;
  }
}
