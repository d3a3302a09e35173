/**
 * A connection to RabbitMQ that publishes with confirms. States: none → open() → open → (anything goes
 * wrong) → none; whoever uses it calls open() again, which tries the brokers in turn from the last one
 * on. Every message is persistent and mandatory: one that reaches no queue fails like one that is lost.
 * The only file that imports amqplib. Entry point: AmqpBroker.
 */
import { connect } from 'amqplib';
import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib';
import { messageOf } from '../errors.ts';
import { withDeadline } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { STOPPED, tlsOptions } from './broker.ts';
import type { Broker, BrokerOptions, Routing, SslFiles } from './broker.ts';
import type { BrokerUrl } from './broker-url.ts';
import { CONTENT_ENCODING, CONTENT_TYPE, DELIVERY_MODE, PRIORITY } from './celery-message.ts';
import type { CeleryMessage } from './celery-message.ts';
import { SinkError } from './errors.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const HEARTBEAT_SECONDS = 20;
/** Without a confirm for this long the connection is given up: it may hang where no heartbeat shows it. */
const CONFIRM_TIMEOUT_MS = 60_000;
const CLOSE_TIMEOUT_MS = 1000;
/** Messages published and not confirmed yet. */
const MAX_UNCONFIRMED = 2000;

interface Connection {
  readonly broker: BrokerUrl;
  readonly model: ChannelModel;
  readonly channel: ConfirmChannel;
  readonly abort: AbortController;
}

export class AmqpBroker implements Broker {
  readonly #brokers: readonly BrokerUrl[];
  readonly #routing: Routing;
  readonly #ssl: SslFiles | null;
  readonly #log: Log;
  /** Index of the broker to try first. */
  #preferred = 0;
  #connection: Connection | undefined;
  #blocked: string | undefined;
  /** Why the connection under publish() is of no use any more. */
  #failure: SinkError | undefined;
  #onFailure: () => void = () => {};
  #closed = false;
  readonly #connecting = new Set<AbortController>();

  constructor({ brokers, routing, ssl, log }: BrokerOptions) {
    this.#brokers = brokers;
    this.#routing = routing;
    this.#ssl = ssl;
    this.#log = log;
  }

