/**
 * The transactions of a template as flat arrays of offsets: their hex is never copied, re-serialised
 * or hashed. What is here: the shape, the collector the scanner fills, and the slow way from a parsed
 * answer, which is where an unusable transaction gets its error.
 */
import { TemplateError } from './template-error.ts';

/** A template's transactions in block order, without the coinbase. */
export interface TemplateTransactions {
  readonly count: number;
  /** 32 bytes each, internal byte order. */
  readonly txidsLE: Uint8Array;
  /** ASCII in which the offsets below point. */
  readonly text: Buffer;
  /** Hex of transaction i: text[dataStart[i]] up to, without, text[dataEnd[i]]. */
  readonly dataStart: Uint32Array;
  readonly dataEnd: Uint32Array;
  /** 64 hex digits of the witness id (of the txid where the daemon gives only one), display order. */
  readonly hashStart: Uint32Array;
  /** Smallest unit; meaningless where feesKnown is false. */
  readonly fees: Float64Array;
  readonly feesKnown: boolean;
  /** As the daemon counts them (segwit: cost); UNKNOWN where it does not say. */
  readonly sigops: Float64Array;
  readonly weights: Float64Array;
}

/** A number that the daemon did not give. */
export const UNKNOWN = -1;
/** Of a transaction id in hex. */
export const HASH_DIGITS = 64;

/** Where the fields of one transaction stand in the text (offsets) or what they are; else UNKNOWN. */
export interface TransactionEntry {
  dataStart: number;
  dataEnd: number;
  txid: number;
  hash: number;
  fee: number;
  sigops: number;
  weight: number;
}

export const BLANK_ENTRY: Readonly<TransactionEntry> = {
  dataStart: UNKNOWN,
  dataEnd: UNKNOWN,
  txid: UNKNOWN,
  hash: UNKNOWN,
  fee: UNKNOWN,
  sigops: UNKNOWN,
  weight: UNKNOWN,
};

const HEX_VALUE = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 16; digit += 1) {
  HEX_VALUE[digit.toString(16).charCodeAt(0)] = digit;
  HEX_VALUE[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/** Decodes 64 hex digits at `start` backwards into out[at…at+31]; false if one of them is no digit. */
export function hashToLE(text: Uint8Array, start: number, out: Uint8Array, at: number): boolean {
  let all = 0;
  for (let index = 0; index < 32; index += 1) {
    const high = HEX_VALUE[text[start + 2 * index]!]!;
    const low = HEX_VALUE[text[start + 2 * index + 1]!]!;
    all |= high | low;
    out[at + 31 - index] = (high << 4) | low;
  }
  return all >= 0;
}

/** Collects entries into flat arrays. */
export class TransactionList {
  readonly #text: Buffer;
  readonly #dataStart: number[] = [];
  readonly #dataEnd: number[] = [];
  readonly #hashStart: number[] = [];
  readonly #fees: number[] = [];
  readonly #sigops: number[] = [];
  readonly #weights: number[] = [];
  #txidsLE = new Uint8Array(256 * 32);
  #feesKnown = true;

  constructor(text: Buffer) {
    this.#text = text;
  }

  /** False if the entry lacks its data or an id, or an id is not hex. */
  add(entry: Readonly<TransactionEntry>): boolean {
    const id = entry.txid < 0 ? entry.hash : entry.txid;
    if (entry.dataStart < 0 || id < 0) return false;
    const at = this.#dataStart.length * 32;
    if (at === this.#txidsLE.length) {
      const grown = new Uint8Array(at * 2);
      grown.set(this.#txidsLE);
      this.#txidsLE = grown;
    }
    if (!hashToLE(this.#text, id, this.#txidsLE, at)) return false;
    this.#dataStart.push(entry.dataStart);
    this.#dataEnd.push(entry.dataEnd);
    this.#hashStart.push(entry.hash < 0 ? id : entry.hash);
    this.#fees.push(entry.fee);
    this.#sigops.push(entry.sigops);
    this.#weights.push(entry.weight);
    if (entry.fee < 0) this.#feesKnown = false;
    return true;
  }

  done(): TemplateTransactions {
    const count = this.#dataStart.length;
    return {
      count,
      txidsLE: this.#txidsLE.subarray(0, count * 32),
      text: this.#text,
      dataStart: Uint32Array.from(this.#dataStart),
      dataEnd: Uint32Array.from(this.#dataEnd),
      hashStart: Uint32Array.from(this.#hashStart),
      fees: Float64Array.from(this.#fees),
      feesKnown: this.#feesKnown,
      sigops: Float64Array.from(this.#sigops),
      weights: Float64Array.from(this.#weights),
    };
  }
}

function asRecord(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw TemplateError.field(name, value, 'an object');
}

/** A whole number from zero, or UNKNOWN where there is none. */
function wholeOr(value: unknown, name: string): number {
  if (value === undefined || value === null) return UNKNOWN;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw TemplateError.field(name, value, 'a whole number from 0 to 2^53 - 1');
}

function hexText(value: unknown, name: string): string {
  if (typeof value === 'string' && value.length % 2 === 0 && /^[0-9a-f]+$/i.test(value))
    return value;
  throw TemplateError.field(name, value, 'hex');
}

function idText(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value)) return value;
  throw TemplateError.field(name, value, `${HASH_DIGITS} hex digits`);
}

/** The slow way, for an answer the scanner gave up on: its `transactions` after JSON.parse. */
export function transactionsFromParsed(value: unknown): TemplateTransactions {
  if (!Array.isArray(value)) throw TemplateError.field('transactions', value, 'an array');
  const pieces: string[] = [];
  const entries: TransactionEntry[] = [];
  let length = 0;
  const place = (piece: string): number => {
    pieces.push(piece);
    length += piece.length;
    return length - piece.length;
  };
  for (const [index, item] of value.entries()) {
    const path = `transactions[${index}]`;
    const fields = asRecord(item, path);
    const data = hexText(fields['data'], `${path}.data`);
    const txid = idText(fields['txid'], `${path}.txid`);
    const hash = idText(fields['hash'], `${path}.hash`);
    if (txid === undefined && hash === undefined) {
      throw TemplateError.field(`${path}.txid`, undefined, 'it or hash, 64 hex digits');
    }
    const dataStart = place(data);
    entries.push({
      dataStart,
      dataEnd: dataStart + data.length,
      txid: txid === undefined ? UNKNOWN : place(txid),
      hash: hash === undefined ? UNKNOWN : place(hash),
      fee: wholeOr(fields['fee'], `${path}.fee`),
      sigops: wholeOr(fields['sigops'], `${path}.sigops`),
      weight: wholeOr(fields['weight'], `${path}.weight`),
    });
  }
  const list = new TransactionList(Buffer.from(pieces.join(''), 'latin1'));
  for (const entry of entries) list.add(entry);
  return list.done();
}
