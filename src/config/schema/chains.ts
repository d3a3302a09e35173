/**
 * Settings of the job managers: a main chain, a merge-mined chain and the switcher over several main
 * chains. What differs between coins is data here, never a coin's name in the code.
 */
import { z } from 'zod';
import type { Frozen } from './fields.ts';
import {
  commonShape,
  flag,
  integer,
  interval,
  list,
  mapOf,
  name,
  oneOf,
  positive,
  reference,
  seconds,
  target,
} from './fields.ts';
import { coinservs } from './coinserv.ts';
import { redisConnection } from './reporters.ts';

const chainShape = (currency: string) => ({
  ...commonShape,
  coinservs: coinservs(),
  algo: name().meta({ description: 'Name of the proof-of-work algorithm.', example: 'scrypt' }),
  currency: name().meta({ description: 'Currency code, used in reports.', example: currency }),
  rpc_ping_int: interval()
    .default(2)
    .describe('Seconds between two looks at a daemon that is down.'),
  rpc_timeout: interval()
    .default(15)
    .describe('Seconds after which a call without an answer counts as failed.'),
  signal: integer(1, 64)
    .nullable()
    .default(null)
    .describe('Number of the OS signal that means "look for a new block now"; null for none.'),
  poll: flag()
    .nullable()
    .default(null)
    .describe(
      'Whether the daemon is asked for new blocks all the time; null asks unless signal is set.',
    ),
  maturity: integer(1, 100_000)
    .default(100)
    .describe('Blocks on top of a found one until its reward can be spent.'),
});

const coinbaseOutput = z
  .strictObject({
    field: name().meta({
      description:
        'Field of the template, dots lead into it: a map or a list of maps, an entry an output.',
      example: 'coinbasedevreward',
    }),
    amount_field: name().default('value').describe('Field of an entry with the amount.'),
    script_field: name()
      .default('scriptpubkey')
      .describe("Field of an entry with the output's script in hex."),
    address_field: name()
      .default('address')
      .describe('Field of an entry with an address, used where it has no script.'),
    inside_value: flag()
      .default(true)
      .describe('Whether the amount is taken out of coinbasevalue rather than added to it.'),
  })
  .meta({ expects: 'a map' });

const versionByte = () => integer(0, 65535).meta({ expects: 'a version number (0 to 65535)' });

