/**
 * The version of a job's header and the bits of it that miners may roll (BIP310, BIP320). Two rules
 * limit them: bits that a chain id stands in are left alone, and no version may carry the id of a chain
 * that is merge-mined with it. Entry points: jobVersion, rollableBits.
 */
import type { Template } from './template.ts';

export interface JobVersion {
  /** As in the header, no bit of the mask set. */
  readonly version: number;
  readonly mask: number;
  /** Ids that some version carries whatever is done: those chains would refuse the proof. */
  readonly clashes: readonly number[];
}

/** BIP320: bits 13 to 28. */
const ROLLABLE = 0x1fffe000;
/** A chain id stands in the bits from here up. */
const CHAIN_ID_BIT = 16;

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

/**
 * Version and mask of a job that commits to blocks of chains with these ids. For each id that a rolled
 * version could carry, one bit is taken out of the mask and fixed so that it differs.
 */
export function jobVersion(
  template: Template,
  versionRolling: boolean | null,
  chainIds: readonly number[],
): JobVersion {
  let mask = rollableBits(template, versionRolling);
  let version = (template.version & ~mask) >>> 0;
  const clashes: number[] = [];
  for (const id of chainIds) {
    if (!reaches(version, mask, id)) continue;
    const upper = mask >>> CHAIN_ID_BIT;
    const inId = highestBit(upper & id);
    const bit = inId === 0 ? highestBit(upper) : inId;
    if (bit === 0) {
      clashes.push(id);
      continue;
    }
    mask = (mask & ~(bit << CHAIN_ID_BIT)) >>> 0;
    if (inId === 0) version = (version | (bit << CHAIN_ID_BIT)) >>> 0;
  }
  return { version, mask, clashes };
}

/** Whether a miner who rolls the bits of the mask can make a version that carries the id. */
function reaches(version: number, mask: number, chainId: number): boolean {
  const fixed = ~(mask >>> CHAIN_ID_BIT) & 0xffff;
  return chainId <= 0xffff && ((version >>> CHAIN_ID_BIT) & fixed) === (chainId & fixed);
}

function highestBit(word: number): number {
  return word === 0 ? 0 : 1 << (31 - Math.clz32(word));
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
