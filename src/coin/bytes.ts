/**
 * Hex, byte order and the field types of Bitcoin's wire format. Not here: what the fields mean.
 *
 * Every array returned owns its whole ArrayBuffer (nothing is cut out of Node's buffer pool), so it can
 * be posted to another thread without dragging 8 kB along. Entry points: `fromHex`, `toHex`,
 * `ByteWriter`, `ByteReader`.
 */
import { CoinError } from './errors.ts';

const NOT_HEX = /[^0-9a-fA-F]/;

function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Throws CoinError on an odd length or a character that is not a hex digit: never pads, never cuts. */
export function fromHex(hex: string): Uint8Array {
  if (hex.length % 2 !== 0) {
    throw new CoinError('HEX', `hex has an odd length (${hex.length}), expected whole bytes`);
  }
  const bad = NOT_HEX.exec(hex);
  if (bad !== null) {
    throw new CoinError('HEX', `not a hex digit at character ${bad.index} of ${hex.length}`);
  }
  const bytes = new Uint8Array(hex.length / 2);
  bufferOver(bytes).write(hex, 'hex');
  return bytes;
}

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  return bufferOver(bytes).toString('hex');
}

/** A copy in the opposite byte order: header order ↔ display order of a hash. */
export function reversed(bytes: Uint8Array): Uint8Array {
  return bytes.toReversed();
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** Text as the bytes that a script or a wire line carries: UTF-8. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** CompactSize, the length prefix of the wire format: 1, 3, 5 or 9 bytes. */
export function varInt(value: number): Uint8Array {
  return new ByteWriter().varInt(value).finish();
}

/** Appends little-endian fields to a growing buffer. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    const at = this.#reserve(1, value, 0, 0xff);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#reserve(2, value, 0, 0xffff);
    this.#view.setUint16(at, value, true);
    return this;
  }

  /** Takes the unsigned and the signed reading of the same 32 bits (block versions come as either). */
  u32(value: number): this {
    const at = this.#reserve(4, value, -0x8000_0000, 0xffff_ffff);
    this.#view.setUint32(at, value, true);
    return this;
  }

  /** An amount: 0 … 2^64-1, smallest unit. */
  u64(value: bigint): this {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) {
      throw new CoinError('RANGE', `${value} does not fit an unsigned 64-bit field`);
    }
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value, true);
    return this;
  }

  varInt(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new CoinError('RANGE', `${value} is no length or count`);
    }
    if (value < 0xfd) return this.u8(value);
    if (value <= 0xffff) return this.u8(0xfd).u16(value);
    if (value <= 0xffff_ffff) return this.u8(0xfe).u32(value);
    return this.u8(0xff).u64(BigInt(value));
  }

  bytes(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** Length prefix and bytes. */
  varBytes(bytes: Uint8Array): this {
    return this.varInt(bytes.length).bytes(bytes);
  }

  /** A copy of what was written so far. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(size: number, value: number, min: number, max: number): number {
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new CoinError('RANGE', `${value} does not fit a ${size * 8}-bit field`);
    }
    return this.#grow(size);
  }

  #grow(size: number): number {
    const at = this.#length;
    const needed = at + size;
    if (needed > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      bytes.set(this.#bytes.subarray(0, at));
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer);
    }
    this.#length = needed;
    return at;
  }
}

/** Reads little-endian fields; every read past the end throws a CoinError that says what was being read. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  #at = 0;

  /** `what` names the thing being read in errors: 'transaction', 'header'. */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  get position(): number {
    return this.#at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** Refuses a longer encoding than needed, as Bitcoin's ReadCompactSize does. */
  varInt(): number {
    const first = this.u8();
    if (first < 0xfd) return first;
    const [value, least] = this.#wideVarInt(first);
    if (value < least || value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new CoinError('MALFORMED', `${this.#what}: length ${value} is not minimally encoded`);
    }
    return Number(value);
  }

  /** A copy of the next `length` bytes. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return new Uint8Array(this.#bytes.subarray(at, at + length));
  }

  varBytes(): Uint8Array {
    return this.bytes(this.varInt());
  }

  /** A count of items of at least `leastSize` bytes each: refused where the input cannot hold them. */
  count(leastSize: number): number {
    const count = this.varInt();
    if (count * leastSize > this.left) {
      throw new CoinError(
        'MALFORMED',
        `${this.#what}: announces ${count} items at byte ${this.#at}, ${this.left} bytes are left`,
      );
    }
    return count;
  }

  peek(ahead = 0): number | undefined {
    return this.#bytes[this.#at + ahead];
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.left !== 0) {
      throw new CoinError('MALFORMED', `${this.#what}: ${this.left} bytes after its end`);
    }
  }

  #wideVarInt(first: number): [value: bigint, least: bigint] {
    if (first === 0xfd) return [BigInt(this.u16()), 0xfdn];
    if (first === 0xfe) return [BigInt(this.u32()), 0x1_0000n];
    return [this.u64(), 0x1_0000_0000n];
  }

  #take(size: number): number {
    const at = this.#at;
    if (size > this.#bytes.length - at) {
      throw new CoinError(
        'MALFORMED',
        `${this.#what}: ends at byte ${this.#bytes.length}, ${size} more were expected at byte ${at}`,
      );
    }
    this.#at = at + size;
    return at;
  }
}
