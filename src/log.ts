/**
 * Logging: pino behind the three things the rest of the house needs. Lines are written synchronously
 * by the thread that has something to say; one line an event, with the component's key. A terminal
 * gets readable text, anything else JSON.
 */
import { writeSync } from 'node:fs';
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log of one component; `level` overrides the parent's. */
  child(component: string, level?: LogLevel): Log;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** Text for people instead of JSON. */
  readonly pretty: boolean;
  /** Where lines go; standard output unless given. */
  readonly write?: (line: string) => void;
}

class PinoLog implements Log {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#logger.debug(fields, message);
  }

  info(message: string, fields: LogFields = {}): void {
    this.#logger.info(fields, message);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#logger.warn(fields, message);
  }

  error(message: string, fields: LogFields = {}): void {
    this.#logger.error(fields, message);
  }

  child(component: string, level?: LogLevel): Log {
    return new PinoLog(this.#logger.child({ component }, level === undefined ? {} : { level }));
  }
}

const STANDARD_OUTPUT = 1;
const HIDDEN = new Set(['level', 'time', 'component', 'msg']);

/** One JSON line of pino as text: time, level, component, message, the other fields as name=value. */
export function prettyLine(line: string): string {
  const record = JSON.parse(line) as Record<string, unknown>;
  const time = String(record['time']).replace('T', ' ').replace('Z', '');
  const level = String(record['level']).toUpperCase().padEnd(5);
  const component = record['component'] === undefined ? '' : `[${String(record['component'])}] `;
  const rest = Object.entries(record)
    .filter(([name]) => !HIDDEN.has(name))
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('');
  return `${time} ${level} ${component}${String(record['msg'])}${rest}\n`;
}

/** A reader that lags gets so long to make room in the pipe, ms. */
const PATIENCE_MS = 20;
const sleeper = new Int32Array(new SharedArrayBuffer(4));
let waitedMs = 0;

/** Writes the whole line, now. Throws where it cannot be written; the patience is for the first of these. */
function toStandardOutput(line: string): void {
  const bytes = Buffer.from(line);
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(STANDARD_OUTPUT, bytes, at);
      waitedMs = 0;
    } catch (error) {
      const isFull = (error as NodeJS.ErrnoException).code === 'EAGAIN';
      if (!isFull || waitedMs >= PATIENCE_MS) throw error;
      Atomics.wait(sleeper, 0, 0, 1);
      waitedMs += 1;
    }
  }
}

/**
 * A log that cannot be written (its disk is full, its reader has gone) must not stop what it tells of:
 * the line is lost, and the next one that can be written comes after a word on that.
 */
function unfailing(write: (line: string) => void): DestinationStream {
  let lost = 0;
  return {
    write: (line) => {
      try {
        if (lost > 0) {
          const msg = `${lost} lines of the log could not be written`;
          const { time } = JSON.parse(line) as { time: unknown };
          write(`${JSON.stringify({ level: 'warn', time, msg })}\n`);
          lost = 0;
        }
        write(line);
      } catch {
        lost += 1;
      }
    },
  };
}

export function createLog(options: LogOptions): Log {
  const write = options.write ?? toStandardOutput;
  const destination = unfailing(options.pretty ? (line) => write(prettyLine(line)) : write);
  return new PinoLog(
    pino(
      {
        level: options.level,
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      destination,
    ),
  );
}

/** A log that drops everything, for tests. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};
