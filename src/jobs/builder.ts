/**
 * A Job of prepared work: the coinbase with the job's own bytes in it, the notify line as it goes to
 * every miner, and what the control thread keeps to make a block of a solution. Entry points: makeJob,
 * blockHex, scriptSigProblem.
 */
import { AUX_TAG_SIZE } from '../coin/auxpow.ts';
import { toHex, utf8 } from '../coin/bytes.ts';
import { assembleBlockHex } from '../coin/block.ts';
import type { BlockParts } from '../coin/block.ts';
import { buildCoinbase, coinbaseTransaction } from '../coin/coinbase.ts';
import type { Coinbase, CoinbaseSpec } from '../coin/coinbase.ts';
import { notifyPrevHash } from '../coin/header.ts';
import { heightPush, isPushOnly, pushData } from '../coin/script.ts';
import { difficultyFromTarget } from '../coin/target.ts';
import type { Job, JobKind } from '../ports.ts';
import type { MergedWork } from './aux-merge.ts';
import type { JobIdentity } from './identity.ts';
import { coinbaseParts } from './prepare.ts';
import type { ChainRules, PreparedWork } from './prepare.ts';
import type { Template } from './template.ts';
import { jobVersion } from './version.ts';

/** Where and why a job is made. */
export interface JobPlace {
  readonly identity: JobIdentity;
  readonly kind: JobKind;
  readonly clean: boolean;
  readonly tip: number;
  readonly bornAt: number;
  /** Undefined without merge mining. */
  readonly merged: MergedWork | undefined;
}

/** A job with what is needed to make its block, and the proofs for aux blocks. */
export interface JobWork {
  readonly job: Job;
  readonly prepared: PreparedWork;
  readonly merged: MergedWork | undefined;
  readonly coinbase: Coinbase;
}

const MAX_SCRIPT_SIG = 100;
const UINT32_MAX = 0xffffffff;

/** Throws CoinError for a coinbase that no chain takes. */
export function makeJob(prepared: PreparedWork, rules: ChainRules, place: JobPlace): JobWork {
  const { template } = prepared;
  const coinbase = buildCoinbase(coinbaseSpec(prepared, rules, place));
  const { merged } = place;
  const { version, mask } = jobVersion(template, rules.versionRolling, merged?.chainIds ?? []);
  const body = {
    id: place.identity.id,
    chain: rules.chain,
    currency: rules.currency,
    algorithm: rules.algorithm,
    kind: place.kind,
    clean: place.clean,
    tip: place.tip,
    height: template.height,
    // Copies: a view of a larger buffer would take all of it along to every listener thread.
    coinb1: new Uint8Array(coinbase.coinb1),
    coinb2: new Uint8Array(coinbase.coinb2),
    extranonceSize: rules.extranonceSize,
    branch: new Uint8Array(prepared.branch),
    version,
    prevHashLE: new Uint8Array(template.prevHashLE),
    bits: template.bits,
    ...timesOf(template, rules.ntimeAheadSeconds),
    versionMask: mask,
    targetLE: new Uint8Array(template.targetLE),
    networkDifficulty: difficultyFromTarget(template.target, rules.diff1),
    aux: merged?.targets ?? [],
    bornAt: place.bornAt,
  };
  const line = notifyStart(body);
  const job: Job = {
    ...body,
    notify: utf8(`${line}false]}\n`),
    notifyClean: utf8(`${line}true]}\n`),
  };
  return { job, prepared, merged, coinbase };
}

/** Everything of the mining.notify line up to clean_jobs. */
function notifyStart(job: Omit<Job, 'notify' | 'notifyClean'>): string {
  const branch: string[] = [];
  for (let at = 0; at < job.branch.length; at += 32) {
    branch.push(`"${toHex(job.branch.subarray(at, at + 32))}"`);
  }
  const texts = [job.id, notifyPrevHash(job.prevHashLE), toHex(job.coinb1), toHex(job.coinb2)];
  const words = [job.version, job.bits, job.time].map((word) => word.toString(16).padStart(8, '0'));
  return (
    `{"id":null,"method":"mining.notify","params":["${texts.join('","')}",` +
    `[${branch.join(',')}],"${words.join('","')}",`
  );
}

