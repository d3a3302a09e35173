/**
 * The fields of one mining.submit as ranges of bytes, and the strict reading of hex: exact lengths,
 * either case, nothing padded. One object per thread, filled again for every submit.
 */

/** Value of a hex digit by its character code, -1 for anything else. */
const DIGIT = new Int8Array(256).fill(-1);
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  DIGIT[digit.charCodeAt(0)] = value;
  DIGIT[digit.toUpperCase().charCodeAt(0)] = value;
}

const USER = 0;
const JOB = 1;
const EXTRANONCE2 = 2;
const TIME = 3;
const NONCE = 4;
const VERSION = 5;
const MAX_JOB_ID = 64;
const SCRATCH_FIELD = 512;

export class Submission {
  /** user, job id, extranonce2, ntime, nonce and, where the version is rolled, version bits. */
  static readonly FIELDS = 6;

  /** The id as JSON text. */
  id = '1';
  /** Fields there were. */
  count = 0;
  buffer: Buffer = Buffer.alloc(0);
  readonly #starts = new Int32Array(Submission.FIELDS);
  readonly #ends = new Int32Array(Submission.FIELDS);
  readonly #scratch = Buffer.alloc(Submission.FIELDS * SCRATCH_FIELD);

  setField(index: number, start: number, end: number): void {
    this.#starts[index] = start;
    this.#ends[index] = end;
  }

  /** Takes the params of a message that JSON.parse has read. False: no submit has this shape. */
  setParams(params: readonly unknown[]): boolean {
    this.buffer = this.#scratch;
    this.count = Math.min(params.length, Submission.FIELDS);
    for (let i = 0; i < this.count; i++) {
      const value = i === USER ? '' : params[i];
      if (typeof value !== 'string' || value.length > SCRATCH_FIELD) return false;
      const from = i * SCRATCH_FIELD;
      this.setField(i, from, from + this.#scratch.write(value, from, 'latin1'));
    }
    return params.length >= Submission.FIELDS - 1;
  }

  get jobId(): string {
    const start = this.#starts[JOB]!;
    return this.buffer.toString('latin1', start, Math.min(this.#ends[JOB]!, start + MAX_JOB_ID));
  }

  /** ntime as an unsigned integer, -1 unless it is eight hex digits. */
  get time(): number {
    return this.#u32(TIME);
  }

  get nonce(): number {
    return this.#u32(NONCE);
  }

  /** Version bits, 0 where the submit has none, -1 unless they are eight hex digits. */
  get versionBits(): number {
    return this.count <= VERSION ? 0 : this.#u32(VERSION);
  }

  /** Writes extranonce2 to `into` at `at`; false unless it is exactly `size` bytes of hex. */
  writeExtranonce2(into: Uint8Array, at: number, size: number): boolean {
    const start = this.#starts[EXTRANONCE2]!;
    if (this.#ends[EXTRANONCE2]! - start !== size * 2) return false;
    const { buffer } = this;
    for (let i = 0; i < size; i++) {
      const high = DIGIT[buffer[start + i * 2]!]!;
      const low = DIGIT[buffer[start + i * 2 + 1]!]!;
      if ((high | low) < 0) return false;
      into[at + i] = (high << 4) | low;
    }
    return true;
  }

  #u32(field: number): number {
    const start = this.#starts[field]!;
    if (this.#ends[field]! - start !== 8) return -1;
    const { buffer } = this;
    let value = 0;
    let bad = 0;
    for (let i = 0; i < 8; i++) {
      const digit = DIGIT[buffer[start + i]!]!;
      bad |= digit;
      value = (value << 4) | digit;
    }
    return bad < 0 ? -1 : value >>> 0;
  }
}
