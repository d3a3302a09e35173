/**
 * The limits of a template (sizelimit, weightlimit, sigoplimit) with the coinbase and the header counted
 * in. A daemon leaves room for a coinbase of its own size, not for one with a hundred payees.
 */
import { HEADER_SIZE } from './header.ts';
import type { TransactionCost } from './transaction.ts';

/** A limit that the template does not state is not checked. */
export interface TemplateLimits {
  readonly sizeLimit?: number;
  /** Present exactly where segwit is active: then sigops of transactions are in units of cost (× 4). */
  readonly weightLimit?: number;
  readonly sigopLimit?: number;
}

/** One transaction as the template states it. */
export interface TemplateTransactionCost {
  readonly size: number;
  /** Absent in templates without segwit: four times the size. */
  readonly weight?: number;
  /** Absent or null in old daemons: taken as 0. */
  readonly sigops?: number;
}

export type LimitName = 'sizelimit' | 'weightlimit' | 'sigoplimit';

export interface Fit {
  /** How many transactions have to be left out, from the end of the list (before a pinned last one). */
  readonly leaveOut: number;
  /** The limit that the whole list breaks; undefined when it fits. */
  readonly broken: LimitName | undefined;
  /** False when the coinbase does not even fit with everything left out that may be. */
  readonly fits: boolean;
}

export interface FitOptions {
  /** The last transaction has to stay (Litecoin's HogEx); what goes are the ones before it. */
  readonly pinLast?: boolean;
}

const WITNESS_SCALE = 4;

/**
 * A template lists a transaction after the ones it spends, so the longest prefix that fits never lacks a
 * parent. Leaving out transactions changes the fees, the merkle branch and the witness commitment
 * (`witnessCommitmentScript`): the caller owes the coinbase the new ones.
 */
export function fit(
  transactions: readonly TemplateTransactionCost[],
  coinbase: TransactionCost,
  limits: TemplateLimits,
  options: FitOptions = {},
): Fit {
  const pinned = options.pinLast === true && transactions.length > 0 ? 1 : 0;
  const total = baseUse(transactions.length, coinbase, limits);
  for (const transaction of transactions) addUse(total, transaction, 1);
  const broken = firstBroken(total, limits);
  let leaveOut = 0;
  while (firstBroken(total, limits) !== undefined) {
    const next = transactions[transactions.length - 1 - pinned - leaveOut];
    if (next === undefined) return { leaveOut, broken, fits: false };
    addUse(total, next, -1);
    leaveOut += 1;
  }
  return { leaveOut, broken, fits: true };
}

interface Use {
  size: number;
  weight: number;
  sigops: number;
}

/** Header, transaction count and coinbase. The count's length is that of the whole list: at most 8 bytes too careful. */
function baseUse(count: number, coinbase: TransactionCost, limits: TemplateLimits): Use {
  const frame = HEADER_SIZE + countSize(count + 1);
  const scale = limits.weightLimit === undefined ? 1 : WITNESS_SCALE;
  return {
    size: frame + coinbase.size,
    weight: frame * WITNESS_SCALE + coinbase.weight,
    sigops: coinbase.sigops * scale,
  };
}

function countSize(count: number): number {
  if (count < 0xfd) return 1;
  return count <= 0xffff ? 3 : 5;
}

function addUse(use: Use, transaction: TemplateTransactionCost, sign: 1 | -1): void {
  use.size += sign * transaction.size;
  use.weight += sign * (transaction.weight ?? transaction.size * WITNESS_SCALE);
  use.sigops += sign * (transaction.sigops ?? 0);
}

function firstBroken(use: Use, limits: TemplateLimits): LimitName | undefined {
  if (limits.sizeLimit !== undefined && use.size > limits.sizeLimit) return 'sizelimit';
  if (limits.weightLimit !== undefined && use.weight > limits.weightLimit) return 'weightlimit';
  if (limits.sigopLimit !== undefined && use.sigops > limits.sigopLimit) return 'sigoplimit';
  return undefined;
}
