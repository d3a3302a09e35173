/** From a main chain's settings to what its jobs are built by: outputs, payee, limits of the header. */
import { DEFAULT_OUTPUT_RULES } from '../coin/outputs.ts';
import type { OutputRule } from '../coin/outputs.ts';
import type { CoinbaseOutputSettings, MainChainSettings } from '../config/schema/chains.ts';
import { merkleBranchOf } from '../pow/merkle.ts';
import type { PayTo } from './pool-script.ts';
import type { ChainRules } from './prepare.ts';

/** What the composition root joins to the settings. */
export interface ChainOptions {
  /** Key of the job manager. */
  readonly key: string;
  readonly settings: MainChainSettings;
  /** Canonical name of the proof-of-work algorithm. */
  readonly algorithm: string;
  /** The setting, or what the algorithm has. */
  readonly diff1: bigint;
  /** extranonce1 ‖ extranonce2, bytes. */
  readonly extranonceSize: number;
}

/** BIP68 and the rest need no more; a template with a payload makes it 3 (DIP4). */
const COINBASE_VERSION = 2;

export function chainRules(options: ChainOptions, payTo: PayTo): ChainRules {
  const { settings } = options;
  return {
    chain: options.key,
    currency: settings.currency,
    algorithm: options.algorithm,
    diff1: options.diff1,
    extranonceSize: options.extranonceSize,
    versionRolling: settings.version_rolling,
    ntimeAheadSeconds: settings.ntime_ahead,
    coinbaseTag: settings.coinbase_tag,
    coinbaseVersion: settings.coinbase_version ?? COINBASE_VERSION,
    poolScript: payTo.script,
    outputRules: {
      table: outputTable(settings.coinbase_outputs),
      payUnenforced: settings.payout_drk_mn,
      ...(payTo.rules === undefined ? {} : { addresses: payTo.rules }),
    },
    branchOf: merkleBranchOf,
  };
}

/** The known outputs and the configured ones, which replace a known one of the same field. */
function outputTable(configured: readonly CoinbaseOutputSettings[]): readonly OutputRule[] {
  const ours = configured.map((output): OutputRule => ({
    at: path(output.field),
    script: path(output.script_field),
    address: path(output.address_field),
    amount: path(output.amount_field),
    inCoinbaseValue: output.inside_value,
  }));
  const fields = new Set(configured.map((output) => output.field));
  return [...DEFAULT_OUTPUT_RULES.filter((rule) => !fields.has(rule.at.join('.'))), ...ours];
}

function path(field: string): readonly string[] {
  return field.split('.');
}
