/**
 * What a message broker is to the Celery sink: RabbitMQ (amqp.ts) or Redis in its place (celery-redis.ts).
 * Types, and what both need.
 */
import { readFile } from 'node:fs/promises';
import type { Log } from '../log.ts';
import type { BrokerUrl } from './broker-url.ts';
import type { CeleryMessage } from './celery-message.ts';

export const STOPPED = 'the sink was stopped';

export interface Routing {
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
}

/** As BROKER_USE_SSL has them; PEM. */
export interface SslFiles {
  readonly ca_certs: string | null;
  readonly certfile: string | null;
  readonly keyfile: string | null;
}

export interface BrokerOptions {
  /** At least one. */
  readonly brokers: readonly BrokerUrl[];
  readonly routing: Routing;
  /** Not null: TLS whatever the URL says. */
  readonly ssl: SslFiles | null;
  readonly log: Log;
}

/** Where tasks are sent: RabbitMQ, or Redis in its place. */
export interface Broker {
  /** Connects unless connected; rejects with SinkError when no broker can be reached. */
  open(): Promise<void>;
  /** Resolves once the broker has all of them; rejects if that is not known of any one. */
  publish(messages: Iterable<CeleryMessage>): Promise<void>;
  /** Ends the connection and whatever waits for it; open() is not called again. */
  close(): Promise<void>;
  /** For the monitor. */
  status(): Record<string, unknown>;
}

interface TlsFiles {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Options of tls.connect; also for the Redis broker. */
export async function tlsOptions(ssl: SslFiles | null): Promise<TlsFiles> {
  if (ssl === null) return {};
  const read = async (file: string | null) => (file === null ? undefined : await readFile(file));
  const [ca, cert, key] = await Promise.all([ssl.ca_certs, ssl.certfile, ssl.keyfile].map(read));
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}
