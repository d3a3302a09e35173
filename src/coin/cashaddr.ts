/**
 * CashAddr, the address form of Bitcoin Cash and eCash (`prefix:payload`): decoding only, for outputs
 * that a template names by address and for miners of such chains. Source: the cashaddr specification.
 */

export interface CashAddress {
  readonly prefix: string;
  readonly type: 'p2pkh' | 'p2sh';
  /** 20 bytes. */
  readonly hash: Uint8Array;
}

const CHARSET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATOR = [
  0x98f2bc8e61n,
  0x79b76d99e2n,
  0xf33e5fb3c4n,
  0xae2eabe2a8n,
  0x1e4f43e470n,
] as const;
const CHECKSUM_WORDS = 8;
/** Version byte: type in bits 3 … 6 (2 and 3 are the token-aware forms), size code 0 is 20 bytes. */
const TYPES: ReadonlyMap<number, CashAddress['type']> = new Map([
  [0x00, 'p2pkh'],
  [0x08, 'p2sh'],
  [0x10, 'p2pkh'],
  [0x18, 'p2sh'],
]);
/** Longest prefix in use is 'bitcoincash'; the payload of a 20-byte hash has 42 characters. */
const MOST_CHARACTERS = 64;

/** Undefined unless text is `prefix:payload`, in one case, with a good checksum and a 20-byte hash. */
export function decodeCashAddress(text: string): CashAddress | undefined {
  if (text.length > MOST_CHARACTERS) return undefined;
  const lower = text.toLowerCase();
  if (text !== lower && text !== text.toUpperCase()) return undefined;
  const colon = lower.indexOf(':');
  const prefix = lower.slice(0, Math.max(0, colon));
  if (!/^[a-z]+$/.test(prefix)) return undefined;
  const words = lower
    .slice(colon + 1)
    .split('')
    .map((character) => CHARSET.indexOf(character));
  if (words.length < CHECKSUM_WORDS || words.includes(-1)) return undefined;
  const low5 = Array.from(prefix, (letter) => letter.charCodeAt(0) & 0x1f);
  if (polymod([...low5, 0, ...words]) !== 0n) return undefined;
  const bytes = regroup(words.slice(0, -CHECKSUM_WORDS));
  const type = TYPES.get(bytes?.[0] ?? -1);
  if (bytes?.length !== 21 || type === undefined) return undefined;
  return { prefix, type, hash: bytes.slice(1) };
}

function polymod(words: readonly number[]): bigint {
  let check = 1n;
  for (const word of words) {
    const top = check >> 35n;
    check = ((check & 0x07_ffff_ffffn) << 5n) ^ BigInt(word);
    for (const [bit, generator] of GENERATOR.entries()) {
      if (((top >> BigInt(bit)) & 1n) === 1n) check ^= generator;
    }
  }
  return check ^ 1n;
}

/** 5-bit words to bytes; undefined where the padding is too long or not zero. */
function regroup(words: readonly number[]): Uint8Array | undefined {
  const bytes: number[] = [];
  let rest = 0;
  let bits = 0;
  for (const word of words) {
    rest = (rest << 5) | word;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push(rest >>> bits);
      rest &= (1 << bits) - 1;
    }
  }
  return bits < 5 && rest === 0 ? Uint8Array.from(bytes) : undefined;
}
