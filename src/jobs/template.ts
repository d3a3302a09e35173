/**
 * The daemon's answer to getblocktemplate as typed, validated values (BIP22, BIP23, BIP145). Nothing
 * of a transaction is re-serialised or re-hashed. What the coin room reads as data (outputs demanded,
 * payloads, votes) stays in `rest`. Not here: what is made of a template (builder.ts). Entry point:
 * parseTemplate.
 */
import { fromHex, reversed } from '../coin/bytes.ts';
import { compactFromHex, targetFromBits, targetToLE } from '../coin/target.ts';
import { messageOf } from '../errors.ts';
import { TemplateError } from './template-error.ts';
import { scanTemplate } from './template-scan.ts';
import { transactionsFromParsed } from './template-transactions.ts';
import type { TemplateTransactions } from './template-transactions.ts';

export type TemplateFields = Readonly<Record<string, unknown>>;

export interface Template {
  readonly transactions: TemplateTransactions;
  /** Unsigned 32 bits, as in the header. */
  readonly version: number;
  readonly prevHashHexBE: string;
  readonly prevHashLE: Uint8Array;
  /** Smallest unit, fees included. */
  readonly coinbaseValue: bigint;
  readonly bits: number;
  /** As the daemon writes it. */
  readonly bitsHex: string;
  /** Of `bits`, which is what consensus looks at. */
  readonly target: bigint;
  readonly targetLE: Uint8Array;
  readonly height: number;
  /** Unix seconds. */
  readonly curTime: number;
  readonly minTime: number;
  /** The daemon's own upper limit of the header time (BIP23); undefined where it gives none. */
  readonly maxTime: number | undefined;
  /** Version bits that have to stay set (BIP9). */
  readonly versionRequired: number;
  readonly longPollId: string | undefined;
  readonly workId: string | undefined;
  /** Whole scriptPubKey of the commitment output (BIP145); undefined where the chain has no segwit. */
  readonly witnessCommitment: Uint8Array | undefined;
  /** Bytes of coinbaseaux.flags. */
  readonly flags: Uint8Array;
  readonly sizeLimit: number | undefined;
  readonly weightLimit: number | undefined;
  readonly sigopLimit: number | undefined;
  /** Hex of the extension block (Litecoin), undefined where there is none. */
  readonly mwebHex: string | undefined;
  /** Σ of the transactions' fees; undefined where the daemon does not give every fee. */
  readonly fees: bigint | undefined;
  /** The whole template but its transactions. */
  readonly rest: TemplateFields;
}

/** Rules of which a template may say that a miner has to understand them ('!name') and which we do. */
const KNOWN_RULES: ReadonlySet<string> = new Set(['csv', 'segwit', 'taproot', 'mweb']);
/** A signet whose challenge is OP_TRUE needs no signature in its blocks (BIP325). */
const OPEN_SIGNET_CHALLENGE = '51';
const UINT32_MAX = 0xffffffff;

/**
 * Reads the daemon's whole JSON-RPC reply, or a template alone. Throws TemplateError, which names the
 * field, what was seen and what was expected. The template keeps a reference to `body`. `rules` are
 * mandatory rules beyond the known ones that the settings say are no trouble on this chain.
 */
export function parseTemplate(body: Buffer, rules: readonly string[] = []): Template {
  const scanned = scanTemplate(body);
  const answer = scanned?.rest ?? parseWhole(body);
  const rest = resultOf(answer);
  const transactions = scanned?.transactions ?? transactionsFromParsed(rest['transactions']);
  checkRules(rest, rules);
  const bitsHex = text(rest, 'bits', /^[0-9a-f]{8}$/i, '8 hex digits');
  const bits = compactFromHex(bitsHex);
  const target = targetOf(bits, bitsHex);
  const prevHashHexBE = text(rest, 'previousblockhash', /^[0-9a-f]{64}$/i, '64 hex digits');
  const curTime = whole(rest, 'curtime', UINT32_MAX);
  return {
    transactions,
    version: versionOf(rest),
    prevHashHexBE: prevHashHexBE.toLowerCase(),
    prevHashLE: reversed(fromHex(prevHashHexBE)),
    coinbaseValue: BigInt(whole(rest, 'coinbasevalue', Number.MAX_SAFE_INTEGER)),
    bits,
    bitsHex,
    target,
    targetLE: targetToLE(target),
    height: whole(rest, 'height', 0x7fffffff),
    curTime,
    minTime: optionalWhole(rest, 'mintime', UINT32_MAX) ?? curTime,
    maxTime: optionalWhole(rest, 'maxtime', Number.MAX_SAFE_INTEGER),
    versionRequired: (optionalWhole(rest, 'vbrequired', UINT32_MAX) ?? 0) >>> 0,
    longPollId: optionalText(rest, 'longpollid'),
    workId: optionalText(rest, 'workid'),
    witnessCommitment: segwitIsActive(rest)
      ? optionalHex(rest, 'default_witness_commitment')
      : undefined,
    flags: flagsOf(rest),
    sizeLimit: optionalWhole(rest, 'sizelimit', Number.MAX_SAFE_INTEGER),
    weightLimit: optionalWhole(rest, 'weightlimit', Number.MAX_SAFE_INTEGER),
    sigopLimit: optionalWhole(rest, 'sigoplimit', Number.MAX_SAFE_INTEGER),
    mwebHex: mwebOf(rest),
    fees: feesOf(transactions),
    rest,
  };
}

