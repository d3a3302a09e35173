/**
 * The tables of the Postgres sink: migrations from assets/sql in order, each once, and a partition of
 * `shares` for each day. Several pool servers may do it at the same time. Entry points: migrate,
 * addPartitions.
 */
import { readFileSync, readdirSync } from 'node:fs';
import type { ClientBase } from 'pg';
import { SinkUnfit } from './errors.ts';

const FOLDER = new URL('../../assets/sql/', import.meta.url);
const DAY_MS = 86_400_000;
/** Of pg_advisory_xact_lock: any number nobody else uses. */
const LOCK = 0x506f7750;

/** In a transaction whose search path is the schema. Throws SinkUnfit if the tables are newer than we. */
export async function migrate(client: ClientBase, schema: string): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
  const known = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]);
  if (known.rowCount === 0) await client.query(`CREATE SCHEMA ${client.escapeIdentifier(schema)}`);
  await client.query(
    'CREATE TABLE IF NOT EXISTS migrations (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())',
  );
  const done = await client.query<{ version: number }>('SELECT version FROM migrations');
  const applied = new Set(done.rows.map(({ version }) => version));
  const files = readdirSync(FOLDER).toSorted();
  const versions = files.map((name) => Number.parseInt(name, 10));
  const newest = Math.max(...applied, 0);
  if (newest > Math.max(...versions)) {
    throw new SinkUnfit(
      'SCHEMA',
      `postgres: schema ${schema} is at version ${newest}, this program knows ${Math.max(...versions)}: a newer version of it made the tables; use that one, or another schema`,
    );
  }
  for (const [index, version] of versions.entries()) {
    if (applied.has(version)) continue;
    await client.query(readFileSync(new URL(files[index]!, FOLDER), 'utf8'));
    await client.query('INSERT INTO migrations(version) VALUES ($1)', [version]);
  }
}

/** The start of the UTC day, unix ms. */
export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS) * DAY_MS;
}

/**
 * In a transaction of its own, before that of the shares: a new partition locks the whole table, and two
 * servers that already wrote to it would wait for each other.
 */
export async function addPartitions(
  client: ClientBase,
  schema: string,
  days: Iterable<number>,
): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
  for (const day of days) {
    const [from, to] = [day, day + DAY_MS].map((ms) => new Date(ms).toISOString());
    const name = `shares_${from!.slice(0, 10).replaceAll('-', '')}`;
    const known = await client.query(
      'SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = $2',
      [schema, name],
    );
    if (known.rowCount !== 0) continue;
    await client.query(
      `CREATE TABLE ${name} PARTITION OF shares FOR VALUES FROM ('${from}') TO ('${to}')`,
    );
  }
}
