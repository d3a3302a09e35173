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
/** Standard deviations of the measured rate by which the ideal must lie beyond a border. */
const NOISE = 1.5;
/** Where this many shares are expected, none comes once in a thousand times (e^-7) … */
const SILENCE = 7;
/** … and where this many are, once in twenty times: what to aim for once silence proved the first. */
const SILENCE_AIM = 3;

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
  const { difficulty, tiers } = input;
  const lowest = tiers[0] ?? difficulty;
  const highest = tiers.at(-1) ?? difficulty;
  if (difficulty < lowest || difficulty > highest) return nearestTier(tiers, difficulty);
  const evidence = evidenceOf(input);
  return higherTier(evidence, input) ?? lowerTier(evidence, input);
}

/** What is known of the speed, all in ideal difficulties: rates over spm_target. */
interface Evidence {
  /** Of the whole address. */
  readonly rate: number;
  /** Part of `rate` that is one standard deviation of its measurement. */
  readonly noise: number;
  /** The connection's own count, and what it leaves possible at least (three deviations off). */
  readonly own: number;
  readonly atLeast: number;
  /** At most, likely (one) and beyond doubt (three): were all connections of the address alike. */
  readonly likelyAtMost: number;
  readonly atMost: number;
}

function evidenceOf({ nowMs, difficulty, window, rate, rules }: RetargetInput): Evidence {
  const { shares } = window;
  const minutes = Math.max(nowMs - window.sinceMs, SHORTEST_MS) / 60_000;
  const perShare = difficulty / minutes / rules.spm_target;
  const alike = Math.max(rate?.connections ?? 1, 1);
  const deviation = Math.sqrt(shares);
  const counted = {
    own: shares * perShare,
    atLeast: Math.max(shares - 3 * deviation, 0) * perShare,
    likelyAtMost: (shares + deviation + 1) * perShare * alike,
    atMost: (shares + 3 * deviation + SILENCE) * perShare * alike,
  };
  if (rate !== undefined) {
    const known = Math.max((rate.perMinute * rate.minutes) / difficulty, 1);
    return { rate: rate.perMinute / rules.spm_target, noise: 1 / Math.sqrt(known), ...counted };
  }
  // Nobody has heard of the address: neither has the count, or it has and is all there is.
  if (shares === 0) return { rate: Infinity, noise: 0, ...counted };
  return { rate: shares * perShare, noise: 1 / deviation, ...counted };
}

function higherTier(evidence: Evidence, input: RetargetInput): number | undefined {
  const { difficulty, tiers, rules, window } = input;
  const next = tiers.find((tier) => tier > difficulty);
  if (next === undefined) return undefined;
  // A few shares come close together often enough; they must not undo what silence has proven.
  if (evidence.rate > evidence.likelyAtMost && window.shares < ENOUGH_SHARES) return undefined;
  const proven = evidence.atLeast > evidence.rate;
  const ideal = proven ? evidence.atLeast : Math.min(evidence.rate, evidence.likelyAtMost);
  const certain = proven ? ideal : ideal * (1 - NOISE * evidence.noise);
  const border = (difficulty + next) / 2 + rules.hysteresis * (next - difficulty);
  return certain > border ? nearestTier(tiers, ideal) : undefined;
}

function lowerTier(evidence: Evidence, input: RetargetInput): number | undefined {
  const { difficulty, tiers, rules, window } = input;
  const next = tiers.findLast((tier) => tier < difficulty);
  if (next === undefined) return undefined;
  const proven = evidence.atMost < evidence.rate;
  // An address is not slower than one of its connections, whatever its last ten minutes were like.
  const ideal = proven ? evidence.atMost : Math.max(evidence.rate, evidence.own);
  const certain = proven ? ideal : ideal * (1 + NOISE * evidence.noise);
  const border = (difficulty + next) / 2 - rules.hysteresis * (difficulty - next);
  if (certain >= border) return undefined;
  const silent = proven && window.shares === 0;
  return nearestTier(tiers, silent ? (ideal * SILENCE_AIM) / SILENCE : ideal);
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
