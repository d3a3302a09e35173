/**
 * The sink that sends Celery tasks as SimpleCoin takes them (contract §5): add_share with the sum of an
 * address's accepted difficulty, add_one_minute, add_block. A batch is one transmission: its add_share
 * tasks go before the add_block they belong to, and a task's id follows from the batch or from what it
 * reports, so that a repeat after a crash or a lost confirm is the same task. Brokers are in amqp.ts and
 * celery-redis.ts. Entry point: CelerySink.
 */
import { hostname } from 'node:os';
import type { CelerySettings } from '../config/schema/reporters.ts';
import { SHARE_KIND } from '../ports.ts';
import type {
  BlockEvent,
  MinuteRecord,
  ShareKind,
  Sink,
  SinkBatch,
  SinkContext,
  SinkPace,
} from '../ports.ts';
import { STOPPED } from './broker.ts';
import type { Broker, BrokerOptions } from './broker.ts';
import { parseBrokers } from './broker-url.ts';
import { encodeTask, taskId } from './celery-message.ts';
import type { CeleryMessage, Json } from './celery-message.ts';
import { SinkError } from './errors.ts';
import { extraSlices } from './extra-slices.ts';

const MAX_SHARES = 2_000_000;
const MAX_SLICES = 20_000;

/** The argument that carries what was refused, by kind. */
const REFUSED: Readonly<Partial<Record<ShareKind, string>>> = {
  [SHARE_KIND.duplicate]: 'dup_shares',
  [SHARE_KIND.lowDifficulty]: 'low_diff_shares',
  [SHARE_KIND.stale]: 'stale_shares',
};

interface MinuteSum {
  readonly user: string;
  readonly worker: string;
  readonly algorithm: string;
  readonly kind: ShareKind;
  difficulty: number;
}

export class CelerySink implements Sink {
  readonly keeps = 'ledger';
  readonly pace: SinkPace;
  readonly #context: SinkContext<CelerySettings>;
  readonly #extra: ReturnType<typeof extraSlices>;
  readonly #brokerOptions: BrokerOptions;
  #broker: Broker | undefined;
  readonly #origin = `powerpool@${hostname()}`;
  #isStopped = false;

  constructor(context: SinkContext<CelerySettings>) {
    this.#context = context;
    this.#extra = extraSlices(context);
    const { share_batch_interval: seconds, celery } = context.settings;
    this.pace = { maxShares: MAX_SHARES, maxSlices: MAX_SLICES, intervalMs: seconds * 1000 };
    const routing = {
      queue: celery.CELERY_DEFAULT_QUEUE,
      exchange: celery.CELERY_DEFAULT_EXCHANGE,
      routingKey: celery.CELERY_DEFAULT_ROUTING_KEY,
    };
    const brokers = parseBrokers(celery.BROKER_URL);
    this.#brokerOptions = { brokers, routing, ssl: celery.BROKER_USE_SSL, log: context.log };
  }

  async open(): Promise<undefined> {
    this.#broker ??= await makeBroker(this.#brokerOptions);
    if (this.#isStopped) throw new SinkError('STOPPED', STOPPED);
    await this.#broker.open();
  }

  async deliver(batch: SinkBatch): Promise<void> {
    const broker = this.#broker;
    if (broker === undefined || this.#isStopped) throw new SinkError('STOPPED', STOPPED);
    const byAddress = await acceptedByAddress(batch);
    await broker.publish(this.#messages(batch, byAddress));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#broker?.close();
  }

  status(): Record<string, unknown> {
    return this.#broker?.status() ?? {};
  }

  *#messages(
    { from, to, minutes, blocks }: SinkBatch,
    byAddress: ReadonlyMap<string, number>,
  ): Generator<CeleryMessage> {
    for (const [address, difficulty] of byAddress) {
      yield this.#task('add_share', [from.seq, to.seq, address], [address, difficulty], {});
    }
    for (const minute of minutes) yield* this.#minute(minute);
    for (const event of blocks) if (event.report) yield this.#block(event);
  }

  *#minute(minute: MinuteRecord): Generator<CeleryMessage> {
    for (const { user, worker, algorithm, kind, difficulty } of this.#sums(minute)) {
      const refused = REFUSED[kind];
      yield this.#task('add_one_minute', [minute.id, user, worker, algorithm, kind], [], {
        user,
        worker,
        minute: Math.floor(minute.time / 1000),
        valid_shares: refused === undefined ? difficulty : 0,
        ...(refused !== undefined && { [refused]: difficulty }),
      });
    }
  }

  /** The miners' rows and those of pool_report_configs, in a fixed order. */
  #sums({ slices }: MinuteRecord): Iterable<MinuteSum> {
    const sums = new Map<string, MinuteSum>();
    for (const slice of slices) {
      const { kind, difficulty } = slice;
      const { algorithm } = slice.source;
      const own = { user: slice.address, worker: slice.worker };
      for (const { user, worker } of [own, ...this.#extra(slice.source)]) {
        const key = JSON.stringify([user, worker, algorithm, kind]);
        const sum = sums.get(key);
        if (sum === undefined) sums.set(key, { user, worker, algorithm, kind, difficulty });
        else sum.difficulty += difficulty;
      }
    }
    return sums.values();
  }

  #block({ block }: BlockEvent): CeleryMessage {
    return this.#task('add_block', [block.chain, block.hashHexBE], [], {
      user: block.address,
      height: block.height,
      total_value: block.totalSubsidy,
      transaction_fees: block.fees,
      bits: block.bitsHex,
      hash_hex: block.hashHexBE,
      merged: block.merged ? block.currency : null,
      worker: block.worker,
    });
  }

  /** `identity`: what makes it this very task, besides ledger, server, sink and name. */
  #task(
    task: string,
    identity: readonly (string | number)[],
    args: readonly Json[],
    kwargs: Readonly<Record<string, Json>>,
  ): CeleryMessage {
    const { cursorKey, settings } = this.#context;
    const name = `${settings.celery_task_prefix}.${task}`;
    const id = taskId(cursorKey, name, ...identity);
    return encodeTask(
      { name, id, args, kwargs },
      settings.celery.CELERY_TASK_PROTOCOL,
      this.#origin,
    );
  }
}

/** The driver is loaded only where it is needed. */
async function makeBroker(options: BrokerOptions): Promise<Broker> {
  if (options.brokers.every(({ kind }) => kind === 'redis')) {
    const { RedisBroker } = await import('./celery-redis.ts');
    return new RedisBroker(options);
  }
  const { AmqpBroker } = await import('./amqp.ts');
  return new AmqpBroker(options);
}

async function acceptedByAddress(batch: SinkBatch): Promise<ReadonlyMap<string, number>> {
  const sums = new Map<string, number>();
  for await (const page of batch.shares()) {
    for (const { address, difficulty, kind } of page) {
      if (kind === SHARE_KIND.accepted) sums.set(address, (sums.get(address) ?? 0) + difficulty);
    }
  }
  return sums;
}