  async open(): Promise<void> {
    if (this.#closed) throw new SinkError('STOPPED', STOPPED);
    if (this.#connection !== undefined) return;
    const problems: string[] = [];
    for (let tried = 0; tried < this.#brokers.length; tried++) {
      const broker = this.#brokers[this.#preferred]!;
      try {
        this.#connection = await this.#connect(broker);
        this.#log.info(`connected to ${broker.label}`);
        return;
      } catch (error) {
        if (this.#closed) throw new SinkError('STOPPED', STOPPED);
        problems.push(`${broker.label}: ${messageOf(error)}`);
        this.#preferred = (this.#preferred + 1) % this.#brokers.length;
      }
    }
    throw new SinkError('BROKER', `no broker can be used: ${problems.join('; ')}`);
  }

  async publish(messages: Iterable<CeleryMessage>): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) throw this.#failure ?? new SinkError('STOPPED', STOPPED);
    const { channel } = connection;
    const { exchange, routingKey } = this.#routing;
    let unconfirmed = 0;
    let wake: () => void = () => {};
    const settled = (error: unknown): void => {
      unconfirmed--;
      if (error !== null) this.#fail(connection, `refused a message: ${messageOf(error)}`);
      wake();
    };
    const until = async (isEnough: () => boolean): Promise<void> => {
      while (this.#failure === undefined && !isEnough()) {
        const next = new Promise<void>((resolve) => {
          wake = resolve;
          this.#onFailure = resolve;
        });
        await withDeadline('a confirm', CONFIRM_TIMEOUT_MS, () => next).catch(() => {
          const why = this.#blocked === undefined ? '' : ` (it says: ${this.#blocked})`;
          this.#fail(connection, `confirmed nothing for ${CONFIRM_TIMEOUT_MS / 1000} s${why}`);
        });
      }
      if (this.#failure !== undefined) throw this.#failure;
    };
    for (const message of messages) {
      await until(() => unconfirmed < MAX_UNCONFIRMED);
      unconfirmed++;
      try {
        channel.publish(exchange, routingKey, message.body, properties(message), settled);
      } catch (error) {
        // The library throws where the channel is closed already.
        this.#fail(connection, messageOf(error));
      }
    }
    await until(() => unconfirmed === 0);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const abort of this.#connecting) abort.abort();
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#lose(new SinkError('STOPPED', STOPPED));
    // An orderly end is a courtesy to the broker's log; a broker that hangs is not waited for.
    await withDeadline('close', CLOSE_TIMEOUT_MS, () => connection.model.close()).catch(() => {});
    connection.abort.abort();
  }

  status(): Record<string, unknown> {
    return {
      broker: this.#connection?.broker.label ?? null,
      broker_blocked: this.#blocked ?? null,
    };
  }

  async #connect(broker: BrokerUrl): Promise<Connection> {
    const abort = new AbortController();
    this.#connecting.add(abort);
    try {
      return await withDeadline('connecting', CONNECT_TIMEOUT_MS, async () => {
        const model = await connect(
          {
            protocol: broker.tls || this.#ssl !== null ? 'amqps' : 'amqp',
            hostname: broker.host,
            port: broker.port,
            username: broker.username === '' ? 'guest' : broker.username,
            password: broker.username === '' ? 'guest' : broker.password,
            vhost: encodeURIComponent(broker.path),
            heartbeat: HEARTBEAT_SECONDS,
          },
          {
            ...(await tlsOptions(this.#ssl)),
            noDelay: true,
            keepAlive: true,
            ...closable(abort.signal),
          },
        );
        // A listener even while it is set up: an error event without one would end the process.
        let reason: unknown;
        model.on('error', (error) => {
          reason = error;
        });
        await prepare(model, this.#routing);
        const channel = await model.createConfirmChannel();
        const connection = { broker, model, channel, abort };
        this.#watch(connection, () => reason);
        return connection;
      });
    } catch (error) {
      abort.abort();
      throw error;
    } finally {
      this.#connecting.delete(abort);
    }
  }

  #watch(connection: Connection, reason: () => unknown): void {
    const { model, channel } = connection;
    this.#failure = undefined;
    model.on('close', (error) => {
      const why = reason() ?? error;
      this.#fail(connection, why === undefined ? 'closed the connection' : messageOf(why));
    });
    model.on('blocked', (why) => {
      this.#blocked = why;
      this.#log.warn(`${connection.broker.label} takes no messages for now: ${why}`);
    });
    model.on('unblocked', () => {
      this.#blocked = undefined;
      this.#log.info(`${connection.broker.label} takes messages again`);
    });
    channel.on('error', (error) => this.#fail(connection, messageOf(error)));
    channel.on('close', () => this.#fail(connection, 'closed the channel'));
    channel.on('return', () => {
      const { exchange, routingKey } = this.#routing;
      this.#fail(
        connection,
        `routes a task to no queue (exchange ${exchange}, routing key ${routingKey}); bind a queue to it`,
      );
    });
  }

  /** The first failure of a connection ends it; the next open() goes on with the next broker. */
  #fail(connection: Connection, problem: string): void {
    if (this.#connection !== connection) return;
    this.#preferred = (this.#preferred + 1) % this.#brokers.length;
    this.#lose(new SinkError('BROKER', `${connection.broker.label}: ${problem}`));
    connection.abort.abort();
  }

  #lose(failure: SinkError): void {
    this.#connection = undefined;
    this.#blocked = undefined;
    this.#failure = failure;
    this.#onFailure();
  }
}

function properties(message: CeleryMessage): Parameters<Channel['publish']>[3] {
  return {
    mandatory: true,
    contentType: CONTENT_TYPE,
    contentEncoding: CONTENT_ENCODING,
    deliveryMode: DELIVERY_MODE,
    priority: PRIORITY,
    headers: message.headers,
    correlationId: message.correlationId,
  };
}

/** An option of net.connect and tls.connect, the way to close a socket inside the library for certain. */
function closable(signal: AbortSignal): object {
  return { signal };
}

/**
 * Declares what Celery declares itself, unless it is there: a queue that the operator made with other
 * arguments (a quorum queue, priorities) stays as it is.
 */
async function prepare(
  model: ChannelModel,
  { queue, exchange, routingKey }: Routing,
): Promise<void> {
  if (exchange !== '' && !(await exists(model, (channel) => channel.checkExchange(exchange)))) {
    await on(model, (channel) => channel.assertExchange(exchange, 'direct', { durable: true }));
  }
  if (!(await exists(model, (channel) => channel.checkQueue(queue)))) {
    await on(model, (channel) => channel.assertQueue(queue, { durable: true }));
  }
  if (exchange !== '') {
    await on(model, (channel) => channel.bindQueue(queue, exchange, routingKey));
  }
}

/** AMQP closes the channel with code 404 where there is no such thing. */
async function exists(
  model: ChannelModel,
  ask: (channel: Channel) => Promise<unknown>,
): Promise<boolean> {
  try {
    await on(model, ask);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 404) return false;
    throw error;
  }
}

/** On a channel of its own, because a refusal closes it. */
async function on<T>(model: ChannelModel, ask: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await model.createChannel();
  channel.on('error', () => {});
  const answer = await ask(channel);
  await channel.close();
  return answer;
}
