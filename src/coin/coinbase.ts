/**
 * The coinbase of a job, split around the extranonces. Order of the scriptSig:
 *
 *   height push ‖ flags ‖ push(aux tag) ‖ push(pool tag) ‖ push(uniqueness ‖ extranonce1 ‖ extranonce2)
 *
 * The extranonces stand inside a push, so that no miner can make them count as signature operations.
 * Not here: what the outputs are (outputs.ts) and the chain's aux tree (jobs room).
 */
import { ByteWriter, concatBytes, utf8 } from './bytes.ts';
import { CoinError } from './errors.ts';
import { countSigops, heightPush, isPushOnly, pushData } from './script.ts';
import { type TransactionCost, type TxOutput, writeOutput } from './transaction.ts';

export interface CoinbaseSpec {
  /** 1 or 2; not used where there is a payload (DIP4 fixes it). */
  readonly version: number;
  readonly height: number;
  /** coinbaseaux.flags of the template, empty if it has none. */
  readonly flags: Uint8Array;
  /** fabe6d6d ‖ aux merkle root (display order) ‖ size ‖ nonce. */
  readonly auxTag?: Uint8Array;
  /** Pool's signature; may be empty. */
  readonly tag: string;
  /** Run tag and job counter: no other job has these bytes. */
  readonly unique: Uint8Array;
  /** Length of extranonce1 ‖ extranonce2, bytes. */
  readonly extranonceSize: number;
  readonly outputs: readonly TxOutput[];
  /** default_witness_commitment: script of a last output of value 0. */
  readonly witnessCommitment?: Uint8Array;
  /** DIP4 coinbase_payload: makes the version 3 with type 5. */
  readonly payload?: Uint8Array;
  readonly lockTime?: number;
}

export interface Coinbase {
  /** Non-witness serialization around the extranonces: what miners get and what the txid is made of. */
  readonly coinb1: Uint8Array;
  readonly coinb2: Uint8Array;
  readonly extranonceSize: number;
  readonly scriptSigSize: number;
  /** Whether it commits to witnesses, so that a block carries the BIP141 form of it. */
  readonly hasCommitment: boolean;
  /** Legacy signature operations of scriptSig and outputs, not yet times four. */
  readonly sigops: number;
}

/** Consensus: bad-cb-length outside of these. */
const LEAST_SCRIPT_SIG = 2;
const MOST_SCRIPT_SIG = 100;
/** DIP4: uint16 version 3, uint16 type 5 (CbTx). */
const SPECIAL_VERSION = 0x0005_0003;
const SEQUENCE = 0xffff_ffff;
const LOCK_TIME_SIZE = 4;
/** Marker and flag behind the version; before the lock time one item of 32 zero bytes. */
const MARKER_FLAG = Uint8Array.of(0x00, 0x01);
const WITNESS = concatBytes([Uint8Array.of(0x01, 0x20), new Uint8Array(32)]);

