/**
 * What all jobs on one template share: which transactions, their merkle branch, the outputs, the
 * commitment. It is worked out once; a job adds a coinbase of its own (builder.ts). Entry points:
 * prepare, prepareEmpty, sameWork.
 */
import { equalBytes, fromHex, reversed } from '../coin/bytes.ts';
import { buildCoinbase, coinbaseCost } from '../coin/coinbase.ts';
import type { CoinbaseSpec } from '../coin/coinbase.ts';
import { fit } from '../coin/limits.ts';
import type { TemplateLimits, TemplateTransactionCost } from '../coin/limits.ts';
import { witnessCommitmentScript } from '../coin/merkle.ts';
import { demandedOutputs, demandedVotes } from '../coin/outputs.ts';
import type { DemandedOutputs, OutputRules } from '../coin/outputs.ts';
import type { TxOutput } from '../coin/transaction.ts';
import { TemplateError } from './template-error.ts';
import type { Template, TemplateFields } from './template.ts';
import type { TemplateTransactions } from './template-transactions.ts';

/** What the settings say of a chain, the same for all its jobs. */
export interface ChainRules {
  /** Key of the job manager. */
  readonly chain: string;
  readonly currency: string;
  readonly algorithm: string;
  readonly diff1: bigint;
  /** extranonce1 ‖ extranonce2, bytes. */
  readonly extranonceSize: number;
  /** null: as far as the template's version allows it (builder.ts, rollableBits). */
  readonly versionRolling: boolean | null;
  readonly ntimeAheadSeconds: number;
  readonly coinbaseTag: string;
  readonly coinbaseVersion: number;
  readonly poolScript: Uint8Array;
  readonly outputRules: OutputRules;
  /** Merkle branch of the coinbase over `count` transaction ids of 32 bytes each. */
  readonly branchOf: (txidsLE: Uint8Array, count: number) => Uint8Array;
}

/** Everything of a job but its identity, its aux work and its place in time. */
export interface PreparedWork {
  readonly template: Template;
  /** The first so many of the template's transactions are in the block. */
  readonly transactionCount: number;
  readonly branch: Uint8Array;
  readonly outputs: readonly TxOutput[];
  readonly payload: Uint8Array | undefined;
  readonly witnessCommitment: Uint8Array | undefined;
  readonly votesHex: readonly string[] | undefined;
  /** What the block creates for its miner, fees included, and the fees; smallest unit. */
  readonly value: bigint;
  readonly fees: bigint | null;
}

const MAX_SCRIPT_SIG = 100;
const NO_BYTES = new Uint8Array(0);

/** Throws TemplateError or CoinError where no valid block can be made of the template. */
export function prepare(template: Template, rules: ChainRules): PreparedWork {
  const demanded = demandedOutputs(template.rest, rules.outputRules);
  const { transactions } = template;
  checkCommitment(template);
  const whole: PreparedWork = {
    template,
    transactionCount: transactions.count,
    branch: NO_BYTES,
    outputs: outputsOf(template.coinbaseValue, demanded, rules),
    payload: demanded.payload,
    witnessCommitment: template.witnessCommitment,
    votesHex: demandedVotes(template.rest),
    value: template.coinbaseValue,
    fees: template.fees ?? null,
  };
  const leaveOut = excess(whole, rules);
  const fitting = leaveOut === 0 ? whole : shorten(whole, leaveOut, demanded, rules);
  return { ...fitting, branch: rules.branchOf(transactions.txidsLE, fitting.transactionCount) };
}

/**
 * The same block without transactions: the value is coinbasevalue less all fees. Undefined where that
 * is not known to be a valid block: fees unknown, an extension block, a payload or an output that may
 * depend on the transactions.
 */
export function prepareEmpty(template: Template, rules: ChainRules): PreparedWork | undefined {
  const demanded = demandedOutputs(template.rest, rules.outputRules);
  if (template.fees === undefined || dependsOnTransactions(template, demanded)) return undefined;
  const value = template.coinbaseValue - template.fees;
  if (value < 0n) return undefined;
  return {
    template,
    transactionCount: 0,
    branch: NO_BYTES,
    outputs: outputsOf(value, demanded, rules),
    payload: undefined,
    witnessCommitment: undefined,
    votesHex: demandedVotes(template.rest),
    value,
    fees: 0n,
  };
}

/** Masternode payments are reckoned on the fees, a payload commits to special transactions. */
function dependsOnTransactions(template: Template, demanded: DemandedOutputs): boolean {
  const { mwebHex } = template;
  return mwebHex !== undefined || demanded.payload !== undefined || demanded.outputs.length > 0;
}

function outputsOf(
  value: bigint,
  demanded: DemandedOutputs,
  rules: ChainRules,
): readonly TxOutput[] {
  return [...demanded.outputs, { value: value - demanded.paid, script: rules.poolScript }];
}

/** A block with witnesses and no commitment is refused (unexpected-witness). */
function checkCommitment(template: Template): void {
  if (template.witnessCommitment !== undefined) return;
  const { transactions } = template;
  for (let index = 0; index < transactions.count; index += 1) {
    const txidLE = transactions.txidsLE.subarray(index * 32, index * 32 + 32);
    if (equalBytes(txidLE, wtxidLE(transactions, index))) continue;
    const expected = `a script, as transactions[${index}] has a witness`;
    throw TemplateError.field('default_witness_commitment', undefined, expected);
  }
}