function timesOf(
  template: Template,
  aheadSeconds: number,
): { readonly time: number; readonly minTime: number; readonly maxTime: number } {
  const time = Math.max(template.curTime, template.minTime);
  const most = Math.min(time + aheadSeconds, template.maxTime ?? UINT32_MAX, UINT32_MAX);
  return { time, minTime: template.minTime, maxTime: Math.max(time, most) };
}

/** The scriptSig ends at 100 bytes: what is not needed for a valid block makes room, flags first. */
function coinbaseSpec(prepared: PreparedWork, rules: ChainRules, place: JobPlace): CoinbaseSpec {
  const { template } = prepared;
  const { unique } = place.identity;
  const auxTag = place.merged?.tree.tag;
  const aux = auxTag === undefined ? 0 : pushData(auxTag).length;
  const ours = 1 + unique.length + rules.extranonceSize;
  const room = MAX_SCRIPT_SIG - heightPush(template.height).length - aux - ours;
  const tag = cut(rules.coinbaseTag, room - 1);
  const tagLength = tag === '' ? 0 : pushData(utf8(tag)).length;
  const given = template.flags;
  const flags = isPushOnly(given) ? given.length : pushData(given).length;
  return {
    ...coinbaseParts(prepared, rules),
    flags: flags <= room - tagLength ? given : new Uint8Array(0),
    tag,
    unique,
    ...(auxTag === undefined ? {} : { auxTag }),
  };
}

/** Longest BIP34 height of this century: a push of four bytes. */
const HEIGHT_PUSH = 5;
/** Bytes of JobIdentity.unique. */
const UNIQUE = 10;

/**
 * Why no coinbase with these parts fits the 100 bytes of a scriptSig; undefined where it does. What the
 * template asks for besides (coinbaseaux.flags) goes in where there is room left.
 */
export function scriptSigProblem(parts: {
  readonly coinbaseTag: string;
  readonly extranonceSize: number;
  readonly merged: boolean;
}): string | undefined {
  const tag = utf8(parts.coinbaseTag);
  const sizes = {
    height: HEIGHT_PUSH,
    'merge-mining tag': parts.merged ? 1 + AUX_TAG_SIZE : 0,
    coinbase_tag: tag.length === 0 ? 0 : pushData(tag).length,
    'job identity': 1 + UNIQUE,
    extranonces: parts.extranonceSize,
  };
  const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  if (total <= MAX_SCRIPT_SIG) return undefined;
  const named = Object.entries(sizes).map(([name, size]) => `${name} ${size}`);
  return (
    `the coinbase script would have ${total} bytes (${named.join(', ')}), expected at most ` +
    `${MAX_SCRIPT_SIG}: shorten coinbase_tag by ${total - MAX_SCRIPT_SIG}`
  );
}

/** The start of a text that has at most so many bytes, no character broken in two. */
function cut(text: string, bytes: number): string {
  return new TextDecoder().decode(utf8(text).subarray(0, Math.max(0, bytes)), { stream: true });
}

/** The solved block as ASCII hex in parts; the transactions are slices of the daemon's answer. */
export function blockHex(
  work: JobWork,
  header: Uint8Array,
  extranonce: Uint8Array,
): readonly Uint8Array[] {
  const { prepared } = work;
  const { transactions, mwebHex } = prepared.template;
  const slices: Uint8Array[] = [];
  for (let index = 0; index < prepared.transactionCount; index += 1) {
    const [start, end] = [transactions.dataStart[index], transactions.dataEnd[index]];
    slices.push(transactions.text.subarray(start, end));
  }
  const parts: BlockParts = {
    headerHex: toHex(header),
    coinbaseHex: toHex(coinbaseTransaction(work.coinbase, extranonce, { witness: true })),
    transactionCount: prepared.transactionCount,
    transactionsHex: slices,
    ...(mwebHex === undefined ? {} : { mwebHex }),
    ...(prepared.votesHex === undefined ? {} : { votesHex: prepared.votesHex }),
  };
  return assembleBlockHex(parts);
}
