/**
 * Redis as Celery's broker: messages in kombu's envelope, pushed onto the list of the queue, in the order
 * in which workers pop them. Redis confirms with its reply; whether it keeps what it confirmed over a
 * crash is its own setting. Entry point: RedisBroker.
 */
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { messageOf } from '../errors.ts';
import { STOPPED, tlsOptions } from './broker.ts';
import type { Broker, BrokerOptions } from './broker.ts';
import type { BrokerUrl } from './broker-url.ts';
import { redisEnvelope } from './celery-message.ts';
import type { CeleryMessage } from './celery-message.ts';
import { SinkError } from './errors.ts';

const CONNECT_MS = 10_000;
const COMMAND_MS = 15_000;
/** Messages of one push. */
const PUSHED_AT_ONCE = 500;

export class RedisBroker implements Broker {
  readonly #options: BrokerOptions;
  #redis: Redis | undefined;
  #broker: BrokerUrl | undefined;
  /** Index of the broker to try first. */
  #preferred = 0;
  #closed = false;

  constructor(options: BrokerOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    if (this.#redis?.status === 'ready') return;
    this.#redis?.disconnect();
    const { brokers, log } = this.#options;
    const problems: string[] = [];
    for (const _ of brokers) {
      if (this.#closed) throw new SinkError('STOPPED', STOPPED);
      const broker = brokers[this.#preferred]!;
      try {
        await this.#connect(broker);
        log.info(`connected to ${broker.label}`);
        return;
      } catch (error) {
        problems.push(`${broker.label}: ${messageOf(error)}`);
        this.#preferred = (this.#preferred + 1) % brokers.length;
      }
    }
    throw new SinkError('BROKER', `no broker can be used: ${problems.join('; ')}`);
  }

  async publish(messages: Iterable<CeleryMessage>): Promise<void> {
    let waiting: string[] = [];
    for (const message of messages) {
      waiting.push(redisEnvelope(message, this.#options.routing, randomUUID()));
      if (waiting.length < PUSHED_AT_ONCE) continue;
      await this.#push(waiting);
      waiting = [];
    }
    if (waiting.length > 0) await this.#push(waiting);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#redis?.disconnect();
    return Promise.resolve();
  }

  status(): Record<string, unknown> {
    const isReady = this.#redis?.status === 'ready';
    return { broker: isReady ? (this.#broker?.label ?? null) : null };
  }

  async #push(envelopes: readonly string[]): Promise<void> {
    const redis = this.#redis;
    if (redis === undefined || this.#closed) throw new SinkError('STOPPED', STOPPED);
    try {
      await redis.lpush(this.#options.routing.queue, ...envelopes);
    } catch (error) {
      redis.disconnect();
      this.#preferred = (this.#preferred + 1) % this.#options.brokers.length;
      const problem = this.#closed ? STOPPED : `${this.#broker?.label}: ${messageOf(error)}`;
      throw new SinkError('BROKER', problem, { cause: error });
    }
  }

  async #connect(broker: BrokerUrl): Promise<void> {
    const { ssl } = this.#options;
    const { host, port, username, password, path, tls } = broker;
    const redis = new Redis({
      host,
      port,
      db: Number(path),
      ...(username !== '' && { username }),
      ...(password !== '' && { password }),
      ...((tls || ssl !== null) && { tls: await tlsOptions(ssl) }),
      lazyConnect: true,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      connectTimeout: CONNECT_MS,
      commandTimeout: COMMAND_MS,
      keepAlive: 30_000,
    });
    let cause: unknown;
    redis.on('error', (error) => {
      cause = error;
    });
    this.#redis = redis;
    this.#broker = broker;
    try {
      await redis.connect();
    } catch (error) {
      redis.disconnect();
      throw cause ?? error;
    }
  }
}
