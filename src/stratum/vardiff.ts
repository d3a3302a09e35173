/**
 * Variable difficulty: which difficulty a connection should get next (contract §4). Pure: time and
 * rates are passed in. Not here: when the change goes out (only ahead of a new job id: session) and
 * how the rate of an address is known (rates.ts). Entry points: tiersOf, retargetDue, retarget.
 *
 * ideal = accepted difficulty per minute of the whole address / spm_target; the nearest tier wins.
 * That rate is a mean over up to ten minutes and blind to silence, so it is kept within what the
 * connection's own count of shares since its difficulty last changed allows for.
 */
import type { VardiffSettings } from '../config/schema/stratum-server.ts';

export type VardiffRules = Pick<VardiffSettings, 'spm_target' | 'interval' | 'hysteresis'>;
export type TierRules = Pick<
  VardiffSettings,
  'tiers' | 'minimum_difficulty' | 'maximum_difficulty'
>;

/** Limits of the tiers, from the password or from mining.configure's minimum-difficulty. */
export interface TierLimits {
  readonly min: number | undefined;
  readonly max: number | undefined;
}

/** A connection's own count; lives in its session, which counts each accepted share into `shares`. */
export interface VardiffWindow {
  /** When the count began, monotonic ms. */
  sinceMs: number;
  /** The last retarget, monotonic ms; when the session got its first job, before there was one. */
  checkedMs: number;
  /** Accepted since `sinceMs`. */
  shares: number;
  /** False once a retarget was computed in this session. */
  first: boolean;
}

/** What is known of the address (or worker) as a whole. */
export interface KeyRate {
  /** Accepted difficulty per minute. */
  readonly perMinute: number;
  /** Over how many minutes that was measured. */
  readonly minutes: number;
  /** Connections that share the rate, this one among them. */
  readonly connections: number;
}

export interface RetargetInput {
  readonly nowMs: number;
  /** In force. */
  readonly difficulty: number;
  readonly window: VardiffWindow;
  /** undefined: not known yet; the connection's own count is all there is. */
  readonly rate: KeyRate | undefined;
  /** Of tiersOf. */
  readonly tiers: readonly number[];
  readonly rules: VardiffRules;
}

/** A new connection is looked at once it has this many shares, without waiting for the interval. */
const FIRST_SHARES = 12;
/** … and later when it has this many times the shares that `interval` should bring. */
const BURST = 4;
/** Shorter counts measure the network's and the miner's batching, not its speed. */
const SHORTEST_MS = 1000;
/** A count of this many shares is used once; a smaller one goes on until it has them. */
const ENOUGH_SHARES = 10;
/** Standard deviations of the measured rate that the ideal must lie beyond a border. */
const NOISE = 1.5;

export function openWindow(nowMs: number): VardiffWindow {
  return { sinceMs: nowMs, checkedMs: nowMs, shares: 0, first: true };
}

/** To be called after each retarget that changed nothing. */
export function noteChecked(window: VardiffWindow, nowMs: number): void {
  window.first = false;
  window.checkedMs = nowMs;
  if (window.shares < ENOUGH_SHARES) return;
  window.sinceMs = nowMs;
  window.shares = 0;
}

/** To be called when a new difficulty has gone out to the miner; until then no retarget is due. */
export function noteChanged(window: VardiffWindow, nowMs: number): void {
  window.first = false;
  window.checkedMs = nowMs;
  window.sinceMs = nowMs;
  window.shares = 0;
}

/** Whether it is time for a retarget; cheap enough to ask at every share. */
export function retargetDue(window: VardiffWindow, rules: VardiffRules, nowMs: number): boolean {
  const sinceCheckMs = nowMs - window.checkedMs;
  if (sinceCheckMs >= rules.interval * 1000) return true;
  const many = window.first ? FIRST_SHARES : (BURST * rules.spm_target * rules.interval) / 60;
  return window.shares >= Math.max(many, ENOUGH_SHARES) && sinceCheckMs >= SHORTEST_MS;
}

