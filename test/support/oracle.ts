/**
 * An independent reader of Bitcoin's formats, for tests: it shares no line with src/, so that an error
 * in a writer there cannot cancel out here. Reads transactions (legacy, BIP144, HogEx, DIP2), scripts,
 * script numbers and whole blocks; throws on anything malformed or left over.
 */
import { createHash } from 'node:crypto';

export type OracleBlock = ReturnType<typeof decodeBlock>;

export function doubleSha(data: Uint8Array): Buffer {
  const once = createHash('sha256').update(data).digest();
  return createHash('sha256').update(once).digest();
}

function flip(data: Uint8Array): Buffer {
  return Buffer.from(data.toReversed());
}

export function display(hash: Uint8Array): string {
  return flip(hash).toString('hex');
}

class Cursor {
  at = 0;
  readonly data: Buffer;

  constructor(data: Uint8Array) {
    this.data = Buffer.from(data);
  }

  take(n: number): Buffer {
    if (n > this.data.length - this.at) throw new Error(`oracle: ${n} bytes missing at ${this.at}`);
    const piece = this.data.subarray(this.at, this.at + n);
    this.at += n;
    return piece;
  }

  int(n: 1 | 2 | 4): number {
    return this.take(n).readUIntLE(0, n);
  }

  size(): number {
    const first = this.int(1);
    if (first < 253) return first;
    return first === 253
      ? this.int(2)
      : first === 254
        ? this.int(4)
        : Number(this.take(8).readBigUInt64LE());
  }

  blob(): Buffer {
    return this.take(this.size());
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: this.size() }, read);
  }
}

/** Hashes in display order; sizes in bytes. */
function readTx(cursor: Cursor, dip2: boolean) {
  const start = cursor.at;
  const version = cursor.int(4);
  let flag = 0;
  if (cursor.data[cursor.at] === 0) {
    cursor.take(1);
    flag = cursor.int(1);
  }
  const bodyFrom = cursor.at;
  const inputs = cursor.list(() => ({
    prevTxid: display(cursor.take(32)),
    prevIndex: cursor.int(4),
    script: cursor.blob(),
    sequence: cursor.int(4),
    witness: [] as Buffer[],
  }));
  const outputs = cursor.list(() => ({
    value: cursor.take(8).readBigUInt64LE(),
    script: cursor.blob(),
  }));
  const bodyTo = cursor.at;
  if ((flag & 1) !== 0)
    for (const input of inputs) input.witness = cursor.list(() => cursor.blob());
  if ((flag & 8) !== 0 && cursor.int(1) !== 0)
    throw new Error('oracle: MWEB part in a block transaction');
  const tailFrom = cursor.at;
  const lockTime = cursor.int(4);
  const payload =
    dip2 && (version & 0xffff) >= 3 && version >>> 16 !== 0 ? cursor.blob() : undefined;
  const whole = cursor.data.subarray(start, cursor.at);
  const stripped = Buffer.concat([
    cursor.data.subarray(start, start + 4),
    cursor.data.subarray(bodyFrom, bodyTo),
    cursor.data.subarray(tailFrom, cursor.at),
  ]);
  return {
    version,
    flag,
    inputs,
    outputs,
    lockTime,
    payload,
    txid: display(doubleSha(stripped)),
    wtxid: display(doubleSha(whole)),
    size: whole.length,
    strippedSize: stripped.length,
  };
}

/** One transaction and nothing after it; `dip2` for the Dash family. */
export function decodeTx(data: Uint8Array, options: { dip2?: boolean } = {}) {
  const cursor = new Cursor(data);
  const tx = readTx(cursor, options.dip2 === true);
  if (cursor.at !== cursor.data.length) throw new Error('oracle: bytes after the transaction');
  return tx;
}

/** `hash` is sha256d of the header; `tail` is what follows the last transaction: MWEB or votes. */
export function decodeBlock(data: Uint8Array, options: { dip2?: boolean } = {}) {
  const cursor = new Cursor(data);
  const header = cursor.data.subarray(0, 80);
  return {
    version: cursor.int(4),
    prevHash: display(cursor.take(32)),
    merkleRoot: display(cursor.take(32)),
    time: cursor.int(4),
    bits: cursor.int(4),
    nonce: cursor.int(4),
    hash: display(doubleSha(header)),
    transactions: cursor.list(() => readTx(cursor, options.dip2 === true)),
    tail: cursor.take(cursor.data.length - cursor.at),
  };
}

/** Root over hashes in display order, in display order: the textbook recursion. */
export function rootOf(hashes: readonly string[]): string {
  const [only] = hashes;
  if (only === undefined) throw new Error('oracle: no hashes');
  if (hashes.length === 1) return only;
  const above: string[] = [];
  for (let i = 0; i < hashes.length; i += 2) {
    const left = flip(Buffer.from(hashes[i] ?? '', 'hex'));
    const right = flip(Buffer.from(hashes[i + 1] ?? hashes[i] ?? '', 'hex'));
    above.push(display(doubleSha(Buffer.concat([left, right]))));
  }
  return rootOf(above);
}

/** BIP141: whether the coinbase's last commitment output matches the witnesses of the block. */
export function commitmentHolds(block: OracleBlock): boolean {
  const [coinbase, ...rest] = block.transactions;
  const output = coinbase?.outputs.findLast((o) =>
    o.script.toString('hex').startsWith('6a24aa21a9ed'),
  );
  const reserved = coinbase?.inputs[0]?.witness[0];
  if (output === undefined || reserved === undefined) return false;
  const wtxids = ['00'.repeat(32), ...rest.map((tx) => tx.wtxid)];
  const root = flip(Buffer.from(rootOf(wtxids), 'hex'));
  return doubleSha(Buffer.concat([root, reserved])).equals(output.script.subarray(6, 38));
}

/**
 * Opcodes of a script one by one, with what a push puts on the stack and where that starts in the
 * script; throws at a push that is cut short.
 */
export function* scriptOps(script: Uint8Array) {
  const cursor = new Cursor(script);
  while (cursor.at < cursor.data.length) {
    const op = cursor.int(1);
    const width = ([1, 2, 4] as const)[op - 76];
    const length = op <= 75 ? op : width === undefined ? -1 : cursor.int(width);
    yield { op, from: cursor.at, data: length < 0 ? undefined : cursor.take(length) };
  }
}

/** Sign-magnitude little-endian. */
export function scriptNumberOf(data: Uint8Array): bigint {
  let value = 0n;
  for (const [i, byte] of data.entries()) value += BigInt(byte) << BigInt(8 * i);
  const sign = 1n << BigInt(8 * data.length - 1);
  return data.length > 0 && value >= sign ? sign - value : value;
}

/** BIP34 height of a coinbase's scriptSig. */
export function heightOf(scriptSig: Uint8Array): number {
  const [first] = scriptOps(scriptSig);
  if (first !== undefined && first.op >= 0x51 && first.op <= 0x60) return first.op - 0x50;
  if (first?.data === undefined) throw new Error('oracle: no height push');
  return Number(scriptNumberOf(first.data));
}
