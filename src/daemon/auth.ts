/**
 * The Authorization header of one daemon: user and password, or the `.cookie` file that the daemon
 * writes anew at every start. The file is read when first needed and again after a 401.
 */
import { readFile } from 'node:fs/promises';

import { messageOf } from '../errors.ts';
import { DaemonError } from './error.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly cookieFile?: string;
}

/** A cookie is `__cookie__:` and 64 hex digits; anything much longer is some other file. */
const MAX_COOKIE_BYTES = 1024;

function basic(userAndPassword: string): string {
  return `Basic ${Buffer.from(userAndPassword, 'utf8').toString('base64')}`;
}

export class Authorization {
  readonly #daemon: string;
  readonly #cookieFile: string | undefined;
  #header: string | undefined;

  constructor(daemon: string, credentials: Credentials) {
    this.#daemon = daemon;
    this.#cookieFile = credentials.cookieFile;
    if (credentials.cookieFile === undefined) {
      const { username, password } = credentials;
      this.#header = username === '' && password === '' ? '' : basic(`${username}:${password}`);
    }
  }

  /** The header's value, '' where the daemon wants none. Throws DaemonError AUTH without its cookie. */
  async header(): Promise<string> {
    this.#header ??= basic(await this.#readCookie());
    return this.#header;
  }

  /** After a 401: true when asking again may help, since the cookie is read anew. */
  refused(header: string): boolean {
    if (this.#cookieFile === undefined) return false;
    if (this.#header === header) this.#header = undefined;
    return true;
  }

  async #readCookie(): Promise<string> {
    const path = this.#cookieFile ?? '';
    let text: string;
    try {
      text = (await readFile(path, 'utf8')).trim();
    } catch (error) {
      throw new DaemonError(
        'AUTH',
        `daemon ${this.#daemon}: its cookie file cannot be read (${messageOf(error)}); is the daemon running, and may this user read the file? It is read again at the next call`,
      );
    }
    if (text.length > MAX_COOKIE_BYTES || !/^[^:\s]+:\S+$/.test(text)) {
      throw new DaemonError(
        'AUTH',
        `daemon ${this.#daemon}: ${path} is not a cookie file; expected one line user:password`,
      );
    }
    return text;
  }
}