/** The next difficulty, or undefined to keep the one in force. */
export function retarget(input: RetargetInput): number | undefined {
  const { difficulty, tiers, rules, window } = input;
  const inTiers = nearestTier(tiers, difficulty);
  if (difficulty < (tiers[0] ?? difficulty) || difficulty > (tiers.at(-1) ?? difficulty)) {
    return inTiers;
  }
  const minutes = Math.max(input.nowMs - window.sinceMs, SHORTEST_MS) / 60_000;
  const rate = input.rate ?? {
    perMinute: (window.shares * difficulty) / minutes,
    minutes,
    connections: 1,
  };
  const perShare = difficulty / minutes;
  const atLeast = fewestShares(window.shares) * perShare;
  const atMost = mostShares(window.shares) * perShare * Math.max(rate.connections, 1);
  const believed = Math.max(Math.min(rate.perMinute, atMost), atLeast);
  const rising = believed > difficulty * rules.spm_target;
  const proven = rising ? believed > rate.perMinute : believed < rate.perMinute;
  const shares = Math.max((rate.perMinute * rate.minutes) / difficulty, 1);
  const noise = proven ? 0 : NOISE / Math.sqrt(shares);
  const silent = window.shares === 0 && proven && !rising;
  const ideal = (silent ? believed * SILENT_PART : believed) / rules.spm_target;
  return beyondBorder(ideal, difficulty, tiers, rules.hysteresis, noise)
    ? nearestTier(tiers, ideal)
    : undefined;
}

/**
 * Bounds of the mean of a Poisson count, about three standard deviations out; for no share at all:
 * a mean of 7 or more gives that once in a thousand times.
 */
function mostShares(seen: number): number {
  return seen + 3 * Math.sqrt(seen) + 7;
}

function fewestShares(seen: number): number {
  return Math.max(seen - 3 * Math.sqrt(seen), 0);
}

/** Once silence has proven a difficulty too high, aim for the mean that is silent once in twenty times. */
const SILENT_PART = 3 / 7;

/** Whether `ideal` lies past the middle to the next tier by the hysteresis and the noise. */
function beyondBorder(
  ideal: number,
  difficulty: number,
  tiers: readonly number[],
  hysteresis: number,
  noise: number,
): boolean {
  const next =
    ideal > difficulty
      ? tiers.find((tier) => tier > difficulty)
      : tiers.findLast((tier) => tier < difficulty);
  if (next === undefined) return false;
  const border = (next + difficulty) / 2;
  const margin = hysteresis * Math.abs(next - difficulty) + noise * border;
  return ideal > difficulty ? ideal > border + margin : ideal < border - margin;
}

/** The tier with the smallest distance; of two the lower. `tiers` is ascending and not empty. */
export function nearestTier(tiers: readonly number[], difficulty: number): number {
  let nearest = tiers[0] ?? difficulty;
  for (const tier of tiers) {
    if (Math.abs(tier - difficulty) < Math.abs(nearest - difficulty)) nearest = tier;
  }
  return nearest;
}

/**
 * The difficulties to choose from, ascending: those listed, or the minimum doubled up to the maximum,
 * and the maximum. Limits that leave none take the one nearest to them.
 */
export function tiersOf(rules: TierRules, limits: TierLimits): readonly number[] {
  const all =
    rules.tiers === null
      ? doubled(rules.minimum_difficulty, rules.maximum_difficulty)
      : [...new Set(rules.tiers)].toSorted((a, b) => a - b);
  const min = limits.min ?? 0;
  const max = Math.max(limits.max ?? Infinity, min);
  const within = all.filter((tier) => tier >= min && tier <= max);
  if (within.length > 0) return within;
  const outside = (tier: number): number => Math.max(min - tier, tier - max);
  return [all.reduce((best, tier) => (outside(tier) < outside(best) ? tier : best))];
}

function doubled(minimum: number, maximum: number): number[] {
  const tiers: number[] = [];
  for (let tier = minimum; tier < maximum; tier *= 2) tiers.push(tier);
  tiers.push(Math.max(minimum, maximum));
  return tiers;
}
