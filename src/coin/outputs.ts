/**
 * Outputs that a template demands besides the pool's own: masternodes, superblocks, founders, developers,
 * miner funds. All of it is data (OutputRule), nothing is written for one coin. Entry points:
 * `demandedOutputs`, `demandedVotes`. The rest of coinbasevalue is the pool's, behind these outputs.
 */
import { addressToScript, decodeAddress } from './address.ts';
import { fromHex } from './bytes.ts';
import { CoinError } from './errors.ts';
import type { AddressRules } from './networks.ts';
import type { TxOutput } from './transaction.ts';

/** Where in a template a demanded output stands. Paths are field names from the outside in. */
export interface OutputRule {
  /** The object, or list of objects, that describes the output; empty: the template itself. */
  readonly at: readonly string[];
  /** Script in hex, inside that object: used rather than an address. */
  readonly script?: readonly string[];
  /** Address, or list of addresses of which the first is paid; also taken if it is a script in hex. */
  readonly address?: readonly string[];
  /** Smallest unit. */
  readonly amount: readonly string[];
  /** Share of coinbasevalue where the amount is absent. */
  readonly amountPercent?: number;
  /** Whether coinbasevalue contains it, so that it is taken out of the pool's part. */
  readonly inCoinbaseValue: boolean;
  /** Field of the template which, if false, says that these payments have not begun. */
  readonly started?: string;
  /**
   * Fields of the template of which one is true where blocks without the payment are refused. Present:
   * with `payUnenforced` false the payment is made only then.
   */
  readonly enforced?: readonly string[];
  /** Only where no rule before this one demanded an output (two spellings of one payment). */
  readonly onlyFirst?: boolean;
}

export interface OutputRules {
  /** In the order of the outputs; default DEFAULT_OUTPUT_RULES. */
  readonly table?: readonly OutputRule[];
  /** `payout_drk_mn`: masternodes are paid where the chain does not enforce it yet. Default true. */
  readonly payUnenforced?: boolean;
  /** To turn addresses into scripts where a template gives no script. */
  readonly addresses?: AddressRules;
}

export interface DemandedOutputs {
  readonly outputs: readonly TxOutput[];
  /** Sum of the outputs that coinbasevalue contains. */
  readonly paid: bigint;
  /** DIP4 coinbase_payload. */
  readonly payload?: Uint8Array;
}

type Json = Readonly<Record<string, unknown>>;

/** A node payment as Dash writes it; `name` is what a fork calls its masternodes. */
function nodeRule(name: string, inCoinbaseValue: boolean): OutputRule {
  return {
    at: [name],
    script: ['script'],
    address: ['payee'],
    amount: ['amount'],
    inCoinbaseValue,
    started: `${name}_payments_started`,
    enforced: [`${name}_payments_enforced`],
  };
}

/** Shapes seen in the field, each with a chain that has it. */
export const DEFAULT_OUTPUT_RULES: readonly OutputRule[] = [
  // Dash since 0.12.1 (object, then list); Raptoreum; Ion's forks.
  nodeRule('masternode', true),
  nodeRule('smartnode', true),
  nodeRule('indexnode', true),
  // Firo: its coinbasevalue is the miner's output alone.
  nodeRule('znode', false),
  // Darkcoin and Dash up to 0.12.0.
  {
    at: [],
    address: ['payee'],
    amount: ['payee_amount'],
    amountPercent: 20,
    inCoinbaseValue: true,
    enforced: ['enforce_masternode_payments', 'masternode_payments_enforced'],
    onlyFirst: true,
  },
  // Dash governance.
  {
    at: ['superblock'],
    script: ['script'],
    address: ['payee'],
    amount: ['amount'],
    inCoinbaseValue: true,
  },
  // Raptoreum, Pigeoncoin.
  {
    at: ['founder'],
    script: ['script'],
    address: ['payee'],
    amount: ['amount'],
    inCoinbaseValue: true,
    started: 'founder_payments_started',
  },
  // Infinex and its relatives.
  { at: ['founderreward'], address: ['founderpayee'], amount: ['amount'], inCoinbaseValue: true },
  // eCash: the fund's minimum and the staking reward, both inside coinbasevalue.
  {
    at: ['coinbasetxn', 'minerfund'],
    address: ['addresses'],
    amount: ['minimumvalue'],
    inCoinbaseValue: true,
  },
  { at: ['minerfund'], address: ['addresses'], amount: ['minimumvalue'], inCoinbaseValue: true },
  {
    at: ['coinbasetxn', 'stakingrewards'],
    script: ['payoutscript', 'hex'],
    amount: ['minimumvalue'],
    inCoinbaseValue: true,
  },
  // Freecash, Kylacoin, Lyncoin: on top of coinbasevalue.
  {
    at: ['coinbasedevreward'],
    script: ['scriptpubkey'],
    address: ['address'],
    amount: ['value'],
    inCoinbaseValue: false,
  },
  // Community funds of Ravencoin's forks: on top of coinbasevalue.
  {
    at: [],
    address: ['CommunityAutonomousAddress'],
    amount: ['CommunityAutonomousValue'],
    inCoinbaseValue: false,
  },
];

