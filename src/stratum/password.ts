/**
 * Options a miner puts into its password (contract §4): the original's command-line flags, and the
 * `d=1024` forms of today. Pure; never throws; a password that says nothing is the normal case.
 * Entry point: parsePassword.
 */

/** What the password asks for; undefined: not asked. All are difficulties. */
export interface PasswordOptions {
  /** This difficulty and no other: vardiff is off. */
  readonly fixed: number | undefined;
  /** Difficulty of the first job. */
  readonly start: number | undefined;
  /** Limits of the vardiff tiers. */
  readonly min: number | undefined;
  readonly max: number | undefined;
}

type OptionName = keyof PasswordOptions;
type Options = { -readonly [name in OptionName]: number | undefined };

export const NO_OPTIONS: PasswordOptions = {
  fixed: undefined,
  start: undefined,
  min: undefined,
  max: undefined,
};

const MAX_PASSWORD_LENGTH = 256;

/** Beyond any network's difficulty; keeps targets of absurd requests away from zero, and sums finite. */
export const MAX_DIFFICULTY = 2 ** 53;

const FLAGS: ReadonlyMap<string, OptionName> = new Map([
  ['-d', 'fixed'],
  ['--diff', 'fixed'],
  ['--start-diff', 'start'],
  ['--min-diff', 'min'],
  ['--max-diff', 'max'],
]);

/** By lower-case key without `-` and `_`. */
const KEYS: ReadonlyMap<string, OptionName> = new Map([
  ['d', 'fixed'],
  ['diff', 'fixed'],
  ['difficulty', 'fixed'],
  ['sd', 'start'],
  ['startdiff', 'start'],
  ['mindiff', 'min'],
  ['maxdiff', 'max'],
]);

/** A value below `minimumManualDiff` is raised to it. */
export function parsePassword(password: unknown, minimumManualDiff: number): PasswordOptions {
  if (typeof password !== 'string' || password.length > MAX_PASSWORD_LENGTH) return NO_OPTIONS;
  const words = password.trim().split(/\s+/);
  const options = words.some((word) => word.startsWith('-'))
    ? parseFlags(words)
    : parseForms(password);
  if (options === undefined) return NO_OPTIONS;
  return {
    fixed: raised(options.fixed, minimumManualDiff),
    start: raised(options.start, minimumManualDiff),
    min: raised(options.min, minimumManualDiff),
    max: raised(options.max, minimumManualDiff),
  };
}

/** The original's parser gave up on the first word it did not know, and with it on all the others. */
function parseFlags(words: readonly string[]): Options | undefined {
  const options: Options = { ...NO_OPTIONS };
  for (let at = 0; at < words.length; at++) {
    const [flag, inline] = splitFlag(words[at] ?? '');
    const name = FLAGS.get(flag);
    if (name === undefined) return undefined;
    if (inline === undefined) at++;
    const value = difficultyOf(inline ?? words[at] ?? '');
    if (value === undefined) return undefined;
    options[name] = value;
  }
  return options;
}

/** `--diff=5` and `-d5` carry their value with them. */
function splitFlag(word: string): [flag: string, inline: string | undefined] {
  const equals = word.indexOf('=');
  if (word.startsWith('--') && equals !== -1)
    return [word.slice(0, equals), word.slice(equals + 1)];
  if (/^-d.+/.test(word)) return ['-d', word.slice(2)];
  return [word, undefined];
}

/** Miners mix in keys that are meant for other pools: each is skipped by itself. */
function parseForms(password: string): Options {
  const options: Options = { ...NO_OPTIONS };
  for (const part of password.split(/[,;\s]+/)) {
    const equals = part.indexOf('=');
    if (equals === -1) continue;
    const name = KEYS.get(part.slice(0, equals).toLowerCase().replace(/[-_]/g, ''));
    const value = difficultyOf(part.slice(equals + 1));
    if (name !== undefined && value !== undefined) options[name] = value;
  }
  return options;
}

function difficultyOf(text: string): number | undefined {
  if (!/^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

function raised(value: number | undefined, minimum: number): number | undefined {
  return value === undefined ? undefined : Math.min(Math.max(value, minimum), MAX_DIFFICULTY);
}
