/**
 * Broker URLs as Celery's users write them (kombu's rules, which differ from those of a general URL
 * parser: `//` at the end is the virtual host `/`, no path is that too). Several brokers are a list or
 * stand in one text with `;` between. Entry point: parseBrokers.
 */
import { SinkUnfit } from './errors.ts';

export interface BrokerUrl {
  readonly kind: 'amqp' | 'redis';
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** AMQP: the virtual host; Redis: the number of the data base. */
  readonly path: string;
  /** Without user and password, for messages. */
  readonly label: string;
}

const KINDS: Readonly<Record<string, Pick<BrokerUrl, 'kind' | 'tls' | 'port'>>> = {
  amqp: { kind: 'amqp', tls: false, port: 5672 },
  pyamqp: { kind: 'amqp', tls: false, port: 5672 },
  librabbitmq: { kind: 'amqp', tls: false, port: 5672 },
  amqps: { kind: 'amqp', tls: true, port: 5671 },
  redis: { kind: 'redis', tls: false, port: 6379 },
  rediss: { kind: 'redis', tls: true, port: 6379 },
};

/** At least one broker, all of one kind; throws SinkUnfit, never with a password in it. */
export function parseBrokers(urls: string | readonly string[]): readonly BrokerUrl[] {
  const texts = [urls]
    .flat()
    .flatMap((text) => text.split(';'))
    .map((text) => text.trim())
    .filter((text) => text !== '');
  const brokers = texts.map(parseBroker);
  if (brokers.length === 0) throw new SinkUnfit('BROKER_URL', 'BROKER_URL names no broker');
  if (new Set(brokers.map(({ kind }) => kind)).size > 1) {
    const labels = brokers.map(({ label }) => label).join(', ');
    throw new SinkUnfit('BROKER_URL', `BROKER_URL mixes kinds of broker: ${labels}`);
  }
  return brokers;
}

function parseBroker(text: string): BrokerUrl {
  const parts = /^([a-z]+):\/\/(?:([^/]*)@)?(\[[^\]]*\]|[^:/?@]*)(?::(\d+))?(\/[^?]*)?(?:\?.*)?$/i;
  const match = parts.exec(text);
  const kind = KINDS[match?.[1]?.toLowerCase() ?? ''];
  if (match === null || kind === undefined) {
    const seen = `${/^[a-z]+(?=:)/i.exec(text)?.[0] ?? ''}://…`;
    throw new SinkUnfit(
      'BROKER_URL',
      `BROKER_URL is no broker's address: found ${seen}, expected for example amqp://user:password@host:5672/vhost, amqps:// or redis://host:6379/0`,
    );
  }
  const [, , login = '', hostText = '', portText, pathText = ''] = match;
  const colon = login.indexOf(':');
  const host = hostText.replace(/^\[|\]$/g, '') || '127.0.0.1';
  const port = portText === undefined ? kind.port : Number(portText);
  const path = decode(pathText.slice(1)) || (kind.kind === 'amqp' ? '/' : '0');
  if (kind.kind === 'redis' && !/^\d+$/.test(path)) {
    throw new SinkUnfit(
      'BROKER_URL',
      `BROKER_URL: the path of redis://${host}:${port}/… is no number of a data base, expected for example /0`,
    );
  }
  return {
    ...kind,
    host,
    port,
    username: decode(colon < 0 ? login : login.slice(0, colon)),
    password: colon < 0 ? '' : decode(login.slice(colon + 1)),
    path,
    label: `${kind.kind}${kind.tls ? 's' : ''}://${host}:${port}/${path}`,
  };
}

/** A stray percent sign stands for itself, as in Python. */
function decode(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (encoded) =>
    Buffer.from(encoded.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}
