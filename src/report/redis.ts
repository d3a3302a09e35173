/**
 * Reports into Redis under the keys of the original (contract §5). A batch and the position are written
 * by one script, so each record counts exactly once; what the script does is in
 * assets/lua/report-batch.lua. What Redis itself refuses is logged with its data and left out. Not here:
 * retries, which are the runner's. Entry point: RedisSink. The only importer of ioredis.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import type { RedisSettings } from '../config/schema/reporters.ts';
import { messageOf } from '../errors.ts';
import { SHARE_KIND } from '../ports.ts';
import type {
  BlockEvent,
  LedgerPosition,
  MinuteRecord,
  ShareRecord,
  Sink,
  SinkBatch,
  SinkContext,
  SinkPace,
} from '../ports.ts';
import { SinkError, SinkUnfit } from './errors.ts';
import { extraSlices } from './extra-slices.ts';
import { ScriptInput } from './redis-script.ts';

const SCRIPT = readFileSync(new URL('../../assets/lua/report-batch.lua', import.meta.url), 'utf8');
const SCRIPT_SHA = createHash('sha1').update(SCRIPT).digest('hex');

const CONNECT_MS = 5000;
/** A Redis that does not answer by then is taken for dead; the script of a full batch takes 20 ms. */
const COMMAND_MS = 15_000;
/** Part of the names of a minute's hashes, by kind of share. */
const KIND_NAMES = ['acc', 'dup', 'low', 'stale'] as const;

export class RedisSink implements Sink {
  readonly keeps = 'own';
  readonly pace: SinkPace = { maxShares: 5000, maxSlices: 5000, intervalMs: 0 };
  readonly #context: SinkContext<RedisSettings>;
  readonly #cursorKey: string;
  readonly #extra: ReturnType<typeof extraSlices>;
  #redis: Redis | undefined;
  /** What stands in Redis, empty for nothing. */
  #stored = '';
  #stopped = false;

  constructor(context: SinkContext<RedisSettings>) {
    this.#context = context;
    this.#cursorKey = `powerpool:position:${context.cursorKey}`;
    this.#extra = extraSlices(context);
  }

