/**
 * Transactions: bytes ↔ fields, byte-exact, with and without witnesses (BIP144), Litecoin's HogEx form
 * and Dash's special transactions (DIP2). A pool passes template transactions on as the daemon wrote
 * them; this is for what has to be looked into. Entry points: `parseTransaction`, `serializeTransaction`.
 */
import { ByteReader, ByteWriter } from './bytes.ts';
import { CoinError } from './errors.ts';
import { TXID_HASH, type TxidKind, sha256d } from './hash.ts';
import { countSigops } from './script.ts';

export interface TxInput {
  readonly prevTxidLE: Uint8Array;
  readonly prevIndex: number;
  readonly script: Uint8Array;
  readonly sequence: number;
  readonly witness: readonly Uint8Array[];
}

export interface TxOutput {
  /** Smallest unit. */
  readonly value: bigint;
  readonly script: Uint8Array;
}

export interface TransactionShape {
  /** All 32 bits, unsigned; in a DIP2 transaction the type stands in the upper 16. */
  readonly version: number;
  readonly inputs: readonly TxInput[];
  readonly outputs: readonly TxOutput[];
  readonly lockTime: number;
  /** DIP2 extra payload, behind the lock time. */
  readonly payload?: Uint8Array;
  /** Litecoin's HogEx: flag 08 and an empty MWEB part. */
  readonly hogEx?: boolean;
}

export interface ParseOptions {
  /** Dash family: a version ≥ 3 with a type in its upper 16 bits has a payload. Default false. */
  readonly special?: boolean;
}

const FLAG_WITNESS = 0x01;
const FLAG_MWEB = 0x08;
/** Smallest input: outpoint, empty script, sequence. Smallest output: value, empty script. */
const LEAST_INPUT = 41;
const LEAST_OUTPUT = 9;

/** Throws CoinError unless the bytes are exactly one transaction. */
export function parseTransaction(bytes: Uint8Array, options: ParseOptions = {}): TransactionShape {
  const reader = new ByteReader(bytes, 'transaction');
  const transaction = readTransaction(reader, options);
  reader.end();
  return transaction;
}

/** Reads one transaction where the reader stands and leaves it behind its last byte. */
export function readTransaction(reader: ByteReader, options: ParseOptions = {}): TransactionShape {
  const version = reader.u32();
  const flags = readFlags(reader);
  const bare: TxInput[] = [];
  for (let left = reader.count(LEAST_INPUT); left > 0; left -= 1) {
    bare.push({
      prevTxidLE: reader.bytes(32),
      prevIndex: reader.u32(),
      script: reader.varBytes(),
      sequence: reader.u32(),
      witness: [],
    });
  }
  const outputs: TxOutput[] = [];
  for (let left = reader.count(LEAST_OUTPUT); left > 0; left -= 1) {
    outputs.push({ value: reader.u64(), script: reader.varBytes() });
  }
  const inputs =
    (flags & FLAG_WITNESS) === 0
      ? bare
      : bare.map((input) => ({ ...input, witness: readWitness(reader) }));
  if ((flags & FLAG_WITNESS) !== 0 && inputs.every((input) => input.witness.length === 0)) {
    throw new CoinError('MALFORMED', 'transaction: has the witness flag and no witness');
  }
  const hogEx = (flags & FLAG_MWEB) !== 0;
  if (hogEx && reader.u8() !== 0) {
    throw new CoinError(
      'MALFORMED',
      'transaction: carries MWEB data, which no block transaction does',
    );
  }
  const lockTime = reader.u32();
  const special = options.special === true && (version & 0xffff) >= 3 && version >>> 16 !== 0;
  return {
    version,
    inputs,
    outputs,
    lockTime,
    ...(special ? { payload: reader.varBytes() } : {}),
    ...(hogEx ? { hogEx } : {}),
  };
}

/** The form that blocks carry: with witnesses where there are any. */
export function serializeTransaction(transaction: TransactionShape): Uint8Array {
  return serialize(transaction, true);
}

/** The form that is hashed to the txid: no marker, no flag, no witness. */
export function serializeStripped(transaction: TransactionShape): Uint8Array {
  return serialize(transaction, false);
}

/** Internal byte order. */
export function txid(transaction: TransactionShape, kind: TxidKind = 'sha256d'): Uint8Array {
  return TXID_HASH[kind](serializeStripped(transaction));
}

/** Hash of the form with witnesses (BIP141); internal byte order. */
export function wtxid(transaction: TransactionShape): Uint8Array {
  return sha256d(serializeTransaction(transaction));
}

export interface TransactionCost {
  /** Bytes in the block. */
  readonly size: number;
  readonly strippedSize: number;
  /** BIP141: three times the stripped size plus the size. */
  readonly weight: number;
  /** Legacy count, not yet times four; P2SH and witness operations are not in it. */
  readonly sigops: number;
}

export function costOf(transaction: TransactionShape): TransactionCost {
  const size = serializeTransaction(transaction).length;
  const strippedSize = serializeStripped(transaction).length;
  let sigops = 0;
  for (const input of transaction.inputs) sigops += countSigops(input.script);
  for (const output of transaction.outputs) sigops += countSigops(output.script);
  return { size, strippedSize, weight: strippedSize * 3 + size, sigops };
}

/** BIP144 marker 00 and flag; 0 for the plain form (a transaction without inputs is not a thing). */
function readFlags(reader: ByteReader): number {
  if (reader.peek() !== 0) return 0;
  reader.u8();
  const flags = reader.u8();
  if (flags === 0 || (flags & ~(FLAG_WITNESS | FLAG_MWEB)) !== 0) {
    throw new CoinError('MALFORMED', `transaction: flag is ${flags}, expected 1 (witness), 8 or 9`);
  }
  return flags;
}

function readWitness(reader: ByteReader): Uint8Array[] {
  const items: Uint8Array[] = [];
  for (let left = reader.count(1); left > 0; left -= 1) items.push(reader.varBytes());
  return items;
}

function serialize(transaction: TransactionShape, extended: boolean): Uint8Array {
  const witness = transaction.inputs.some((input) => input.witness.length > 0);
  const flags = (witness ? FLAG_WITNESS : 0) | (transaction.hogEx === true ? FLAG_MWEB : 0);
  const writer = new ByteWriter().u32(transaction.version);
  if (extended && flags !== 0) writer.u8(0).u8(flags);
  writer.varInt(transaction.inputs.length);
  for (const input of transaction.inputs) {
    writer.bytes(input.prevTxidLE).u32(input.prevIndex).varBytes(input.script).u32(input.sequence);
  }
  writer.varInt(transaction.outputs.length);
  for (const output of transaction.outputs) writeOutput(writer, output);
  if (extended && witness) {
    for (const input of transaction.inputs) {
      writer.varInt(input.witness.length);
      for (const item of input.witness) writer.varBytes(item);
    }
  }
  if (extended && transaction.hogEx === true) writer.u8(0);
  writer.u32(transaction.lockTime);
  if (transaction.payload !== undefined) writer.varBytes(transaction.payload);
  return writer.finish();
}

export function writeOutput(writer: ByteWriter, output: TxOutput): void {
  writer.u64(output.value).varBytes(output.script);
}
