/**
 * The plain hashes of Bitcoin-like coins, by node:crypto. Results are in internal byte order (as they
 * stand in a header). Not here: proof-of-work functions and the fast share path (pow room).
 */
import { hash } from 'node:crypto';

export function sha256(data: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha256', data, 'buffer'));
}

export function sha256d(data: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha256', hash('sha256', data, 'buffer'), 'buffer'));
}

/** ripemd160(sha256(data)): what P2PKH and P2SH scripts carry. */
export function hash160(data: Uint8Array): Uint8Array {
  return new Uint8Array(hash('ripemd160', hash('sha256', data, 'buffer'), 'buffer'));
}

/** How a chain hashes transactions: twice everywhere, once in Blakecoin and its family. */
export type TxidKind = 'sha256d' | 'sha256';

export const TXID_HASH: Readonly<Record<TxidKind, (data: Uint8Array) => Uint8Array>> = {
  sha256d,
  sha256,
};
