/**
 * Which difficulty a miner begins with and what it may ask for: password, mining.configure,
 * mining.suggest_difficulty, what it had when it left, and the port's own limits. Pure.
 * Not here: how difficulty follows the miner's speed (vardiff.ts), when a change goes out (session.ts).
 */
import type { StratumSettings } from '../config/schema/stratum-server.ts';
import { MAX_DIFFICULTY } from './password.ts';
import type { PasswordOptions } from './password.ts';
import { nearestTier, tiersOf } from './vardiff.ts';

export type DifficultySettings = Pick<
  StratumSettings,
  'start_difficulty' | 'minimum_manual_diff' | 'vardiff'
>;

export interface DifficultyWishes {
  readonly password: PasswordOptions;
  /** mining.suggest_difficulty or _target before the login. */
  readonly suggested: number | undefined;
  /** minimum-difficulty of mining.configure. */
  readonly minimum: number | undefined;
  /** What the worker had when it left. */
  readonly remembered: number | undefined;
}

export interface DifficultyPlan {
  readonly start: number;
  /** Tiers that vardiff chooses from; undefined: this difficulty and no other. */
  readonly tiers: readonly number[] | undefined;
}

/** A difficulty asked for by the miner, within what the port gives out. */
export function clamped(settings: DifficultySettings, difficulty: number): number {
  const { vardiff, minimum_manual_diff: least } = settings;
  if (!vardiff.enabled) {
    const raised = Math.max(difficulty, Math.min(least, settings.start_difficulty));
    return Math.min(raised, MAX_DIFFICULTY);
  }
  return Math.min(Math.max(difficulty, vardiff.minimum_difficulty), vardiff.maximum_difficulty);
}

/** `portTiers`: the tiers of the port without wishes, shared by all sessions that have none. */
export function planDifficulty(
  settings: DifficultySettings,
  portTiers: readonly number[],
  wishes: DifficultyWishes,
): DifficultyPlan {
  const { password, suggested, remembered } = wishes;
  const floor = wishes.minimum === undefined ? undefined : clamped(settings, wishes.minimum);
  if (password.fixed !== undefined) {
    return { start: Math.max(password.fixed, floor ?? 0), tiers: undefined };
  }
  const asked = password.start ?? remembered ?? suggested;
  if (!settings.vardiff.enabled) {
    const start = asked === undefined ? settings.start_difficulty : clamped(settings, asked);
    return { start: Math.max(start, floor ?? 0), tiers: undefined };
  }
  const min = Math.max(password.min ?? 0, floor ?? 0);
  const limited = min > 0 || password.max !== undefined;
  const tiers = limited
    ? tiersOf(settings.vardiff, { min: min > 0 ? min : undefined, max: password.max })
    : portTiers;
  const start =
    asked === undefined && !limited
      ? settings.start_difficulty
      : nearestTier(tiers, asked ?? settings.start_difficulty);
  return { start, tiers };
}
