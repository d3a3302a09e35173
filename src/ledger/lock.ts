/**
 * The exclusive lock of a ledger: a transaction held open for the life of the process on a side file.
 * The operating system drops it with the process, however that dies. It is taken before any other file
 * is touched; readers (`powerpool report`) do without it.
 */
import { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../errors.ts';
import { LedgerError, isBusy } from './errors.ts';

export class LedgerLock {
  readonly #db: DatabaseSync;

  /** Throws LedgerError LOCKED when another process (or this one) holds the ledger at `path`. */
  constructor(path: string) {
    const file = `${path}.lock`;
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(file, { timeout: 0 });
      db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    } catch (error) {
      db?.close();
      if (isBusy(error)) {
        throw new LedgerError(
          'LOCKED',
          `ledger: ${path} is in use by another PowerPool (lock ${file}). Stop that one, or give this ` +
            `one another ledger path or server number`,
          { cause: error },
        );
      }
      throw new LedgerError('IO', `ledger: the lock ${file} cannot be taken: ${messageOf(error)}`, {
        cause: error,
      });
    }
    this.#db = db;
  }

  release(): void {
    this.#db.close();
  }
}