  async open(): Promise<LedgerPosition | undefined> {
    this.#redis?.disconnect();
    if (this.#stopped) throw new SinkError('STOPPED', 'redis: the reporter was stopped');
    const redis = new Redis(redisOptions(this.#context.settings.redis));
    this.#redis = redis;
    let lastError: Error | undefined;
    redis.on('error', (error: Error) => {
      lastError = error;
    });
    try {
      await redis.connect();
      await refuseCluster(redis, this.#where());
      this.#stored = (await redis.get(this.#cursorKey)) ?? '';
    } catch (error) {
      redis.disconnect();
      if (error instanceof SinkUnfit) throw error;
      const cause = lastError ?? error;
      throw new SinkError('CONNECT', `redis: ${this.#where()}: ${messageOf(cause)}`, { cause });
    }
    return this.#stored === '' ? undefined : parsePosition(this.#stored, this.#cursorKey);
  }

  async deliver(batch: SinkBatch): Promise<void> {
    const redis = this.#redis;
    if (redis === undefined || this.#stopped) {
      throw new SinkError('CLOSED', 'redis: the reporter is not connected');
    }
    if (this.#stored !== '' && this.#stored !== positionText(batch.from)) {
      throw new SinkError(
        'POSITION',
        `redis: the batch begins at ${positionText(batch.from)}, Redis stands at ${this.#stored}`,
      );
    }
    const input = new ScriptInput(this.#cursorKey);
    for await (const page of batch.shares()) this.#addShares(input, page);
    for (const minute of batch.minutes) this.#addMinute(input, minute);
    for (const event of batch.blocks) if (event.report) this.#addBlock(input, event);
    const to = positionText(batch.to);
    const [outcome, ...rest] = await this.#run(redis, input, to);
    if (outcome !== 'done') {
      throw new SinkError(
        'POSITION',
        `redis: expected the position '${this.#stored}', Redis stands at '${rest[0] ?? ''}'`,
      );
    }
    this.#stored = to;
    for (const refusal of rest) {
      this.#context.log.error(`Redis refuses a write, it is left out: ${refusal}`);
    }
  }

  stop(): Promise<void> {
    this.#stopped = true;
    this.#redis?.disconnect();
    return Promise.resolve();
  }

  #where(): string {
    const { host, port, unix_socket_path, sentinels, service_name } = this.#context.settings.redis;
    if (sentinels.length > 0) return `${service_name} of ${sentinels.join(', ')}`;
    return unix_socket_path ?? `${host}:${port}`;
  }

  async #run(redis: Redis, input: ScriptInput, to: string): Promise<readonly string[]> {
    const keys = input.keys;
    const args = [...keys, this.#stored, to, input.operations()];
    try {
      return (await redis.evalsha(SCRIPT_SHA, keys.length, ...args)) as string[];
    } catch (error) {
      if (!messageOf(error).startsWith('NOSCRIPT')) throw this.#failed(error);
    }
    try {
      return (await redis.eval(SCRIPT, keys.length, ...args)) as string[];
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #failed(cause: unknown): SinkError {
    return new SinkError('WRITE', `redis: ${this.#where()}: ${messageOf(cause)}`, { cause });
  }

  /** Rounds and slices count valid shares only; refused ones are in the minutes. */
  #addShares(input: ScriptInput, shares: readonly ShareRecord[]): void {
    const { settings, merged } = this.#context;
    const slice = `chain_${settings.chain}_slice`;
    const field = `chain_${settings.chain}_shares`;
    for (const { kind, source, address, difficulty } of shares) {
      if (kind !== SHARE_KIND.accepted) continue;
      input.push(slice, `${address}:${difficulty}`);
      input.add(round(source.currency, source.algorithm), field, difficulty);
      for (const currency of merged[source.chain] ?? []) {
        input.add(round(currency, source.algorithm), field, difficulty);
      }
    }
  }

  #addMinute(input: ScriptInput, minute: MinuteRecord): void {
    for (const { kind, source, address, worker, difficulty } of minute.slices) {
      const key = `min_${KIND_NAMES[kind]}_${source.algorithm}_${Math.floor(minute.time / 1000)}`;
      input.add(key, `${address}.${worker}`, difficulty);
      for (const extra of this.#extra(source)) {
        input.add(key, `${extra.user}.${extra.worker}`, difficulty);
      }
    }
  }

  #addBlock(input: ScriptInput, { block }: BlockEvent): void {
    input.block(round(block.currency, block.algorithm), [
      `unproc_block_${block.hashHexBE}`,
      String(Math.floor(block.time / 1000)),
      ...['address', block.address],
      ...['worker', block.worker],
      ...['height', String(block.height)],
      ...['total_subsidy', amountText(block.totalSubsidy)],
      ...['fees', amountText(block.merged ? null : block.fees)],
      ...['hex_bits', block.merged ? block.bitsHex.toUpperCase() : block.bitsHex],
      ...['hash', block.hashHexBE],
      ...['currency', block.currency],
      ...['algo', block.algorithm],
      ...['merged', block.merged ? '1' : '0'],
    ]);
  }
}

function round(currency: string, algorithm: string): string {
  return `current_block_${currency}_${algorithm}`;
}

/** The reader tests for exactly this text where there is no amount. */
function amountText(amount: bigint | null): string {
  return amount === null ? 'None' : String(amount);
}

function positionText({ seq, minute, block }: LedgerPosition): string {
  return `${seq} ${minute} ${block}`;
}

function parsePosition(text: string, key: string): LedgerPosition {
  const [seq, minute, block, ...rest] = text.split(' ').map(Number);
  if (!isCount(seq) || !isCount(minute) || !isCount(block) || rest.length > 0) {
    throw new SinkError(
      'POSITION',
      `redis: key ${key} holds '${text}', expected three numbers; delete it to go on from the ` +
        `position that the ledger has`,
    );
  }
  return { seq, minute, block };
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0;
}

/** The old keys have no hash tag: a round and its slices would be on different nodes. */
async function refuseCluster(redis: Redis, where: string): Promise<void> {
  const info = await redis.info('cluster');
  if (!/^cluster_enabled:1/m.test(info)) return;
  throw new SinkUnfit(
    'CLUSTER',
    `redis: ${where} is a Redis Cluster, where the keys of a round cannot be changed together: ` +
      `use a Redis without cluster mode (Sentinel is fine)`,
  );
}

/** Connects when told to, once, and fails what is under way when the connection is lost. */
function redisOptions(settings: RedisSettings['redis']): Omit<RedisOptions, 'replyMapping'> {
  const { host, port, db, username, password, unix_socket_path, ssl, ssl_ca_certs } = settings;
  const tls = {
    ...(ssl_ca_certs !== null && { ca: readFileSync(ssl_ca_certs) }),
  };
  const sentinels = settings.sentinels.map((one) => {
    const at = one.lastIndexOf(':');
    return { host: one.slice(0, at), port: Number(one.slice(at + 1)) };
  });
  return {
    ...(sentinels.length > 0
      ? { sentinels, name: settings.service_name, sentinelRetryStrategy: () => null }
      : unix_socket_path === null
        ? { host, port }
        : { path: unix_socket_path }),
    ...(settings.sentinel_password !== '' && { sentinelPassword: settings.sentinel_password }),
    ...(ssl && { tls, ...(sentinels.length > 0 && { enableTLSForSentinelMode: true }) }),
    db,
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
    lazyConnect: true,
    retryStrategy: () => null,
    reconnectOnError: () => false,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    connectTimeout: CONNECT_MS,
    commandTimeout: COMMAND_MS,
    keepAlive: 30_000,
  };
}
