/** A Log for the ledger's threads: lines go to the control thread, which writes them. */
import type { Log, LogFields, LogLevel } from '../log.ts';

export function threadLog(send: (level: LogLevel, text: string, fields: LogFields) => void): Log {
  const log: Log = {
    debug: (message, fields = {}) => send('debug', message, fields),
    info: (message, fields = {}) => send('info', message, fields),
    warn: (message, fields = {}) => send('warn', message, fields),
    error: (message, fields = {}) => send('error', message, fields),
    child: () => log,
  };
  return log;
}
