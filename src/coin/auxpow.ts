/**
 * Merge mining (AuxPoW): the tree that commits to the blocks of all aux chains, the tag that carries
 * its root in the parent's coinbase, and the proof that an aux daemon takes. The tree is sparse: only
 * the nodes above a chain are kept, everything else is one of the cached empty subtrees. Not here: what
 * the work of a chain is (jobs room). Entry points: AuxTree, auxPow, sameSlot.
 */
import { ByteWriter, concatBytes, reversed } from './bytes.ts';
import { CoinError } from './errors.ts';
import { sha256d } from './hash.ts';

/** One aux block to commit to. */
export interface AuxLeaf {
  readonly chainId: number;
  /** Block id in internal byte order. */
  readonly hashLE: Uint8Array;
}

/** Way from a leaf to the root. */
export interface AuxBranch {
  readonly slot: number;
  /** 32 bytes a level, bottom up, internal byte order. */
  readonly branch: Uint8Array;
}

/** Consensus refuses an aux branch longer than this (CAuxPow::check). */
const MAX_HEIGHT = 30;
const NODE = 32;
/** `fabe6d6d`, "merged mining" header. */
const MAGIC = Uint8Array.of(0xfa, 0xbe, 0x6d, 0x6d);
/** Collisions do not depend on the nonce, so it is always this one. */
const NONCE = 0;
/** Length of the tag: magic, root, size, nonce. */
export const AUX_TAG_SIZE = 44;

/** Empty subtrees by height, grown on demand; a missing leaf is 32 zero bytes. */
const EMPTY: Uint8Array[] = [new Uint8Array(NODE)];

/** Slot of a chain in a tree of 2^height (CAuxPow::getExpectedIndex). */
export function slotOf(chainId: number, height: number, nonce = NONCE): number {
  let value = (Math.imul(nonce, 1103515245) + 12345) >>> 0;
  value = (value + chainId) >>> 0;
  value = (Math.imul(value, 1103515245) + 12345) >>> 0;
  return value % 2 ** height;
}

/** Whether no tree can hold both chains: their slots differ by an odd multiple of the ids' difference. */
export function sameSlot(chainId: number, other: number): boolean {
  return chainId % 2 ** MAX_HEIGHT === other % 2 ** MAX_HEIGHT;
}

/** Smallest height at which all ids have slots of their own; throws CoinError where there is none. */
function heightFor(chainIds: readonly number[]): number {
  for (let height = 0; height <= MAX_HEIGHT; height += 1) {
    if (new Set(chainIds.map((id) => id % 2 ** height)).size === chainIds.length) return height;
  }
  throw new CoinError('AUX_TREE', `two of the chain ids ${chainIds.join(', ')} have one slot`);
}

/** The tree over the blocks of all chains, which have ids that differ. At least one. */
export class AuxTree {
  readonly height: number;
  /** `fabe6d6d` ‖ root in display order ‖ size ‖ nonce, for the coinbase. */
  readonly tag: Uint8Array;
  /** By level: slot → node; the leaves are level 0. */
  readonly #levels: Map<number, Uint8Array>[] = [];

  /** Throws CoinError where two chains cannot be in one tree, or there is none. */
  constructor(leaves: readonly AuxLeaf[]) {
    if (leaves.length === 0) throw new CoinError('AUX_TREE', 'a tree has at least one chain');
    const ids = leaves.map((leaf) => leaf.chainId);
    this.height = heightFor(ids);
    let level = new Map(leaves.map((leaf) => [slotOf(leaf.chainId, this.height), leaf.hashLE]));
    for (let at = 0; at < this.height; at += 1) {
      this.#levels.push(level);
      level = above(level, emptyAt(at));
    }
    const tag = new ByteWriter(AUX_TAG_SIZE).bytes(MAGIC).bytes(reversed(level.get(0)!));
    this.tag = tag
      .u32(2 ** this.height)
      .u32(NONCE)
      .finish();
  }

  branchOf(chainId: number): AuxBranch {
    const slot = slotOf(chainId, this.height);
    const steps = this.#levels.map((level, at) => level.get((slot >>> at) ^ 1) ?? emptyAt(at));
    return { slot, branch: concatBytes(steps) };
  }
}

function emptyAt(height: number): Uint8Array {
  for (let at = EMPTY.length; at <= height; at += 1) {
    const below = EMPTY[at - 1]!;
    EMPTY.push(sha256d(concatBytes([below, below])));
  }
  return EMPTY[height]!;
}

function above(level: ReadonlyMap<number, Uint8Array>, empty: Uint8Array): Map<number, Uint8Array> {
  const next = new Map<number, Uint8Array>();
  for (const slot of level.keys()) {
    const parent = slot >>> 1;
    if (next.has(parent)) continue;
    const left = level.get(parent * 2) ?? empty;
    const right = level.get(parent * 2 + 1) ?? empty;
    next.set(parent, sha256d(concatBytes([left, right])));
  }
  return next;
}

export interface AuxProof {
  /** Parent's coinbase in the non-witness serialization: what its txid is the hash of. */
  readonly coinbase: Uint8Array;
  /** sha256d of the parent's header; daemons read it and do not check it. */
  readonly parentHashLE: Uint8Array;
  /** Merkle branch of the parent's coinbase, 32 bytes a level. */
  readonly coinbaseBranch: Uint8Array;
  readonly aux: AuxBranch;
  /** The parent's header, 80 bytes. */
  readonly header: Uint8Array;
}

/** The proof as submitauxblock and getauxblock take it (CAuxPow's serialization). */
export function auxPow(proof: AuxProof): Uint8Array {
  const { coinbase, parentHashLE, coinbaseBranch, aux, header } = proof;
  return new ByteWriter(1024)
    .bytes(coinbase)
    .bytes(parentHashLE)
    .varInt(coinbaseBranch.length / NODE)
    .bytes(coinbaseBranch)
    .u32(0)
    .varInt(aux.branch.length / NODE)
    .bytes(aux.branch)
    .u32(aux.slot)
    .bytes(header)
    .finish();
}
