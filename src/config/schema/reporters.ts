/** Settings of the reporters (celery, redis, postgres, fanout) and of a connection to Redis. */
import { z } from 'zod';
import type { Frozen } from './fields.ts';
import {
  blankable,
  commonShape,
  flag,
  integer,
  interval,
  list,
  mapOf,
  name,
  oneOf,
  port,
  reference,
  text,
} from './fields.ts';

/** A connection to Redis, with the names the Python client uses. */
export const redisConnection = () =>
  z
    .strictObject({
      host: name().default('127.0.0.1').describe('Host of Redis.'),
      port: port().default(6379).describe('Port of Redis.'),
      db: integer(0, 65535).default(0).describe('Number of the data base.'),
      username: blankable().default('').describe('User name, where Redis has users.'),
      password: blankable()
        .default('')
        .meta({ description: 'Password; blank for none.', secret: true }),
      unix_socket_path: text().nullable().default(null).meta({
        description: 'Socket file to use instead of host and port.',
        path: true,
      }),
      ssl: flag().default(false).describe('Whether the connection is encrypted.'),
      ssl_ca_certs: text().nullable().default(null).meta({
        description: 'File of the certificates to trust; null is those of the system.',
        path: true,
      }),
      sentinels: list(name())
        .default([])
        .meta({
          description: 'Sentinels as host:port, to ask for the master instead of host and port.',
          example: ['10.0.0.1:26379'],
        }),
      service_name: name().default('mymaster').describe('What Sentinel calls the master.'),
      sentinel_password: blankable()
        .default('')
        .meta({ description: 'Password of the sentinels; blank for none.', secret: true }),
    })
    .meta({ expects: 'a map' });

const poolReport = z
  .strictObject({
    user: name().meta({ description: 'Name to add everything up under.', example: 'pool' }),
    worker_format_string: text()
      .default('')
      .describe(
        'Worker name of the sum: {algo}, {currency}, {server_name} and the keys of attrs are filled in.',
      ),
    report_merge: flag()
      .default(false)
      .describe('Whether it is added once more for each merged currency.'),
  })
  .meta({ expects: 'a map' });

const reporterShape = {
  ...commonShape,
  pool_report_configs: list(poolReport)
    .default([])
    .describe('Sums over all miners to report besides those by address.'),
  chain: integer(0).default(1).describe('Number of the payout chain that shares are counted for.'),
  start_from: oneOf('newest', 'oldest')
    .default('newest')
    .describe(
      'Where a reporter begins that this ledger has never had: with what comes, or with all that is kept.',
    ),
  backlog_alarm: interval()
    .default(300)
    .describe('Seconds that a share may wait for the back end before that is logged as an error.'),
  attrs: mapOf(text())
    .default({})
    .meta({
      description: 'Texts that worker_format_string may use, by name.',
      example: { chain: 'main' },
    }),
};

/** As Celery's broker_use_ssl: true, or files. */
const brokerSsl = z
  .strictObject({
    ca_certs: name().nullable().default(null).meta({
      description: 'Certificates to trust in place of the well-known ones, PEM.',
      path: true,
    }),
    certfile: name()
      .nullable()
      .default(null)
      .meta({ description: 'Certificate to show to the broker, PEM.', path: true }),
    keyfile: name()
      .nullable()
      .default(null)
      .meta({ description: 'Private key of certfile, PEM.', path: true }),
  })
  .meta({ expects: 'true, or a map with ca_certs, certfile, keyfile' });

export const celerySchema = z.strictObject({
  ...reporterShape,
  celery_task_prefix: name()
    .default('simplecoin.tasks')
    .describe('What stands before the name of every task, followed by a dot.'),
  celery: z
    .strictObject({
      BROKER_URL: z
        .preprocess((value) => (Array.isArray(value) ? value.join(';') : value), name())
        .default('amqp://guest:guest@127.0.0.1:5672//')
        .meta({
          description:
            'The message broker: amqp:// (amqps:// with TLS) or redis:// (rediss://). Several, to turn to when one is down: a list, or one text with ; between.',
          expects: 'text, not empty, or a list of it',
          url: true,
          aliases: ['broker_url'],
        }),
      BROKER_USE_SSL: z
        .preprocess(
          (value) => (value === true ? {} : value === false ? null : value),
          brokerSsl.nullable(),
        )
        .default(null)
        .meta({
          description: 'TLS to the broker: true, or the files of it; null goes by BROKER_URL.',
          aliases: ['broker_use_ssl'],
        }),
      CELERY_DEFAULT_QUEUE: name()
        .default('celery')
        .meta({
          description: 'Queue that tasks go to.',
          aliases: ['celery_default_queue', 'task_default_queue'],
        }),
      CELERY_DEFAULT_EXCHANGE: name()
        .default('celery')
        .meta({
          description: 'Exchange that tasks are published to.',
          aliases: ['celery_default_exchange', 'task_default_exchange'],
        }),
      CELERY_DEFAULT_ROUTING_KEY: name()
        .default('celery')
        .meta({
          description: 'Routing key of tasks.',
          aliases: ['celery_default_routing_key', 'task_default_routing_key'],
        }),
      CELERY_TASK_PROTOCOL: z
        .union([z.literal(1), z.literal(2)])
        .default(1)
        .meta({
          description: 'Form of the messages; every Celery from 3.1 on reads 1, from 4 on also 2.',
          expects: '1 or 2',
          aliases: ['celery_task_protocol', 'task_protocol'],
        }),
    })
    .meta({ expects: 'a map', lenient: true })
    .prefault({})
    .describe('Settings of Celery itself.'),
  share_batch_interval: interval()
    .default(60)
    .describe('Seconds over which shares are added up before they are sent.'),
});

export const redisSchema = z.strictObject({
  ...reporterShape,
  redis: redisConnection().prefault({}).describe('Where shares and blocks are written.'),
});

export const postgresSchema = z.strictObject({
  ...reporterShape,
  url: text().nullable().default(null).meta({
    description:
      'Connection as postgres://user:password@host/database; it wins over the other keys.',
    url: true,
  }),
  host: name().default('127.0.0.1').describe('Host of PostgreSQL, or the folder of its socket.'),
  port: port().default(5432).describe('Port of PostgreSQL.'),
  database: name().default('powerpool').describe('Name of the data base.'),
  username: blankable().default('').describe('User name; blank is the one of this process.'),
  password: blankable()
    .default('')
    .meta({ description: 'Password; blank for none.', secret: true }),
  ssl: flag().default(false).describe('Whether the connection is encrypted.'),
  schema: name().default('powerpool').describe('Schema that the tables are made in.'),
});

export const fanoutSchema = z.strictObject({
  ...commonShape,
  reporters: list(reference())
    .min(1)
    .meta({ expects: 'a list of at least one reporter' })
    .meta({ description: 'Keys of the reporters that each get everything.', example: ['redis'] }),
});

export type CelerySettings = Frozen<z.output<typeof celerySchema>>;
export type RedisSettings = Frozen<z.output<typeof redisSchema>>;
export type PostgresSettings = Frozen<z.output<typeof postgresSchema>>;
export type FanoutSettings = Frozen<z.output<typeof fanoutSchema>>;
