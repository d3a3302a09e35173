/**
 * Scripts, as far as a pool writes and counts them: data pushes, script numbers, the BIP34 height, the
 * standard output scripts, legacy signature operations. Nothing is executed here.
 */
import { concatBytes } from './bytes.ts';
import { CoinError } from './errors.ts';

const OP_0 = 0x00;
const OP_PUSHDATA1 = 0x4c;
const OP_PUSHDATA2 = 0x4d;
const OP_PUSHDATA4 = 0x4e;
const OP_1 = 0x51;
const OP_16 = 0x60;
const OP_DUP = 0x76;
const OP_EQUAL = 0x87;
const OP_EQUALVERIFY = 0x88;
const OP_HASH160 = 0xa9;
const OP_CHECKSIG = 0xac;
const OP_CHECKSIGVERIFY = 0xad;
const OP_CHECKMULTISIG = 0xae;
const OP_CHECKMULTISIGVERIFY = 0xaf;

/** What consensus counts for a CHECKMULTISIG whose key count it does not look at. */
const MAX_PUBKEYS_PER_MULTISIG = 20;

/** The shortest push of these bytes with a length byte; never the small-number opcodes. */
export function pushData(bytes: Uint8Array): Uint8Array {
  const length = bytes.length;
  if (length < OP_PUSHDATA1) return concatBytes([Uint8Array.of(length), bytes]);
  if (length <= 0xff) return concatBytes([Uint8Array.of(OP_PUSHDATA1, length), bytes]);
  if (length <= 0xffff) {
    return concatBytes([Uint8Array.of(OP_PUSHDATA2, length & 0xff, length >>> 8), bytes]);
  }
  throw new CoinError('SCRIPT', `a push of ${length} bytes is longer than 65535`);
}

/** Minimal little-endian sign-magnitude number (CScriptNum::serialize); empty for 0. */
export function scriptNumber(value: number): Uint8Array {
  if (!Number.isSafeInteger(value)) {
    throw new CoinError('SCRIPT', `${value} is no whole number a script can carry`);
  }
  const bytes: number[] = [];
  for (let rest = Math.abs(value); rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256);
  const top = bytes.at(-1);
  if (top === undefined) return new Uint8Array(0);
  const sign = value < 0 ? 0x80 : 0;
  if ((top & 0x80) === 0) bytes[bytes.length - 1] = top | sign;
  else bytes.push(sign);
  return Uint8Array.from(bytes);
}

/**
 * The height as BIP34 wants it at the start of a coinbase's scriptSig, in the form the consensus code
 * compares with (`CScript() << nHeight`): OP_0, OP_1 … OP_16, then a push of the script number.
 */
export function heightPush(height: number): Uint8Array {
  if (!Number.isInteger(height) || height < 0 || height > 0x7fff_ffff) {
    throw new CoinError('HEIGHT', `height is ${height}, expected a whole number from 0 to 2^31-1`);
  }
  if (height === 0) return Uint8Array.of(OP_0);
  if (height <= 16) return Uint8Array.of(OP_1 - 1 + height);
  return pushData(scriptNumber(height));
}

export function p2pkhScript(hash: Uint8Array): Uint8Array {
  checkLength(hash, 20, 'key hash');
  return concatBytes([
    Uint8Array.of(OP_DUP, OP_HASH160, 20),
    hash,
    Uint8Array.of(OP_EQUALVERIFY, OP_CHECKSIG),
  ]);
}

export function p2shScript(hash: Uint8Array): Uint8Array {
  checkLength(hash, 20, 'script hash');
  return concatBytes([Uint8Array.of(OP_HASH160, 20), hash, Uint8Array.of(OP_EQUAL)]);
}

/** BIP141: version 0 … 16 and a program of 2 … 40 bytes. */
export function witnessScript(version: number, program: Uint8Array): Uint8Array {
  if (!Number.isInteger(version) || version < 0 || version > 16) {
    throw new CoinError('SCRIPT', `witness version is ${version}, expected 0 to 16`);
  }
  if (program.length < 2 || program.length > 40) {
    throw new CoinError('SCRIPT', `witness program has ${program.length} bytes, expected 2 to 40`);
  }
  const opcode = version === 0 ? OP_0 : OP_1 - 1 + version;
  return concatBytes([Uint8Array.of(opcode, program.length), program]);
}

/** One step through a script: the opcode at `at` and where the next one starts; undefined: cut short. */
function nextOpcode(
  script: Uint8Array,
  at: number,
): { readonly opcode: number; readonly next: number } | undefined {
  const opcode = script[at];
  if (opcode === undefined) return undefined;
  let next = at + 1;
  let size = 0;
  if (opcode < OP_PUSHDATA1) {
    size = opcode;
  } else if (opcode <= OP_PUSHDATA4) {
    const width = 1 << (opcode - OP_PUSHDATA1);
    if (next + width > script.length) return undefined;
    for (let byte = width - 1; byte >= 0; byte -= 1) size = size * 256 + (script[next + byte] ?? 0);
    next += width;
  }
  next += size;
  return next > script.length ? undefined : { opcode, next };
}

/**
 * Signature operations as consensus counts them in every scriptSig and output (GetSigOpCount(false)),
 * not yet times four: a multisig counts 20, counting ends where a push is cut short.
 */
export function countSigops(script: Uint8Array): number {
  let count = 0;
  let at = 0;
  for (;;) {
    const step = nextOpcode(script, at);
    if (step === undefined) return count;
    if (step.opcode === OP_CHECKSIG || step.opcode === OP_CHECKSIGVERIFY) count += 1;
    if (step.opcode === OP_CHECKMULTISIG || step.opcode === OP_CHECKMULTISIGVERIFY) {
      count += MAX_PUBKEYS_PER_MULTISIG;
    }
    at = step.next;
  }
}

/** Whether the bytes are whole pushes and small numbers only, so that what follows them stays a script. */
export function isPushOnly(script: Uint8Array): boolean {
  let at = 0;
  while (at < script.length) {
    const step = nextOpcode(script, at);
    if (step === undefined || step.opcode > OP_16) return false;
    at = step.next;
  }
  return true;
}

function checkLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) {
    throw new CoinError('SCRIPT', `${what} has ${bytes.length} bytes, expected ${length}`);
  }
}
