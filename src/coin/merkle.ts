/**
 * Merkle trees over transaction ids (sha256d nodes, an odd level repeats its last node) and the BIP141
 * witness commitment. Plain node:crypto; the accelerated branch for big templates is in the pow room.
 */
import { concatBytes } from './bytes.ts';
import { CoinError } from './errors.ts';
import { sha256d } from './hash.ts';

const NODE = 32;

/** Root over all transactions of a block, the coinbase's id first; internal byte order. */
export function merkleRoot(txidsLE: readonly Uint8Array[]): Uint8Array {
  if (txidsLE.length === 0) throw new CoinError('MERKLE', 'a block has at least its coinbase');
  let level = joinNodes(txidsLE);
  while (level.length > NODE) level = foldLevel(level);
  return level;
}

/**
 * Branch of the coinbase: 32 bytes a level, bottom up, empty where the coinbase is alone. Takes the ids
 * of the other transactions, in block order: the coinbase's own is not known yet.
 */
export function merkleBranch(txidsLE: readonly Uint8Array[]): Uint8Array {
  const steps: Uint8Array[] = [];
  let level = concatBytes([new Uint8Array(NODE), joinNodes(txidsLE)]);
  while (level.length > NODE) {
    steps.push(level.subarray(NODE, 2 * NODE));
    // Node 0 stands for the coinbase's side, whose value is unknown and never read.
    level = foldLevel(level);
  }
  return concatBytes(steps);
}

/** Root from a leaf at index 0 and its branch: each step hashes node ‖ sibling. */
export function foldBranch(leafLE: Uint8Array, branch: Uint8Array): Uint8Array {
  if (leafLE.length !== NODE || branch.length % NODE !== 0) {
    throw new CoinError(
      'MERKLE',
      `leaf of ${leafLE.length} and branch of ${branch.length} bytes, expected 32 and a multiple of 32`,
    );
  }
  let node = new Uint8Array(leafLE);
  for (let at = 0; at < branch.length; at += NODE) {
    node = new Uint8Array(sha256d(concatBytes([node, branch.subarray(at, at + NODE)])));
  }
  return node;
}

/** BIP141: OP_RETURN and a push of aa21a9ed ‖ commitment. */
const COMMITMENT_PREFIX = Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed);

/**
 * The output script that commits to the witnesses of these transactions (BIP141), for the reserved
 * value of 32 zero bytes. Takes the wtxids without the coinbase's, which counts as zero. Needed where
 * transactions of a template were left out, so that its default_witness_commitment no longer holds.
 */
export function witnessCommitmentScript(wtxidsLE: readonly Uint8Array[]): Uint8Array {
  const root = merkleRoot([new Uint8Array(NODE), ...wtxidsLE]);
  return concatBytes([COMMITMENT_PREFIX, sha256d(concatBytes([root, new Uint8Array(NODE)]))]);
}

function joinNodes(nodes: readonly Uint8Array[]): Uint8Array {
  for (const node of nodes) {
    if (node.length !== NODE) {
      throw new CoinError('MERKLE', `a transaction id has ${node.length} bytes, expected 32`);
    }
  }
  return concatBytes(nodes);
}

function foldLevel(level: Uint8Array): Uint8Array {
  const count = level.length / NODE;
  const above = new Uint8Array(Math.ceil(count / 2) * NODE);
  for (let index = 0; index < count; index += 2) {
    const pair =
      index + 1 < count
        ? level.subarray(index * NODE, (index + 2) * NODE)
        : concatBytes([level.subarray(index * NODE), level.subarray(index * NODE)]);
    above.set(sha256d(pair), (index / 2) * NODE);
  }
  return above;
}
