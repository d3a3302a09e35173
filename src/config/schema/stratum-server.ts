/** Settings of a Stratum server: one listening port, its vardiff, agent port and limits. */
import { z } from 'zod';
import type { Frozen } from './fields.ts';
import {
  commonShape,
  flag,
  integer,
  interval,
  list,
  listenPort,
  mapOf,
  name,
  oneOf,
  positive,
  reference,
  seconds,
  section,
} from './fields.ts';

const vardiff = section({
  enabled: flag().default(false).describe("Whether difficulty follows the miner's speed."),
  spm_target: positive().default(20).describe('Shares a minute to aim for.'),
  interval: interval().default(30).describe('Seconds between two looks at the rate.'),
  tiers: list(positive())
    .min(1)
    .nullable()
    .default(null)
    .meta({ expects: 'a list of numbers greater than 0' })
    .describe('Difficulties to choose from; null doubles the minimum up to the maximum.'),
  minimum_difficulty: positive().default(64).describe('The lowest difficulty.'),
  maximum_difficulty: positive().default(524_288).describe('The highest difficulty.'),
  per: oneOf('address', 'worker')
    .default('address')
    .describe('Whether the rate is that of the whole address or of each worker by itself.'),
  hysteresis: z
    .number()
    .min(0)
    .max(1)
    .meta({ expects: 'a number from 0 to 1' })
    .default(0.2)
    .describe(
      'Part of a step that the ideal must go past the border between two tiers before it changes.',
    ),
});

const agent = section({
  enabled: flag().default(false).describe('Whether ppagent may connect.'),
  port_diff: integer(-65535, 65535)
    .default(1111)
    .describe("Added to the Stratum port to get the agent's."),
  timeout: seconds().default(120).describe('Seconds of silence after which an agent is closed.'),
  accepted_types: list(name())
    .default(['temp', 'status', 'hashrate', 'thresholds'])
    .describe('Kinds of report that are taken.'),
});

const limits = section({
  line_bytes: integer(512, 1_048_576)
    .default(16_384)
    .describe('The longest line a miner may send; a longer one closes the connection.'),
  pending_bytes: integer(1024, 16_777_216)
    .default(65_536)
    .describe('Input waiting to be handled from which on the connection is not read.'),
  send_bytes: integer(4096, 67_108_864)
    .default(262_144)
    .describe('Output a miner may leave unread before the connection is closed.'),
  handshake_seconds: interval()
    .default(60)
    .describe('Seconds a connection has to subscribe and authorize.'),
  connections: integer(1, 10_000_000).default(65_536).describe('Connections to this port at once.'),
  connections_per_address: integer(1, 10_000_000)
    .default(4096)
    .describe('Connections from one IP address at once.'),
  requests_per_second: positive()
    .default(2000)
    .describe('Messages of one connection a second; beyond that it is read more slowly.'),
  bad_per_minute: positive()
    .default(120)
    .describe('Malformed messages of one connection a minute before its address is banned.'),
  ban_seconds: seconds()
    .default(300)
    .describe('Seconds that a banned IP address cannot connect; 0 only closes the connection.'),
  workers_per_address: integer(1, 10_000_000)
    .default(4096)
    .describe('Worker names that are told apart of one coin address; further ones count as one.'),
});

const tls = z
  .strictObject({
    cert_file: name().meta({
      description: 'Certificate with its chain, PEM.',
      path: true,
      example: 'pool.crt',
    }),
    key_file: name().meta({ description: 'Private key, PEM.', path: true, example: 'pool.key' }),
  })
  .meta({ expects: 'a map with cert_file and key_file' });

const proxyProtocol = section({
  trusted: list(name())
    .default([])
    .describe(
      'IP addresses or networks (10.0.0.0/8) of proxies whose PROXY header is believed; none listed turns it off.',
    ),
});

export const stratumSchema = z.strictObject({
  ...commonShape,
  address: name().default('0.0.0.0').describe('Local address to listen on.'),
  port: listenPort().default(3333).describe('Port to listen on; server_number is added.'),
  algo: name().meta({
    description: 'Name of the proof-of-work algorithm; the same as that of the chain.',
    example: 'scrypt',
  }),
  jobmanager: reference()
    .nullable()
    .default(null)
    .describe('Key of the main chain or switcher to mine; null is the only one there is.'),
  reporter: reference()
    .nullable()
    .default(null)
    .describe('Key of the reporter that gets the shares; null leaves them in the ledger alone.'),
  start_difficulty: positive().default(128).describe('Difficulty of a new connection.'),
  minimum_manual_diff: positive()
    .default(64)
    .describe('The lowest difficulty a miner may ask for.'),
  vardiff: vardiff.prefault({}).describe("How difficulty follows the miner's speed."),
  push_job_interval: interval()
    .default(30)
    .describe('Seconds of silence after which a miner gets the current job again.'),
  idle_worker_threshold: seconds()
    .default(300)
    .describe('Seconds without a share after which a miner counts as idle.'),
  idle_worker_disconnect_threshold: seconds()
    .default(3600)
    .describe('Seconds without a share after which a miner is disconnected.'),
  late_share_grace: seconds()
    .default(0.5)
    .describe(
      'Seconds after a new block during which shares on the one before are still paid, under a counter of their own.',
    ),
  aliases: mapOf(name())
    .default({})
    .meta({
      description: 'Addresses by the names miners may use for them.',
      example: { donate: 'LVg2kJoFNg45Nbpy53h7Fe1wKyeXVRhMH9' },
    }),
  valid_address_versions: list(integer(0, 65535).meta({ expects: 'a version number (0 to 65535)' }))
    .default([])
    .describe('Base58 versions that count as addresses in user names; none listed means any.'),
  address_hrps: list(name())
    .default([])
    .describe('Prefixes of bech32 addresses that count in user names; none listed means any.'),
  donate_key: name()
    .default('donate')
    .describe('Name whom miners without a valid address or alias mine for.'),
  strict: flag().default(false).describe('Whether such miners are refused instead.'),
  max_worker_length: integer(1, 128)
    .default(16)
    .describe('Characters of a worker name that count.'),
  server_seed: integer(0)
    .default(0)
    .describe('Number that connection ids start from, to tell servers apart.'),
  version_mask: integer(0, 0xffff_ffff)
    .default(0x1fffe000)
    .describe('Version bits miners may roll (BIP310), where the chain allows it; 0 for none.'),
  agent: agent.prefault({}).describe('Port for ppagent, which reports on mining rigs.'),
  limits: limits.prefault({}).describe('What one peer may use up.'),
  tls: tls
    .nullable()
    .default(null)
    .describe('Certificate, for a port that is encrypted; null for plain TCP.'),
  proxy_protocol: proxyProtocol
    .prefault({})
    .describe('For a port behind a proxy that says whom it speaks for (versions 1 and 2).'),
});

export type StratumSettings = Frozen<z.output<typeof stratumSchema>>;
export type VardiffSettings = StratumSettings['vardiff'];
export type LimitSettings = StratumSettings['limits'];
