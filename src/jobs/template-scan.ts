/**
 * Reads a getblocktemplate answer without parsing its transactions: one pass over the bytes finds the
 * `transactions` array and, for each of its objects, where the hex of its data stands; JSON.parse
 * sees only what is left. Anything unexpected (escapes inside a field we need, a name given twice,
 * not JSON at all) makes the scan give up with undefined: the caller then parses the whole answer.
 * Entry point: scanTemplate.
 */
import { BLANK_ENTRY, HASH_DIGITS, TransactionList } from './template-transactions.ts';
import type { TemplateTransactions, TransactionEntry } from './template-transactions.ts';

export interface ScannedTemplate {
  /** The parsed answer with an empty array in place of the transactions. */
  readonly rest: unknown;
  readonly transactions: TemplateTransactions;
}

/** Names of a transaction's members, told apart by their bytes: making strings of them costs 2 ms. */
const OTHER = 0;
const DATA = 1;
const TXID = 2;
const HASH = 3;
const FEE = 4;
const SIGOPS = 5;
const WEIGHT = 6;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
/** Values nested deeper than this are not a template. */
const MAX_DEPTH = 64;

/** Thrown and caught in this file only: the scan met something it does not handle. */
class GiveUp extends Error {}

class Scanner {
  readonly #body: Buffer;
  /** Without one in the whole body, a string ends at the next quote. */
  readonly #hasBackslash: boolean;
  #at = 0;

  constructor(body: Buffer) {
    this.#body = body;
    this.#hasBackslash = body.includes(BACKSLASH);
  }

