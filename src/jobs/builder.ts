/**
 * A Job of prepared work: the coinbase with the job's own bytes in it, the notify line as it goes to
 * every miner, and what the control thread keeps to make a block of a solution. Entry points: makeJob,
 * blockHex.
 */
import { toHex, utf8 } from '../coin/bytes.ts';
import { assembleBlockHex } from '../coin/block.ts';
import type { BlockParts } from '../coin/block.ts';
import { buildCoinbase, coinbaseTransaction } from '../coin/coinbase.ts';
import type { Coinbase, CoinbaseSpec } from '../coin/coinbase.ts';
import { notifyPrevHash } from '../coin/header.ts';
import { heightPush, isPushOnly, pushData } from '../coin/script.ts';
import { difficultyFromTarget } from '../coin/target.ts';
import type { AuxTarget, Job, JobKind } from '../ports.ts';
import type { JobIdentity } from './identity.ts';
import { coinbaseParts } from './prepare.ts';
import type { ChainRules, PreparedWork } from './prepare.ts';
import type { Template } from './template.ts';

/** Where and why a job is made. */
export interface JobPlace {
  readonly identity: JobIdentity;
  readonly kind: JobKind;
  readonly clean: boolean;
  readonly tip: number;
  readonly bornAt: number;
  readonly aux: readonly AuxTarget[];
  /** fabe6d6d ‖ root ‖ size ‖ nonce; undefined without merge mining. */
  readonly auxTag: Uint8Array | undefined;
}

/** A job with what is needed to make its block. */
export interface JobWork {
  readonly job: Job;
  readonly prepared: PreparedWork;
  readonly coinbase: Coinbase;
}

/** BIP320: bits 13 to 28. */
const ROLLABLE = 0x1fffe000;
const MAX_SCRIPT_SIG = 100;
const UINT32_MAX = 0xffffffff;

/** Throws CoinError for a coinbase that no chain takes. */
export function makeJob(prepared: PreparedWork, rules: ChainRules, place: JobPlace): JobWork {
  const { template } = prepared;
  const coinbase = buildCoinbase(coinbaseSpec(prepared, rules, place));
  const versionMask = rollableBits(template, rules.versionRolling);
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
    version: (template.version & ~versionMask) >>> 0,
    prevHashLE: new Uint8Array(template.prevHashLE),
    bits: template.bits,
    ...timesOf(template, rules.ntimeAheadSeconds),
    versionMask,
    targetLE: new Uint8Array(template.targetLE),
    networkDifficulty: difficultyFromTarget(template.target, rules.diff1),
    aux: place.aux,
    bornAt: place.bornAt,
  };
  const line = notifyStart(body);
  const job: Job = {
    ...body,
    notify: utf8(`${line}false]}\n`),
    notifyClean: utf8(`${line}true]}\n`),
  };
  return { job, prepared, coinbase };
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

/**
 * The version bits that miners may roll. Bits that the template requires stay out of it. Where the
 * settings leave it open, only versions of BIP9 are rolled, and only if every bit of the mask that is
 * set belongs to a deployment: any other is part of a chain id (merge-mined chains carry it from bit
 * 16 up), and a block with another chain id is refused.
 */
export function rollableBits(template: Template, versionRolling: boolean | null): number {
  const allowed = (ROLLABLE & ~template.versionRequired) >>> 0;
  if (versionRolling !== null) return versionRolling ? allowed : 0;
  const isBip9 = template.version >>> 29 === 1;
  const unexplained = template.version & allowed & ~deploymentBits(template);
  return isBip9 && unexplained === 0 ? allowed : 0;
}

function deploymentBits(template: Template): number {
  const available = template.rest['vbavailable'];
  if (typeof available !== 'object' || available === null) return 0;
  let bits = 0;
  for (const bit of Object.values(available) as readonly unknown[]) {
    if (typeof bit === 'number' && bit >= 0 && bit < 29) bits |= 1 << bit;
  }
  return bits;
}

/** The scriptSig ends at 100 bytes: what is not needed for a valid block makes room, flags first. */
function coinbaseSpec(prepared: PreparedWork, rules: ChainRules, place: JobPlace): CoinbaseSpec {
  const { template } = prepared;
  const { unique } = place.identity;
  const aux = place.auxTag === undefined ? 0 : pushData(place.auxTag).length;
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
    ...(place.auxTag === undefined ? {} : { auxTag: place.auxTag }),
  };
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
