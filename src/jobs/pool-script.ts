/**
 * Where blocks pay to: the script of `pool_address`, and whether that address belongs to the network
 * the daemon is on. A pool that mines to an address of another network has mined for nobody. Entry
 * point: PayTo.
 */
import { addressToScript, decodeAddress, describeAddress } from '../coin/address.ts';
import { NETWORKS } from '../coin/networks.ts';
import type { AddressRules } from '../coin/networks.ts';
import { messageOf } from '../errors.ts';
import { TemplateError } from './template-error.ts';

export interface PayToOptions {
  /** Key of the job manager, for messages. */
  readonly chain: string;
  readonly poolAddress: string;
  /** Empty lists: the well-known chains' versions. */
  readonly versions: { readonly p2pkh: readonly number[]; readonly p2sh: readonly number[] };
  readonly bech32Hrp: string | null;
  /** Network the settings demand: main, test, signet or regtest. */
  readonly network: string | null;
}

export class PayTo {
  readonly script: Uint8Array;
  /** What addresses of this chain look like; undefined where the settings do not say. */
  readonly rules: AddressRules | undefined;
  readonly #options: PayToOptions;

  /** Throws TemplateError where the address is none, or none of the configured versions. */
  constructor(options: PayToOptions) {
    this.#options = options;
    this.rules = configured(options);
    try {
      this.script = addressToScript(options.poolAddress, this.rules);
    } catch (error) {
      throw new TemplateError(
        'POOL_ADDRESS',
        `${options.chain}: pool_address cannot be paid to: ${messageOf(error)}; nothing is mined`,
        { cause: error },
      );
    }
  }

  /**
   * Why no block may be mined for a daemon on this network (`chain` of getblockchaininfo), or
   * undefined. A network or an address version that nobody has heard of is taken on trust.
   */
  whyNotOn(network: string): string | undefined {
    const { chain, poolAddress } = this.#options;
    const wanted = this.#options.network;
    if (wanted !== null && family(wanted) !== family(network)) {
      return `${chain}: the daemon is on network ${network}, expected ${wanted} (setting network)`;
    }
    if (this.rules !== undefined) return undefined;
    const homes = networksOf(poolAddress);
    const isKnown = ['main', 'test', 'regtest'].includes(family(network));
    if (!isKnown || homes.size === 0 || homes.has(family(network))) return undefined;
    return (
      `${chain}: pool_address ${poolAddress} is ${describeAddress(poolAddress)}, ` +
      `and the daemon is on network ${network}: it would not be paid there`
    );
  }
}

function configured(options: PayToOptions): AddressRules | undefined {
  const { versions, bech32Hrp } = options;
  if (versions.p2pkh.length + versions.p2sh.length === 0 && bech32Hrp === null) return undefined;
  return { ...versions, hrps: bech32Hrp === null ? [] : [bech32Hrp] };
}

/** Test networks share one address format: testnet3, testnet4 and signet are 'test'. */
function family(network: string): string {
  return /^(?:test|signet)/.test(network) ? 'test' : network;
}

/** Networks of the well-known chains on which this is an address. */
function networksOf(address: string): ReadonlySet<string> {
  const homes = new Set<string>();
  for (const networks of Object.values(NETWORKS)) {
    for (const [network, rules] of Object.entries<AddressRules>(networks)) {
      if (decodeAddress(address, rules) !== undefined) homes.add(network);
    }
  }
  return homes;
}
