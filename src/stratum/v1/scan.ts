/**
 * The usual mining.submit, read byte by byte without making objects: a flat message with the keys id,
 * method and params in any order and spacing, id a small integer, null or a plain string, params five
 * or six strings without escapes. Anything else is left to JSON.parse (`requests.ts`), which reads the
 * same messages to the same Submission: this file is speed, never meaning.
 */
import { Submission } from './submission.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER_I = 0x69;
const LOWER_M = 0x6d;
const LOWER_N = 0x6e;
const MAX_ID_DIGITS = 9;
const MAX_ID_BYTES = 64;
const FAILED = -1;

const METHOD = Buffer.from('"mining.submit"');
const NULL = Buffer.from('null');
const KEY_ID = Buffer.from('"id"');
const KEY_METHOD = Buffer.from('"method"');
const KEY_PARAMS = Buffer.from('"params"');
const SMALL_IDS: string[] = Array.from({ length: 1024 }, (_, id) => String(id));

function skipSpace(buffer: Buffer, start: number): number {
  let at = start;
  while (buffer[at] === 0x20 || buffer[at] === 0x09) at++;
  return at;
}

/** Position of the quote that ends the string whose first character stands at `start`. */
function endOfString(buffer: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = buffer[at]!;
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH || byte < 0x20 || byte > 0x7e) return FAILED;
  }
  return FAILED;
}

function matches(buffer: Buffer, at: number, what: Buffer): boolean {
  for (let i = 0; i < what.length; i++) if (buffer[at + i] !== what[i]) return false;
  return true;
}

function scanId(buffer: Buffer, at: number, end: number, into: Submission): number {
  const first = buffer[at]!;
  if (first >= ZERO && first <= NINE) {
    let value = 0;
    let next = at;
    for (; next < end; next++) {
      const byte = buffer[next]!;
      if (byte < ZERO || byte > NINE) break;
      value = value * 10 + byte - ZERO;
    }
    const digits = next - at;
    if (digits > MAX_ID_DIGITS || (first === ZERO && digits > 1)) return FAILED;
    into.id = SMALL_IDS[value] ?? String(value);
    return next;
  }
  if (first === LOWER_N) {
    if (!matches(buffer, at, NULL)) return FAILED;
    into.id = 'null';
    return at + 4;
  }
  if (first !== QUOTE) return FAILED;
  const quote = endOfString(buffer, at + 1, end);
  if (quote === FAILED || quote - at > MAX_ID_BYTES) return FAILED;
  into.id = buffer.toString('latin1', at, quote + 1);
  return quote + 1;
}

function scanParams(buffer: Buffer, start: number, end: number, into: Submission): number {
  if (buffer[start] !== OPEN_LIST) return FAILED;
  let at = start + 1;
  let count = 0;
  for (;;) {
    at = skipSpace(buffer, at);
    if (buffer[at] !== QUOTE || count === Submission.FIELDS) return FAILED;
    const quote = endOfString(buffer, at + 1, end);
    if (quote === FAILED) return FAILED;
    into.setField(count++, at + 1, quote);
    at = skipSpace(buffer, quote + 1);
    if (buffer[at] === CLOSE_LIST) break;
    if (buffer[at] !== COMMA) return FAILED;
    at++;
  }
  into.count = count;
  return at + 1;
}

/** One `"key": value`; returns the position behind the value, FAILED for what is not usual. */
function scanMember(buffer: Buffer, at: number, end: number, into: Submission): number {
  const initial = buffer[at + 1];
  const key = initial === LOWER_I ? KEY_ID : initial === LOWER_M ? KEY_METHOD : KEY_PARAMS;
  if (at + key.length >= end || !matches(buffer, at, key)) return FAILED;
  let next = skipSpace(buffer, at + key.length);
  if (buffer[next] !== COLON) return FAILED;
  next = skipSpace(buffer, next + 1);
  if (key === KEY_ID) return scanId(buffer, next, end, into);
  if (key === KEY_PARAMS) return scanParams(buffer, next, end, into);
  return matches(buffer, next, METHOD) ? next + METHOD.length : FAILED;
}

/**
 * Reads `buffer[start, end)`. True: it is a submit and `into` holds its fields as ranges of `buffer`.
 * False: read it with JSON.parse.
 */
export function scanSubmit(buffer: Buffer, start: number, end: number, into: Submission): boolean {
  let at = skipSpace(buffer, start);
  if (buffer[at] !== OPEN) return false;
  let seen = 0;
  into.buffer = buffer;
  for (;;) {
    at = skipSpace(buffer, at + 1);
    const key = buffer[at + 1];
    const bit = key === LOWER_I ? 1 : key === LOWER_M ? 2 : 4;
    if ((seen & bit) !== 0) return false;
    seen |= bit;
    at = scanMember(buffer, at, end, into);
    if (at === FAILED || at >= end) return false;
    at = skipSpace(buffer, at);
    if (buffer[at] === CLOSE) break;
    if (buffer[at] !== COMMA || at >= end) return false;
  }
  return seen === 7 && at < end && skipSpace(buffer, at + 1) >= end;
}
