/**
 * The kinds of value a setting can have. Each carries in its zod metadata what was expected, in the
 * words that error messages and docs/config.md use. What a schema says beyond zod's own checks stands
 * in `FieldMeta`; `inspect.ts` reads it back. Values arrive here as `read.ts` made them of the YAML.
 */
import { z } from 'zod';
import type { LogLevel } from '../../log.ts';

/** Everything a schema's metadata may say; looked up through all wrappers (default, nullable …). */
export interface FieldMeta {
  /** One sentence for the manual. */
  readonly description?: string;
  /** Noun phrase: what a value has to be. */
  readonly expects?: string;
  /** Never shown by dump, monitor, log or error message. */
  readonly secret?: boolean;
  /** A URL whose user and password are never shown. */
  readonly url?: boolean;
  /** A file name, relative to the folder of the configuration file; `~/` is the home directory. */
  readonly path?: boolean;
  /** What the manual shows where there is no default. */
  readonly example?: unknown;
  /** Other names of the key, which old files use. */
  readonly aliases?: readonly string[];
  /** On an object: unknown keys are warnings under every type name. */
  readonly lenient?: boolean;
}

/** Settings are frozen once loaded; this is the type of that. */
export type Frozen<T> = T extends readonly (infer E)[]
  ? readonly Frozen<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

const MAX_UINT256 = (1n << 256n) - 1n;

/** Any text; numbers, `yes` and the like are taken as they are written. */
export const text = () => z.string().max(4096).meta({ expects: 'text' });

/** Text of at least one character. */
export const name = () => z.string().min(1).max(4096).meta({ expects: 'text, not empty' });

/** Text that may be left blank in the file. */
export const blankable = () =>
  z.preprocess((value) => value ?? '', text()).meta({ expects: 'text, may be blank' });

/** Key of another component; what types it may have is checked in `cross.ts`. */
export const reference = () => z.string().min(1).max(256).meta({ expects: "a component's key" });

export const flag = () => z.boolean().meta({ expects: 'true or false' });

export const integer = (min: number, max: number = Number.MAX_SAFE_INTEGER) =>
  z
    .int()
    .min(min)
    .max(max)
    .meta({
      expects:
        max === Number.MAX_SAFE_INTEGER
          ? `an integer, at least ${min}`
          : `an integer from ${min} to ${max}`,
    });

/** 0 lets the system choose a free one, and is then not shifted by server_number. */
export const listenPort = () => integer(0, 65535).meta({ expects: 'a port (0 to 65535)' });
export const port = () => integer(1, 65535).meta({ expects: 'a port (1 to 65535)' });

/** A duration; fractions are fine. */
export const seconds = () =>
  z.number().min(0).max(1e10).meta({ expects: 'seconds, a number, at least 0' });

/** A duration of a timer, which must not be 0. */
export const interval = () =>
  z.number().min(0.001).max(1e6).meta({ expects: 'seconds, a number, at least 0.001' });

export const positive = () =>
  z.number().positive().max(Number.MAX_VALUE).meta({ expects: 'a number greater than 0' });

/** A proof-of-work target: every bit of 256 is kept. */
export const target = () =>
  z.bigint().positive().max(MAX_UINT256).meta({ expects: 'an integer from 1 to 2^256 - 1' });

export const oneOf = <const T extends readonly [string, ...string[]]>(...values: T) =>
  z.enum(values).meta({ expects: `one of ${values.join(', ')}` });

const LEVEL_NAMES: Readonly<Record<string, LogLevel>> = {
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  critical: 'error',
  fatal: 'error',
};

/** In either case, with the names Python's logging uses too. */
export const logLevel = () =>
  z
    .preprocess(
      (value) => (typeof value === 'string' ? (LEVEL_NAMES[value.toLowerCase()] ?? value) : value),
      z.enum(['debug', 'info', 'warn', 'error']),
    )
    .meta({ expects: 'one of DEBUG, INFO, WARN, ERROR' });

/** A map with fixed keys, all with defaults: the whole may be left out. */
export const section = <T extends z.core.$ZodLooseShape>(shape: T) =>
  z.strictObject(shape).meta({ expects: 'a map' });

export const list = <T extends z.core.SomeType>(element: T) =>
  z.array(element).max(100_000).meta({ expects: 'a list' });

/** A map from names the user chooses. */
export const mapOf = <T extends z.core.SomeType>(value: T) =>
  z.record(z.string(), value).meta({ expects: 'a map' });

/** What every component has besides its own. */
export const commonShape = {
  log_level: logLevel()
    .nullable()
    .default(null)
    .describe("What this component logs; null takes the manager's default_component_log_level."),
};
