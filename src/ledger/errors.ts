/**
 * The ledger's one error class, and what node:sqlite's errors mean for it. Codes: LOCKED (another
 * process holds the ledger), CORRUPT (a file is damaged or no database), FOREIGN (a file of something
 * else or of another ledger), VERSION (written by a newer PowerPool), IO (cannot be read or written),
 * CLOSED (asked after stop, or a ledger thread died), BLOCK_LOG (a solved block could not be written).
 */
import { PoolError, messageOf } from '../errors.ts';

export class LedgerError extends PoolError {}

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

/** Primary result code of an error thrown by node:sqlite, undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

export function isBusy(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_BUSY;
}

export function isFull(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_FULL;
}

/** Whatever was thrown while `file` was opened or read, as a LedgerError that says what to do. */
export function openError(file: string, error: unknown): LedgerError {
  if (error instanceof LedgerError) return error;
  const code = sqliteCode(error);
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) {
    return new LedgerError(
      'CORRUPT',
      `ledger: ${file} is damaged or not a database (${messageOf(error)}). Nothing was changed. ` +
        `Move it aside together with its -wal and -shm files (the main file: with every file whose ` +
        `name begins with its name) and start again`,
      { cause: error },
    );
  }
  return new LedgerError('IO', `ledger: ${file} cannot be opened: ${messageOf(error)}`, {
    cause: error,
  });
}