/**
 * A daemon that lists its active rules (BIP9) names segwit there as soon as it is active; bcoin gives a
 * commitment before that too, and refuses the block that carries it (unexpected-witness).
 */
function segwitIsActive(rest: TemplateFields): boolean {
  const rules = rest['rules'];
  return !Array.isArray(rules) || rules.some((rule) => rule === 'segwit' || rule === '!segwit');
}

function parseWhole(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch (error) {
    throw new TemplateError(
      'TEMPLATE_JSON',
      `the answer to getblocktemplate (${body.length} bytes) is not JSON: ${messageOf(error)}; it is not used`,
      { cause: error },
    );
  }
}

function isFields(value: unknown): value is TemplateFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function resultOf(answer: unknown): TemplateFields {
  const result = isFields(answer) && 'result' in answer ? answer['result'] : answer;
  if (isFields(result)) return result;
  throw TemplateError.field('result', result, 'an object');
}

function checkRules(rest: TemplateFields, configured: readonly string[]): void {
  const rules = rest['rules'] ?? [];
  if (!Array.isArray(rules)) throw TemplateError.field('rules', rules, 'a list of names');
  for (const rule of rules as readonly unknown[]) {
    if (typeof rule !== 'string') throw TemplateError.field('rules', rules, 'a list of names');
    if (!rule.startsWith('!') || KNOWN_RULES.has(rule.slice(1))) continue;
    if (configured.includes(rule.slice(1))) continue;
    if (rule === '!signet' && rest['signet_challenge'] === OPEN_SIGNET_CHALLENGE) continue;
    const known = [...KNOWN_RULES].join(', ');
    throw TemplateError.field('rules', rule, `of mandatory rules only these: ${known}`);
  }
}

function versionOf(rest: TemplateFields): number {
  const value = rest['version'];
  const fits = typeof value === 'number' && Number.isInteger(value);
  if (fits && value >= -0x80000000 && value <= UINT32_MAX) return value >>> 0;
  throw TemplateError.field('version', value, 'a whole number of 32 bits');
}

function targetOf(bits: number, bitsHex: string): bigint {
  try {
    return targetFromBits(bits);
  } catch (error) {
    throw new TemplateError(
      'TEMPLATE_FIELD',
      `template field bits is ${bitsHex}, expected a compact target; the template is not used`,
      { cause: error },
    );
  }
}

function flagsOf(rest: TemplateFields): Uint8Array {
  const aux = rest['coinbaseaux'];
  if (aux === undefined || aux === null) return new Uint8Array(0);
  if (!isFields(aux)) throw TemplateError.field('coinbaseaux', aux, 'an object');
  return optionalHex(aux, 'flags') ?? new Uint8Array(0);
}

function mwebOf(rest: TemplateFields): string | undefined {
  const value = rest['mweb'];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string' && value.length % 2 === 0 && /^[0-9a-f]+$/i.test(value))
    return value;
  throw TemplateError.field('mweb', value, 'hex');
}

function feesOf(transactions: TemplateTransactions): bigint | undefined {
  if (!transactions.feesKnown) return undefined;
  let sum = 0;
  for (const fee of transactions.fees) sum += fee;
  if (Number.isSafeInteger(sum)) return BigInt(sum);
  throw TemplateError.field('transactions[].fee', sum, 'a sum below 2^53');
}

function text(fields: TemplateFields, name: string, shape: RegExp, expected: string): string {
  const value = fields[name];
  if (typeof value === 'string' && shape.test(value)) return value;
  throw TemplateError.field(name, value, expected);
}

function whole(fields: TemplateFields, name: string, max: number): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) {
    return value;
  }
  throw TemplateError.field(name, value, `a whole number from 0 to ${max}`);
}

function optionalWhole(fields: TemplateFields, name: string, max: number): number | undefined {
  const value = fields[name];
  return value === undefined || value === null ? undefined : whole(fields, name, max);
}

function optionalText(fields: TemplateFields, name: string): string | undefined {
  const value = fields[name];
  return value === undefined || value === null ? undefined : text(fields, name, /^/, 'a text');
}

/** Bytes of a hex field; undefined where it is missing or empty. */
function optionalHex(fields: TemplateFields, name: string): Uint8Array | undefined {
  const value = fields[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string' && value.length % 2 === 0 && /^[0-9a-f]+$/i.test(value)) {
    return fromHex(value);
  }
  throw TemplateError.field(name, value, 'hex');
}
