/** What commands share: their terminal, their options, and the error for a wrong command line. */
import { parseArgs } from 'node:util';
import type { ParseArgsOptionsConfig } from 'node:util';
import { PoolError, messageOf } from '../errors.ts';

export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Standard output is a terminal: logs are written for people. */
  readonly color: boolean;
  /** Ends the process without waiting for anything (a second signal), as if it were killed. */
  exitNow(): void;
}

/** A wrong command line: printed with a hint, exit status 2. */
export class UsageError extends PoolError {
  constructor(message: string) {
    super('USAGE', message);
  }
}

/** parseArgs of the standard library, strict, its complaints as UsageError. */
export function readOptions<T extends ParseArgsOptionsConfig>(
  command: string,
  argv: readonly string[],
  options: T,
) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(
      `${messageOf(error)}; see 'powerpool ${command}${command === '' ? '' : ' '}--help'`,
    );
  }
}

/** An option's text as a whole number within bounds. */
export function integerOption(
  name: string,
  text: string | undefined,
  range: { readonly least: number; readonly most: number; readonly otherwise: number },
): number {
  if (text === undefined) return range.otherwise;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < range.least || value > range.most) {
    throw new UsageError(
      `--${name}: found "${text}", expected a whole number from ${range.least} to ${range.most}`,
    );
  }
  return value;
}

/** An option's text as a number greater than 0. */
export function positiveOption(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) {
    throw new UsageError(`--${name}: found "${text}", expected a number greater than 0`);
  }
  return value;
}

/** `--server-number`: what is added to the file's. */
export function serverNumberOption(text: string | undefined): number {
  return integerOption('server-number', text, { least: 0, most: 65_535, otherwise: 0 });
}

/** The one configuration file that a command takes. */
export function configFileOf(command: string, positionals: readonly string[]): string {
  const [file, extra] = positionals;
  if (file === undefined || extra !== undefined) {
    throw new UsageError(
      `${command} takes one configuration file: powerpool ${command} config.yml`,
    );
  }
  return file;
}
