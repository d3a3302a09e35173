/**
 * PostgreSQL as Debian has it, a cluster of its own in a temporary folder. It refuses to run as root, so
 * root runs it as the user that Debian's package makes. Entry point: startPostgres.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, globSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import pg from 'pg';

import { freePort } from './ports.ts';
import { removeFolder, startServer, temporaryFolder } from './servers.ts';
import type { Server } from './servers.ts';

const USER = 'tester';
const PASSWORD = 'S0-secret';

export class Postgres {
  readonly folder = temporaryFolder('postgres');
  readonly port: number;
  readonly #bin: string;
  readonly #owner: { readonly uid: number; readonly gid: number } | undefined;
  #server: Server | undefined;

  constructor(port: number) {
    this.port = port;
    const newest = globSync('/usr/lib/postgresql/*/bin/initdb').toSorted().at(-1);
    if (newest === undefined) throw new Error('no PostgreSQL here: apt-get install postgresql');
    this.#bin = newest.slice(0, -'/initdb'.length);
    this.#owner = process.getuid?.() === 0 ? idsOf('postgres') : undefined;
    const data = join(this.folder, 'data');
    mkdirSync(data);
    chmodSync(this.folder, 0o755);
    if (this.#owner !== undefined) chownSync(data, this.#owner.uid, this.#owner.gid);
    const made = spawnSync(newest, ['-D', data, '-U', USER, '--auth=trust', '--no-sync'], {
      ...this.#owner,
      cwd: data,
      encoding: 'utf8',
    });
    if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
  }

  get url(): string {
    return `postgres://${USER}:${PASSWORD}@127.0.0.1:${this.port}/postgres`;
  }

  get pid(): number {
    return this.#server?.pid ?? 0;
  }

  async start(): Promise<void> {
    const data = join(this.folder, 'data');
    const args = ['-D', data, '-p', String(this.port), '-h', '127.0.0.1', '-k', data];
    this.#server = await startServer({
      command: join(this.#bin, 'postgres'),
      args: [...args, '-c', 'fsync=off', '-c', 'log_min_messages=fatal'],
      install: 'apt-get install postgresql',
      isReady: async () => (await this.query('SELECT 1')).length === 1,
      cwd: data,
      // "Immediate shutdown" also ends the processes that serve connections.
      stopSignal: 'SIGQUIT',
      ...this.#owner,
    });
  }

  /** Every connection ends in the middle of what it does; what was committed stays. */
  async kill(): Promise<void> {
    await this.#server?.stop();
  }

  async stop(): Promise<void> {
    await this.kill();
    removeFolder(this.folder);
  }

  /** On a connection of its own; names without a schema are of `schema`. */
  async query(sql: string, schema = 'public'): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({
      connectionString: this.url,
      options: `-c search_path=${schema}`,
    });
    client.on('error', () => {});
    try {
      await client.connect();
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }
}

function idsOf(user: string): { readonly uid: number; readonly gid: number } {
  const [uid, gid] = ['-u', '-g'].map((flag) =>
    Number(spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout),
  );
  return { uid: uid!, gid: gid! };
}

export async function startPostgres(): Promise<Postgres> {
  const postgres = new Postgres(await freePort());
  try {
    await postgres.start();
  } catch (error) {
    await postgres.stop();
    throw error;
  }
  return postgres;
}