/**
 * Throws CoinError, naming the field, where a demand cannot be met: an amount that is no whole number, a
 * payee that is no address or script, more demanded than there is.
 */
export function demandedOutputs(template: Json, rules: OutputRules = {}): DemandedOutputs {
  const outputs: TxOutput[] = [];
  let paid = 0n;
  for (const rule of rules.table ?? DEFAULT_OUTPUT_RULES) {
    if (rule.onlyFirst === true && outputs.length > 0) continue;
    if (!isDemanded(template, rule, rules.payUnenforced ?? true)) continue;
    for (const entry of entriesAt(template, rule)) {
      const output = readOutput(entry, rule, template, rules.addresses);
      if (output === undefined) continue;
      outputs.push(output);
      if (rule.inCoinbaseValue) paid += output.value;
    }
  }
  const coinbaseValue = amountOf(template['coinbasevalue'], 'coinbasevalue');
  if (coinbaseValue !== undefined && paid > coinbaseValue) {
    throw new CoinError(
      'OUTPUTS',
      `template demands ${paid} of a coinbasevalue of ${coinbaseValue}`,
    );
  }
  const payload = template['coinbase_payload'];
  return typeof payload === 'string' && payload !== ''
    ? { outputs, paid, payload: fromHex(payload) }
    : { outputs, paid };
}

/**
 * Masternode votes of Darkcoin's templates, hex, for the tail of the block; undefined where the block has
 * no such tail. A daemon that no longer reads them ignores what follows the last transaction.
 */
export function demandedVotes(template: Json): readonly string[] | undefined {
  const votes = template['votes'];
  if (!('masternode_payments' in template) || !Array.isArray(votes)) return undefined;
  return votes.map((vote: unknown) => {
    if (typeof vote !== 'string') {
      throw new CoinError('OUTPUTS', `template field votes holds ${typeof vote}, expected hex`);
    }
    fromHex(vote);
    return vote;
  });
}

function isDemanded(template: Json, rule: OutputRule, payUnenforced: boolean): boolean {
  if (rule.started !== undefined && template[rule.started] === false) return false;
  if (rule.enforced === undefined || payUnenforced) return true;
  return rule.enforced.some((field) => template[field] === true);
}

function entriesAt(template: Json, rule: OutputRule): readonly Json[] {
  const found = follow(template, rule.at);
  const list: readonly unknown[] = Array.isArray(found) ? found : [found];
  return list.filter(isObject);
}

/** Undefined where nothing is due: no payee named, or an amount of zero. */
function readOutput(
  entry: Json,
  rule: OutputRule,
  template: Json,
  addresses: AddressRules | undefined,
): TxOutput | undefined {
  const where = [...rule.at, ...rule.amount].join('.');
  const payee = payeeOf(entry, rule);
  const value = amountOf(follow(entry, rule.amount), where) ?? shareOf(template, rule);
  if (value === undefined || value === 0n) return undefined;
  if (payee === undefined) {
    // A lone amount among the template's own fields names nobody; an object with one does.
    if (rule.at.length === 0) return undefined;
    throw new CoinError('OUTPUTS', `template field ${where} demands ${value} and names no payee`);
  }
  return {
    value,
    script: payee.hex ? fromHex(payee.text) : addressScript(payee.text, where, addresses),
  };
}

function payeeOf(
  entry: Json,
  rule: OutputRule,
): { readonly text: string; readonly hex: boolean } | undefined {
  const script = rule.script === undefined ? undefined : follow(entry, rule.script);
  if (typeof script === 'string' && script !== '') return { text: script, hex: true };
  const named = rule.address === undefined ? undefined : follow(entry, rule.address);
  const address: unknown = Array.isArray(named) ? named[0] : named;
  return typeof address === 'string' && address !== '' ? { text: address, hex: false } : undefined;
}

/** Early Darkcoin names its payee by script. */
function addressScript(
  text: string,
  where: string,
  addresses: AddressRules | undefined,
): Uint8Array {
  const isScript = decodeAddress(text) === undefined && /^(?:[0-9a-f]{2}){4,}$/i.test(text);
  if (isScript) return fromHex(text);
  try {
    // A template's own payee may have a form that the pool's configured rules do not list.
    const known = addresses !== undefined && decodeAddress(text, addresses) !== undefined;
    return addressToScript(text, known ? addresses : undefined);
  } catch (cause) {
    throw new CoinError('OUTPUTS', `template field ${where}: its payee cannot be paid`, { cause });
  }
}

function shareOf(template: Json, rule: OutputRule): bigint | undefined {
  if (rule.amountPercent === undefined) return undefined;
  const value = amountOf(template['coinbasevalue'], 'coinbasevalue');
  return value === undefined ? undefined : (value * BigInt(rule.amountPercent)) / 100n;
}

function amountOf(value: unknown, where: string): bigint | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'bigint' && value >= 0n) return value;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  throw new CoinError(
    'OUTPUTS',
    `template field ${where} is ${typeof value === 'number' ? value : typeof value}, ` +
      `expected a whole number of the smallest unit`,
  );
}

function follow(from: unknown, path: readonly string[]): unknown {
  let value = from;
  for (const field of path) value = isObject(value) ? value[field] : undefined;
  return value;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
