/**
 * A solved block as the hex that submitblock takes, in parts: the template's transactions stay the
 * slices of the daemon's own answer and are never copied, parsed or joined here.
 */
import { reversed, toHex, varInt } from './bytes.ts';
import { CoinError } from './errors.ts';
import { sha256d } from './hash.ts';
import { HEADER_SIZE } from './header.ts';

export interface BlockParts {
  /** Header, 160 hex digits. */
  readonly headerHex: string;
  /** Coinbase in its block form (`coinbaseTransaction` with witness: true). */
  readonly coinbaseHex: string;
  /** Transactions in `transactionsHex`, that is without the coinbase. */
  readonly transactionCount: number;
  /** ASCII hex of the template's transactions in order; a slice may hold several of them. */
  readonly transactionsHex: readonly Uint8Array[];
  /** The template's `mweb` (Litecoin): hex as text or as a slice of the answer. */
  readonly mwebHex?: string | Uint8Array;
  /** Old Dash, where the template has `masternode_payments`: its votes, each hex. */
  readonly votesHex?: readonly string[];
}

/** ASCII hex of the block, in order; the transactions are the very arrays that were passed in. */
export function assembleBlockHex(parts: BlockParts): Uint8Array[] {
  if (parts.headerHex.length !== HEADER_SIZE * 2) {
    throw new CoinError(
      'BLOCK',
      `header has ${parts.headerHex.length} hex digits, expected ${HEADER_SIZE * 2}`,
    );
  }
  const count = toHex(varInt(parts.transactionCount + 1));
  const hex = [ascii(parts.headerHex + count + parts.coinbaseHex), ...parts.transactionsHex];
  if (parts.mwebHex !== undefined) {
    // An optional in Litecoin's serialization: 01 says that it is there.
    hex.push(ascii('01'), typeof parts.mwebHex === 'string' ? ascii(parts.mwebHex) : parts.mwebHex);
  }
  if (parts.votesHex !== undefined) {
    hex.push(ascii(toHex(varInt(parts.votesHex.length)) + parts.votesHex.join('')));
  }
  return hex;
}

/**
 * Block id in display order: sha256d of the header, or the proof-of-work hash on chains that use it
 * (`pow_block_hash`).
 */
export function blockIdHexBE(header: Uint8Array, powHashLE?: Uint8Array): string {
  return toHex(reversed(powHashLE ?? sha256d(header)));
}

function ascii(hex: string): Uint8Array {
  return new TextEncoder().encode(hex);
}
