/**
 * The 80-byte block header and the form in which Stratum V1 sends the previous hash. Cold path: the
 * share check writes its headers itself (pow room).
 */
import { ByteReader, ByteWriter, toHex } from './bytes.ts';
import { CoinError } from './errors.ts';

export interface HeaderFields {
  /** Unsigned reading of the 32 bits; a negative number is taken as its two's complement. */
  readonly version: number;
  readonly prevHashLE: Uint8Array;
  readonly merkleRootLE: Uint8Array;
  /** Unix seconds. */
  readonly time: number;
  readonly bits: number;
  readonly nonce: number;
}

export const HEADER_SIZE = 80;

export function headerBytes(fields: HeaderFields): Uint8Array {
  check32(fields.prevHashLE, 'previous hash');
  check32(fields.merkleRootLE, 'merkle root');
  return new ByteWriter(HEADER_SIZE)
    .u32(fields.version)
    .bytes(fields.prevHashLE)
    .bytes(fields.merkleRootLE)
    .u32(fields.time)
    .u32(fields.bits)
    .u32(fields.nonce)
    .finish();
}

export function parseHeader(header: Uint8Array): HeaderFields {
  const reader = new ByteReader(header, 'header');
  const fields = {
    version: reader.u32(),
    prevHashLE: reader.bytes(32),
    merkleRootLE: reader.bytes(32),
    time: reader.u32(),
    bits: reader.u32(),
    nonce: reader.u32(),
  };
  reader.end();
  return fields;
}

/** mining.notify's prevhash: eight 4-byte groups in header order, the bytes of each group reversed. */
export function notifyPrevHash(prevHashLE: Uint8Array): string {
  check32(prevHashLE, 'previous hash');
  const swapped = new Uint8Array(32);
  for (let at = 0; at < 32; at += 4) swapped.set(prevHashLE.subarray(at, at + 4).toReversed(), at);
  return toHex(swapped);
}

function check32(bytes: Uint8Array, what: string): void {
  if (bytes.length !== 32) {
    throw new CoinError('HEADER', `${what} has ${bytes.length} bytes, expected 32`);
  }
}