  /** Position of the `transactions` array: [its '[', one past its ']'], and its entries. */
  scan(): { start: number; end: number; transactions: TemplateTransactions } {
    let found: { start: number; end: number; transactions: TemplateTransactions } | undefined;
    const members = (): void => {
      this.#object((key) => {
        if (key === 'transactions' && this.#peek() === OPEN_ARRAY) {
          if (found !== undefined) throw new GiveUp();
          const start = this.#at;
          const transactions = this.#transactions();
          found = { start, end: this.#at, transactions };
        } else if (key === 'result' && this.#peek() === OPEN_OBJECT) {
          members();
        } else {
          this.#skipValue();
        }
      });
    };
    members();
    if (found === undefined) throw new GiveUp();
    return found;
  }

  /** The next byte that is not white space, not consumed; -1 at the end. */
  #peek(): number {
    const body = this.#body;
    let at = this.#at;
    let byte = body[at];
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      at += 1;
      byte = body[at];
    }
    this.#at = at;
    return byte ?? -1;
  }

  #expect(byte: number): void {
    if (this.#peek() !== byte) throw new GiveUp();
    this.#at += 1;
  }

  /** Walks an object; `member` must consume the value of each key. */
  #object(member: (key: string) => void): void {
    this.#expect(OPEN_OBJECT);
    if (this.#peek() === CLOSE_OBJECT) {
      this.#at += 1;
      return;
    }
    for (;;) {
      const start = this.#stringStart();
      const end = this.#plainEnd(start);
      this.#expect(COLON);
      member(this.#body.toString('latin1', start, end));
      if (this.#peek() === CLOSE_OBJECT) break;
      this.#expect(COMMA);
    }
    this.#at += 1;
  }

  #stringStart(): number {
    this.#expect(QUOTE);
    return this.#at;
  }

  /** End of a string without escapes that starts at `start`; moves past its quote. */
  #plainEnd(start: number): number {
    const end = this.#body.indexOf(QUOTE, start);
    if (end < 0) throw new GiveUp();
    if (this.#hasBackslash && this.#body.subarray(start, end).includes(BACKSLASH)) {
      throw new GiveUp();
    }
    this.#at = end + 1;
    return end;
  }

  /** Moves past a string whose opening quote has been consumed. */
  #skipString(): void {
    for (let from = this.#at; ;) {
      const end = this.#body.indexOf(QUOTE, from);
      if (end < 0) throw new GiveUp();
      let escapes = 0;
      while (this.#hasBackslash && this.#body[end - 1 - escapes] === BACKSLASH) escapes += 1;
      if (escapes % 2 === 0) {
        this.#at = end + 1;
        return;
      }
      from = end + 1;
    }
  }

  /** Moves past any value; does not check that what is inside is well-formed. */
  #skipValue(): void {
    let depth = 0;
    do {
      const byte = this.#peek();
      if (byte === QUOTE) {
        this.#at += 1;
        this.#skipString();
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        depth += 1;
        if (depth > MAX_DEPTH) throw new GiveUp();
        this.#at += 1;
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        depth -= 1;
        if (depth < 0) throw new GiveUp();
        this.#at += 1;
      } else if (byte === COMMA || byte === COLON) {
        if (depth === 0) throw new GiveUp();
        this.#at += 1;
      } else {
        this.#skipScalar();
      }
    } while (depth > 0);
  }

  #skipScalar(): void {
    const body = this.#body;
    const start = this.#at;
    let at = start;
    for (let byte = body[at]; byte !== undefined; byte = body[at]) {
      if (byte <= 0x20 || byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) break;
      at += 1;
    }
    if (at === start) throw new GiveUp();
    this.#at = at;
  }

  #transactions(): TemplateTransactions {
    const list = new TransactionList(this.#body);
    this.#expect(OPEN_ARRAY);
    if (this.#peek() === CLOSE_ARRAY) {
      this.#at += 1;
      return list.done();
    }
    for (;;) {
      const entry = { ...BLANK_ENTRY };
      this.#entry(entry);
      if (!list.add(entry)) throw new GiveUp();
      if (this.#peek() === CLOSE_ARRAY) break;
      this.#expect(COMMA);
    }
    this.#at += 1;
    return list.done();
  }

  #entry(entry: TransactionEntry): void {
    this.#expect(OPEN_OBJECT);
    for (;;) {
      const name = this.#memberName();
      this.#expect(COLON);
      if (name === DATA) this.#data(entry);
      else if (name === TXID) entry.txid = this.#hash(entry.txid);
      else if (name === HASH) entry.hash = this.#hash(entry.hash);
      else if (name === FEE) entry.fee = this.#whole(entry.fee);
      else if (name === SIGOPS) entry.sigops = this.#whole(entry.sigops);
      else if (name === WEIGHT) entry.weight = this.#whole(entry.weight);
      else this.#skipValue();
      if (this.#peek() === CLOSE_OBJECT) break;
      this.#expect(COMMA);
    }
    this.#at += 1;
  }

  #memberName(): number {
    const body = this.#body;
    const start = this.#stringStart();
    let end = start;
    let head = 0;
    for (let byte = body[end]; byte !== QUOTE; byte = body[end]) {
      if (byte === undefined || byte === BACKSLASH) throw new GiveUp();
      if (end - start < 4) head = (head << 8) | byte;
      end += 1;
    }
    this.#at = end + 1;
    const length = end - start;
    if (length === 4) {
      if (head === 0x64617461) return DATA;
      if (head === 0x74786964) return TXID;
      return head === 0x68617368 ? HASH : OTHER;
    }
    if (length === 3) return head === 0x666565 ? FEE : OTHER;
    if (length !== 6) return OTHER;
    const tail = (body[start + 4]! << 8) | body[start + 5]!;
    if (head === 0x7369676f && tail === 0x7073) return SIGOPS;
    return head === 0x77656967 && tail === 0x6874 ? WEIGHT : OTHER;
  }

  #data(entry: TransactionEntry): void {
    if (entry.dataStart >= 0) throw new GiveUp();
    entry.dataStart = this.#stringStart();
    entry.dataEnd = this.#plainEnd(entry.dataStart);
    const digits = entry.dataEnd - entry.dataStart;
    if (digits === 0 || digits % 2 !== 0) throw new GiveUp();
  }

  #hash(before: number): number {
    if (before >= 0) throw new GiveUp();
    const start = this.#stringStart();
    const end = start + HASH_DIGITS;
    if (this.#body[end] !== QUOTE) throw new GiveUp();
    this.#at = end + 1;
    return start;
  }

  /** A non-negative whole number of at most 15 digits. */
  #whole(before: number): number {
    if (before >= 0) throw new GiveUp();
    this.#peek();
    const body = this.#body;
    const start = this.#at;
    let at = start;
    let value = 0;
    for (let digit = body[at]! - 0x30; digit >= 0 && digit <= 9; digit = body[at]! - 0x30) {
      value = value * 10 + digit;
      at += 1;
    }
    const next = body[at];
    const ended = next === COMMA || next === CLOSE_OBJECT || (next !== undefined && next <= 0x20);
    if (at === start || at - start > 15 || !ended) throw new GiveUp();
    this.#at = at;
    return value;
  }
}

/** The fast way; undefined where the answer has to be parsed as a whole. */
export function scanTemplate(body: Buffer): ScannedTemplate | undefined {
  try {
    const { start, end, transactions } = new Scanner(body).scan();
    const rest: unknown = JSON.parse(
      `${body.toString('utf8', 0, start)}[]${body.toString('utf8', end)}`,
    );
    return { rest, transactions };
  } catch (error) {
    if (error instanceof GiveUp || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