function wtxidLE(transactions: TemplateTransactions, index: number): Uint8Array {
  const start = transactions.hashStart[index]!;
  const hex = transactions.text.toString('latin1', start, start + 64);
  if (!/^[0-9a-f]{64}$/i.test(hex)) {
    throw TemplateError.field(`transactions[${index}].hash`, hex, '64 hex digits');
  }
  return reversed(fromHex(hex));
}

/** How many transactions at the end break a limit, the coinbase counted in. */
function excess(work: PreparedWork, rules: ChainRules): number {
  const { template } = work;
  const { transactions, sizeLimit, weightLimit, sigopLimit } = template;
  const limits: TemplateLimits = {
    ...(sizeLimit === undefined ? {} : { sizeLimit }),
    ...(weightLimit === undefined ? {} : { weightLimit }),
    ...(sigopLimit === undefined ? {} : { sigopLimit }),
  };
  const costs: TemplateTransactionCost[] = [];
  for (let index = 0; index < transactions.count; index += 1) {
    const size = (transactions.dataEnd[index]! - transactions.dataStart[index]!) / 2;
    const weight = transactions.weights[index]!;
    const sigops = Math.max(0, transactions.sigops[index]!);
    costs.push(weight < 0 ? { size, sigops } : { size, sigops, weight });
  }
  const found = fit(costs, largestCoinbase(work, rules), limits);
  if (found.fits) return found.leaveOut;
  throw new TemplateError(
    'TEMPLATE_LIMITS',
    `the coinbase alone breaks the template's ${found.broken ?? 'limits'}; the template is not used`,
  );
}

/** Cost of the largest coinbase a job on this template may have: its scriptSig is as long as allowed. */
function largestCoinbase(work: PreparedWork, rules: ChainRules): ReturnType<typeof coinbaseCost> {
  const coinbase = buildCoinbase({
    ...coinbaseParts(work, rules),
    flags: NO_BYTES,
    tag: '',
    unique: NO_BYTES,
  });
  const cost = coinbaseCost(coinbase);
  const more = MAX_SCRIPT_SIG - coinbase.scriptSigSize;
  return {
    ...cost,
    size: cost.size + more,
    strippedSize: cost.strippedSize + more,
    weight: cost.weight + 4 * more,
  };
}

/** The part of a coinbase that all jobs on this work share. */
export function coinbaseParts(
  work: PreparedWork,
  rules: ChainRules,
): Omit<CoinbaseSpec, 'flags' | 'tag' | 'unique' | 'auxTag'> {
  const { payload, witnessCommitment } = work;
  return {
    version: rules.coinbaseVersion,
    height: work.template.height,
    extranonceSize: rules.extranonceSize,
    outputs: work.outputs,
    ...(witnessCommitment === undefined ? {} : { witnessCommitment }),
    ...(payload === undefined ? {} : { payload }),
  };
}

/** The work without its last transactions, value and commitment corrected. */
function shorten(
  work: PreparedWork,
  leaveOut: number,
  demanded: DemandedOutputs,
  rules: ChainRules,
): PreparedWork {
  const { template, fees } = work;
  const { transactions } = template;
  if (fees === null || dependsOnTransactions(template, demanded)) {
    throw new TemplateError(
      'TEMPLATE_LIMITS',
      `with the pool's coinbase ${leaveOut} of the template's ${transactions.count} transactions are ` +
        `over its limits, and they cannot be left out here (fees unknown, or other parts of the block ` +
        `depend on them); the template is not used`,
    );
  }
  const transactionCount = transactions.count - leaveOut;
  let less = 0n;
  for (const fee of transactions.fees.subarray(transactionCount)) less += BigInt(fee);
  const value = work.value - less;
  const kept = Array.from({ length: transactionCount }, (_, index) => wtxidLE(transactions, index));
  const commits = work.witnessCommitment !== undefined;
  return {
    ...work,
    transactionCount,
    value,
    fees: fees - less,
    outputs: outputsOf(value, demanded, rules),
    witnessCommitment: commits ? witnessCommitmentScript(kept) : undefined,
  };
}

/** Members of a template that change though the work does not. */
const PASSING: ReadonlySet<string> = new Set([
  'curtime',
  'mintime',
  'maxtime',
  'expires',
  'longpollid',
  'transactions',
]);

/** Whether a miner would gain nothing from a job on `b` who has one on `a`: all but the time is equal. */
export function sameWork(a: Template, b: Template): boolean {
  return (
    a.prevHashHexBE === b.prevHashHexBE &&
    equalBytes(a.transactions.txidsLE, b.transactions.txidsLE) &&
    sameFields(a.rest, b.rest)
  );
}

function sameFields(a: TemplateFields, b: TemplateFields): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const name of names) {
    if (PASSING.has(name)) continue;
    const [mine, other] = [a[name], b[name]];
    if (mine === other) continue;
    if (JSON.stringify(mine) !== JSON.stringify(other)) return false;
  }
  return true;
}
