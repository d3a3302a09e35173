/** Settings of the manager, the one component of type `pool`. */
import { z } from 'zod';
import type { Frozen } from './fields.ts';
import {
  commonShape,
  flag,
  integer,
  list,
  listenPort,
  logLevel,
  mapOf,
  name,
  oneOf,
  port,
  positive,
  seconds,
  section,
  target,
  text,
} from './fields.ts';

const retention = section({
  shares: seconds()
    .default(86_400)
    .describe(
      'Seconds that share records are kept after every reporter has taken them (24 hours).',
    ),
  backlog: seconds()
    .nullable()
    .default(null)
    .describe(
      'Seconds after which share records go even if a reporter has not taken them; null: never, its back end may be down as long as the disk lasts.',
    ),
  slices: seconds()
    .nullable()
    .default(31_536_000)
    .describe('Seconds that the sums by minute and address are kept (one year); null for ever.'),
  blocks: seconds()
    .nullable()
    .default(null)
    .describe('Seconds that blocks are kept that wait for nothing any more; null for ever.'),
});

const ledger = section({
  path: text().nullable().default(null).meta({
    description:
      'Folder of the ledger; null is one beside this file, named by it and the server number.',
    path: true,
  }),
  synchronous: oneOf('normal', 'full')
    .default('normal')
    .describe(
      'What an acknowledged share survives: normal the death of the process, full also the loss of power.',
    ),
  retention: retention.prefault({}).describe('How long the ledger keeps what.'),
});

const algorithm = section({
  module: text()
    .nullable()
    .default(null)
    .describe(
      "null is the built-in of this name; './file.ts#function' is a hash function of your own; names of the old Python modules mean the built-in.",
    ),
  nfactor: integer(0, 14)
    .nullable()
    .default(null)
    .describe(
      "scrypt with N = 2 to the power of nfactor + 1 (scrypt-n; Vertcoin's was 10); null is the algorithm of this name.",
    ),
  hashes_per_share: positive()
    .nullable()
    .default(null)
    .describe('Hashes that a share of difficulty 1 stands for; null is what the algorithm has.'),
  diff1: target()
    .nullable()
    .default(null)
    .describe('Target of difficulty 1; null is what the algorithm has.'),
});

const logger = z
  .strictObject({
    type: name().default('StreamHandler').describe('Where the lines go.'),
    level: logLevel().default('info').describe('The least level this logger writes.'),
    format: text().nullable().default(null).describe('Layout of a line; null is the usual one.'),
    listen: list(name())
      .default([])
      .describe('Keys of the components whose lines it writes; none listed means all.'),
  })
  .meta({ expects: 'a map', lenient: true });

export const poolSchema = z.strictObject({
  ...commonShape,
  procname: name()
    .default('powerpool')
    .describe(
      'Name of this process in statistics and reports; "_" and the server number are always added.',
    ),
  server_number: integer(0, 65535)
    .default(0)
    .describe('Added to every port this process listens on; --server-number is added to it.'),
  threads: integer(1, 256)
    .nullable()
    .default(null)
    .describe('Threads that listen to miners; null is one for each core, at most 8.'),
  term_timeout: seconds()
    .default(10)
    .describe('Seconds a stop may take to flush everything before the process exits all the same.'),
  extranonce_serv_size: z
    .union([z.literal(4), z.literal(8)])
    .meta({ expects: '4 or 8' })
    .default(4)
    .describe('Bytes of the coinbase that tell miners apart (extranonce1).'),
  extranonce_size: integer(2, 16)
    .default(4)
    .describe('Bytes of the coinbase a miner may vary (extranonce2); some firmware wants 4 to 8.'),
  default_component_log_level: logLevel()
    .default('info')
    .describe('What components log that set no log_level of their own.'),
  loggers: list(logger)
    .default([])
    .describe('Where log lines go; none listed means standard output.'),
  ledger: ledger
    .prefault({})
    .describe('The durable record of shares and blocks on the local disk.'),
  algorithms: mapOf(algorithm)
    .default({})
    .meta({
      description: 'Algorithms of your own, or other figures for the built-in ones, by name.',
      example: { scrypt: {} },
    }),
  events: section({
    enabled: flag().default(false).describe('Whether events are sent to statsd.'),
    host: name().default('127.0.0.1').describe('Host of statsd.'),
    port: port().default(8125).describe('UDP port of statsd.'),
  })
    .prefault({})
    .describe('Statistics for statsd over UDP.'),
  datagram: section({
    enabled: flag().default(false).describe('Whether commands are taken.'),
    host: name().default('127.0.0.1').describe('Local address to listen on.'),
    port: listenPort().default(6855).describe('UDP port to listen on; server_number is added.'),
  })
    .prefault({})
    .describe('Commands over UDP, such as the notice of a new block by alertblock.'),
});

export type PoolSettings = Frozen<z.output<typeof poolSchema>>;
