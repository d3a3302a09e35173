/**
 * Shares, minutes and blocks in PostgreSQL (tables: assets/sql). A batch and the position of the ledger
 * are one transaction, so each record counts exactly once. Not here: retries, which are the runner's.
 * Entry point: PostgresSink. With postgres-schema.ts, the only importers of pg.
 */
import { userInfo } from 'node:os';
import pg from 'pg';
import type { Client, ClientConfig } from 'pg';
import type { PostgresSettings } from '../config/schema/reporters.ts';
import { messageOf } from '../errors.ts';
import { withDeadline } from '../lifecycle.ts';
import type {
  LedgerPosition,
  ShareRecord,
  ShareSource,
  Sink,
  SinkBatch,
  SinkContext,
  SinkPace,
} from '../ports.ts';
import { SinkError, SinkRefused, SinkUnfit } from './errors.ts';
import { extraSlices } from './extra-slices.ts';
import { addPartitions, dayOf, migrate } from './postgres-schema.ts';
import { insertBlocks, insertShares, minuteSums, upsertMinutes } from './postgres-rows.ts';

const CONNECT_MS = 10_000;
/** A statement without an answer for so long: the connection is given up. */
const QUERY_MS = 60_000;
const CLOSE_MS = 1000;

export class PostgresSink implements Sink {
  readonly keeps = 'own';
  readonly pace: SinkPace = { maxShares: 20_000, maxSlices: 20_000, intervalMs: 500 };
  readonly #context: SinkContext<PostgresSettings>;
  readonly #extra: ReturnType<typeof extraSlices>;
  #client: Client | undefined;
  /** Days whose partition is there. */
  readonly #days = new Set<number>();
  /** Row ids of sources, by their parts. */
  readonly #sources = new Map<string, number>();
  #stopped = false;

  constructor(context: SinkContext<PostgresSettings>) {
    this.#context = context;
    this.#extra = extraSlices(context);
  }