export const mainChainSchema = z.strictObject({
  ...chainShape('LTC'),
  pool_address: name().meta({
    description: 'Address that blocks pay to; the network of the daemon must fit it.',
    example: 'LVg2kJoFNg45Nbpy53h7Fe1wKyeXVRhMH9',
  }),
  merged: list(reference())
    .default([])
    .describe('Keys of the aux chains that are mined along with this one.'),
  aux_coalesce: seconds()
    .default(0.05)
    .describe(
      'Seconds in which new work of several aux chains is gathered into one job; a new block of this chain never waits.',
    ),
  diff1: target()
    .nullable()
    .default(null)
    .describe('Target of difficulty 1, 256 bits; null is what the algorithm has.'),
  hashes_per_share: positive()
    .nullable()
    .default(null)
    .describe('Hashes that a share of difficulty 1 stands for; null is what the algorithm has.'),
  block_poll: interval()
    .default(0.2)
    .describe('Seconds between two questions for the tip (getblockcount).'),
  job_refresh: interval()
    .default(15)
    .describe('Seconds after which a template is fetched again for its new transactions.'),
  longpoll: flag()
    .default(true)
    .describe("Whether the daemon's long poll is used where it has one."),
  empty_first: flag()
    .default(false)
    .describe(
      'Whether a new block is answered with a job without transactions first, where the chain allows it.',
    ),
  max_jobs: integer(2, 1000).default(32).describe('Jobs of one tip that can be submitted to.'),
  ntime_ahead: integer(0, 100_000)
    .default(7000)
    .describe("Seconds that a share's time may be ahead of the template's."),
  network: oneOf('main', 'test', 'signet', 'regtest')
    .nullable()
    .default(null)
    .describe('Network the daemon must be on; null takes the one it is on.'),
  rules: list(name())
    .nullable()
    .default(null)
    .describe(
      'Rules to ask the template with, such as [mweb, segwit]; null finds out from the daemon.',
    ),
  version_rolling: flag()
    .nullable()
    .default(null)
    .describe(
      'Whether miners may roll version bits; null allows it unless the version carries a chain id (AuxPoW).',
    ),
  address_versions: z
    .strictObject({
      p2pkh: list(versionByte()).default([]).describe('Version bytes that pay to a key.'),
      p2sh: list(versionByte()).default([]).describe('Version bytes that pay to a script.'),
    })
    .meta({ expects: 'a map' })
    .prefault({})
    .describe('Base58 versions of addresses on this chain; none listed means the usual ones.'),
  bech32_hrp: name()
    .nullable()
    .default(null)
    .describe('Prefix of bech32 addresses on this chain; null accepts the usual ones.'),
  coinbase_tag: z
    .string()
    .max(40)
    .meta({ expects: 'text of at most 40 characters' })
    .default('/PowerPool/')
    .describe('Text that every block found by the pool carries.'),
  coinbase_version: integer(1, 3)
    .nullable()
    .default(null)
    .describe('Version of the coinbase transaction; null is 2, or what the template demands.'),
  coinbase_outputs: list(coinbaseOutput)
    .default([])
    .describe(
      'Outputs the template demands, besides those the pool knows by itself (masternodes, superblocks, payee, founders, developer and miner funds).',
    ),
  payout_drk_mn: flag()
    .default(true)
    .describe('Whether a masternode named by the template is paid also while that is optional.'),
  pow_block_hash: flag()
    .default(false)
    .describe("Whether the block's id is its proof-of-work hash instead of double SHA-256."),
  max_blockheight: integer(0)
    .nullable()
    .default(null)
    .describe('Height from which on a switcher takes this chain for worthless; null for none.'),
});

export const auxChainSchema = z.strictObject({
  ...chainShape('DOGE'),
  enabled: flag().default(true).describe('Whether the chain is mined at all.'),
  pool_address: name()
    .nullable()
    .default(null)
    .describe(
      "Address that blocks pay to (createauxblock); null pays to the daemon's own wallet (getauxblock).",
    ),
  work_interval: interval().default(1).describe('Seconds between two questions for new work.'),
  flush: flag()
    .default(false)
    .describe('Whether a new block of this chain makes miners drop the jobs they have.'),
  send: flag().default(true).describe('Whether found blocks are reported.'),
  stale_after: interval()
    .default(120)
    .describe('Seconds without an answer of any daemon after which the work is left out of jobs.'),
  chain_id: integer(0, 0xffff_ffff)
    .nullable()
    .default(null)
    .describe("Merge-mining chain id; null takes the daemon's word."),
});

export const switcherSchema = z.strictObject({
  ...commonShape,
  jobmanagers: list(reference())
    .min(1)
    .meta({ expects: 'a list of at least one main chain' })
    .meta({ description: 'Keys of the main chains to choose from.', example: ['LTC'] }),
  profit_poll_int: interval()
    .default(1)
    .describe('Seconds between two looks at the scores in Redis.'),
  margin_switch: z
    .preprocess(
      (value) => (value === false || value === 0 ? null : value),
      z.number().positive().nullable(),
    )
    .meta({ expects: 'a number greater than 0, or null' })
    .default(1.2)
    .describe(
      'Factor by which another chain must be better to switch at once; null waits for the next job.',
    ),
  redis: redisConnection()
    .prefault({})
    .describe('Where the scores <CURRENCY>_profit and <CURRENCY>_ratio are.'),
  exchange_manager: mapOf(z.unknown())
    .default({})
    .describe('Settings of a price source of your own; the built-in one has none.'),
});

export type MainChainSettings = Frozen<z.output<typeof mainChainSchema>>;
export type AuxChainSettings = Frozen<z.output<typeof auxChainSchema>>;
export type SwitcherSettings = Frozen<z.output<typeof switcherSchema>>;
export type CoinbaseOutputSettings = Frozen<z.output<typeof coinbaseOutput>>;