/** Throws CoinError for what no chain takes: too long a scriptSig (naming its parts), no outputs. */
export function buildCoinbase(spec: CoinbaseSpec): Coinbase {
  checkSpec(spec);
  const extranonces = new Uint8Array(spec.extranonceSize);
  const parts = {
    height: heightPush(spec.height),
    flags: isPushOnly(spec.flags) ? spec.flags : pushData(spec.flags),
    'aux tag': spec.auxTag === undefined ? new Uint8Array(0) : pushData(spec.auxTag),
    coinbase_tag: spec.tag === '' ? new Uint8Array(0) : pushData(utf8(spec.tag)),
    'uniqueness and extranonces': pushData(concatBytes([spec.unique, extranonces])),
  };
  const scriptSig = concatBytes(Object.values(parts));
  if (scriptSig.length < LEAST_SCRIPT_SIG || scriptSig.length > MOST_SCRIPT_SIG) {
    const sizes = Object.entries(parts).map(([name, part]) => `${name} ${part.length}`);
    throw new CoinError(
      'SCRIPT_SIG',
      `coinbase scriptSig has ${scriptSig.length} bytes (${sizes.join(', ')}), ` +
        `expected ${LEAST_SCRIPT_SIG} to ${MOST_SCRIPT_SIG}`,
    );
  }
  const outputs = allOutputs(spec);
  const coinb1 = new ByteWriter()
    .u32(spec.payload === undefined ? spec.version : SPECIAL_VERSION)
    .varInt(1)
    .bytes(new Uint8Array(32))
    .u32(0xffff_ffff)
    .varInt(scriptSig.length)
    .bytes(scriptSig.subarray(0, scriptSig.length - spec.extranonceSize))
    .finish();
  const rest = new ByteWriter().u32(SEQUENCE).varInt(outputs.length);
  for (const output of outputs) writeOutput(rest, output);
  rest.u32(spec.lockTime ?? 0);
  if (spec.payload !== undefined) rest.varBytes(spec.payload);
  let sigops = countSigops(scriptSig);
  for (const output of outputs) sigops += countSigops(output.script);
  return {
    coinb1,
    coinb2: rest.finish(),
    extranonceSize: spec.extranonceSize,
    scriptSigSize: scriptSig.length,
    hasCommitment: spec.witnessCommitment !== undefined,
    sigops,
  };
}

/**
 * The whole transaction. `witness: true` is the form for a block: BIP141 where the coinbase has a
 * commitment, else the plain one. `witness: false` is what the txid and a merge-mining proof are made of.
 */
export function coinbaseTransaction(
  coinbase: Pick<Coinbase, 'coinb1' | 'coinb2' | 'extranonceSize' | 'hasCommitment'>,
  extranonce: Uint8Array,
  options: { readonly witness: boolean },
): Uint8Array {
  const { coinb1, coinb2 } = coinbase;
  if (extranonce.length !== coinbase.extranonceSize) {
    throw new CoinError(
      'EXTRANONCE',
      `extranonce has ${extranonce.length} bytes, this coinbase has room for ${coinbase.extranonceSize}`,
    );
  }
  if (!options.witness || !coinbase.hasCommitment) return concatBytes([coinb1, extranonce, coinb2]);
  const tail = coinb2.length - LOCK_TIME_SIZE;
  return concatBytes([
    coinb1.subarray(0, 4),
    MARKER_FLAG,
    coinb1.subarray(4),
    extranonce,
    coinb2.subarray(0, tail),
    WITNESS,
    coinb2.subarray(tail),
  ]);
}

/** What the coinbase takes of a block's limits, whatever the extranonces are. */
export function coinbaseCost(coinbase: Coinbase): TransactionCost {
  const strippedSize = coinbase.coinb1.length + coinbase.extranonceSize + coinbase.coinb2.length;
  const extra = coinbase.hasCommitment ? MARKER_FLAG.length + WITNESS.length : 0;
  const size = strippedSize + extra;
  return { size, strippedSize, weight: strippedSize * 3 + size, sigops: coinbase.sigops };
}

function allOutputs(spec: CoinbaseSpec): readonly TxOutput[] {
  if (spec.witnessCommitment === undefined) return spec.outputs;
  return [...spec.outputs, { value: 0n, script: spec.witnessCommitment }];
}

function checkSpec(spec: CoinbaseSpec): void {
  if (!Number.isInteger(spec.extranonceSize) || spec.extranonceSize < 1) {
    throw new CoinError(
      'COINBASE',
      `extranonce size is ${spec.extranonceSize}, expected at least 1`,
    );
  }
  if (spec.outputs.length === 0) throw new CoinError('COINBASE', 'the coinbase has no output');
  if (spec.payload !== undefined && spec.witnessCommitment !== undefined) {
    throw new CoinError(
      'COINBASE',
      'the template has both a coinbase_payload (DIP4) and a witness commitment, which exclude each other',
    );
  }
}