  async open(): Promise<LedgerPosition | undefined> {
    await this.#close();
    if (this.#stopped) throw stopped();
    const client = new pg.Client(clientConfig(this.#context.settings));
    // Without a listener a lost connection would end the process; the next query says the same.
    client.on('error', () => {});
    this.#client = client;
    this.#days.clear();
    this.#sources.clear();
    try {
      await client.connect();
      return await this.#transaction(async () => {
        await migrate(client, this.#context.settings.schema);
        return (await this.#position(client, false))?.position;
      });
    } catch (error) {
      await this.#close();
      throw this.#failed(error, 'connecting');
    }
  }

  async deliver(batch: SinkBatch): Promise<void> {
    const client = this.#client;
    if (client === undefined || this.#stopped) throw stopped();
    try {
      const shares: ShareRecord[] = [];
      for await (const page of batch.shares()) for (const share of page) shares.push(share);
      await this.#prepare(client, batch, shares);
      await this.#transaction(() => this.#write(client, batch, shares));
    } catch (error) {
      throw this.#failed(error, 'writing');
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#close();
  }

  /** Partitions and sources, which stay whatever becomes of the batch. */
  async #prepare(
    client: Client,
    { minutes }: SinkBatch,
    shares: readonly ShareRecord[],
  ): Promise<void> {
    const days = new Set(shares.map(({ time }) => dayOf(time)));
    const missing = [...days].filter((day) => !this.#days.has(day));
    if (missing.length > 0) {
      await this.#transaction(() => addPartitions(client, this.#context.settings.schema, missing));
      for (const day of missing) this.#days.add(day);
    }
    const sources = new Map<string, ShareSource>();
    for (const { source } of shares) sources.set(sourceKey(source), source);
    for (const { slices } of minutes) {
      for (const { source } of slices) sources.set(sourceKey(source), source);
    }
    for (const [key, source] of sources) {
      if (!this.#sources.has(key)) this.#sources.set(key, await this.#sourceId(client, source));
    }
  }

  #sourceId(client: Client, source: ShareSource): Promise<number> {
    const { server, chain, currency, algorithm } = source;
    const values = [server, chain, currency, algorithm];
    return this.#transaction(async () => {
      await client.query(
        'INSERT INTO sources(server, chain, currency, algorithm) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
        values,
      );
      const found = await client.query<{ id: number }>(
        'SELECT id FROM sources WHERE server = $1 AND chain = $2 AND currency = $3 AND algorithm = $4',
        values,
      );
      return found.rows[0]!.id;
    });
  }

  async #write(client: Client, batch: SinkBatch, shares: readonly ShareRecord[]): Promise<void> {
    const origin = await this.#claim(client, batch.from);
    const sourceId = (source: ShareSource): number => this.#sources.get(sourceKey(source)) ?? 0;
    await insertShares(client, origin, shares, sourceId);
    const { own, extra } = minuteSums(batch.minutes, sourceId, this.#extra);
    await upsertMinutes(client, 'minute_slices', 'address', own);
    await upsertMinutes(client, 'minute_reports', 'user_name', extra);
    await insertBlocks(client, origin, batch.blocks);
    const { seq, minute, block } = batch.to;
    await client.query(
      'UPDATE origins SET seq = $2, minute = $3, block = $4, updated_at = now() WHERE id = $1',
      [origin, seq, minute, block],
    );
  }

  /** Locks the row of the position, makes it where there is none, and refuses a batch that does not follow. */
  async #claim(client: Client, from: LedgerPosition): Promise<number> {
    await client.query(
      'INSERT INTO origins(cursor_key, seq, minute, block) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
      [this.#context.cursorKey, from.seq, from.minute, from.block],
    );
    const row = (await this.#position(client, true))!;
    const { seq, minute, block } = row.position;
    if (seq === from.seq && minute === from.minute && block === from.block) return row.id;
    throw new SinkError(
      'POSITION',
      `postgres: the batch begins at ${from.seq} ${from.minute} ${from.block}, the tables stand at ${seq} ${minute} ${block}`,
    );
  }

  async #position(
    client: Client,
    lock: boolean,
  ): Promise<{ readonly id: number; readonly position: LedgerPosition } | undefined> {
    const found = await client.query<Record<'id' | 'seq' | 'minute' | 'block', string>>(
      `SELECT id, seq, minute, block FROM origins WHERE cursor_key = $1 ${lock ? 'FOR UPDATE' : ''}`,
      [this.#context.cursorKey],
    );
    const row = found.rows[0];
    if (row === undefined) return undefined;
    const position = {
      seq: Number(row.seq),
      minute: Number(row.minute),
      block: Number(row.block),
    };
    return { id: Number(row.id), position };
  }

  /** The search path belongs to the transaction, so that a pooler in between may share connections. */
  async #transaction<T>(work: () => Promise<T>): Promise<T> {
    const client = this.#client;
    if (client === undefined) throw stopped();
    await client.query('BEGIN');
    try {
      const schema = client.escapeIdentifier(this.#context.settings.schema);
      await client.query(`SET LOCAL search_path TO ${schema}`);
      const result = await work();
      await client.query('COMMIT');
      return result;
    } catch (error) {
      // On a lost connection the server does it by itself.
      await client.query('ROLLBACK').catch(() => {});
      throw error;
    }
  }

  async #close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    // Ends a query under way by closing the socket; a server that hangs is not waited for.
    await withDeadline('close', CLOSE_MS, () => client.end()).catch(() => {});
  }

  /** Classes 22 and 23 of SQLSTATE are about the data, everything else may pass. */
  #failed(error: unknown, what: string): Error {
    if (this.#stopped) return stopped();
    if (error instanceof SinkError || error instanceof SinkUnfit) return error;
    const { url, host, port, database } = this.#context.settings;
    const where = url === null ? `${host}:${port}/${database}` : 'the server of url';
    const message = `postgres: ${what} at ${where}: ${messageOf(error)}`;
    const state = error instanceof pg.DatabaseError ? (error.code ?? '') : '';
    return /^2[23]/.test(state)
      ? new SinkRefused('REFUSED', message, { cause: error })
      : new SinkError('POSTGRES', message, { cause: error });
  }
}

function sourceKey({ server, chain, currency, algorithm }: ShareSource): string {
  return JSON.stringify([server, chain, currency, algorithm]);
}

function stopped(): SinkError {
  return new SinkError('STOPPED', 'postgres: the reporter was stopped or is not connected');
}

function clientConfig(settings: PostgresSettings): ClientConfig {
  const { url, host, port, database, username, password, ssl } = settings;
  const target =
    url === null
      ? {
          host,
          port,
          database,
          user: username === '' ? userInfo().username : username,
          ...(password !== '' && { password }),
        }
      : { connectionString: url };
  return {
    ...target,
    ...(ssl && { ssl: true }),
    application_name: 'powerpool',
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: QUERY_MS,
    keepAlive: true,
  };
}
