/**
 * Addresses: base58check with configurable versions and checksum, bech32 and bech32m (BIP173, BIP350),
 * cashaddr. Entry points: `isAddress` (a miner's name), `addressToScript` (a payee), `describeAddress`
 * (for messages). Texts come from miners and are of any length and content.
 */
import { base58, bech32, bech32m } from '@scure/base';
import { equalBytes } from './bytes.ts';
import { decodeCashAddress } from './cashaddr.ts';
import { CoinError } from './errors.ts';
import { sha256d } from './hash.ts';
import { NETWORKS, type AddressRules } from './networks.ts';
import { p2pkhScript, p2shScript, witnessScript } from './script.ts';

export type DecodedAddress =
  | { readonly form: 'base58'; readonly version: number; readonly hash: Uint8Array }
  | {
      readonly form: 'segwit';
      readonly hrp: string;
      readonly version: number;
      readonly program: Uint8Array;
    }
  | {
      readonly form: 'cashaddr';
      readonly prefix: string;
      readonly type: 'p2pkh' | 'p2sh';
      readonly hash: Uint8Array;
    };

/** 26 bytes (two-byte version, hash, checksum) are at most 36 digits; base58 costs their square. */
const MOST_BASE58 = 40;
/** BIP173. */
const MOST_BECH32 = 90;
const HASH = 20;
const CHECKSUM = 4;

/**
 * Undefined where text is no valid address or not one of these rules. Without rules every base58check
 * address with a 20-byte hash, every segwit and every cashaddr address is taken.
 */
export function decodeAddress(text: string, rules?: AddressRules): DecodedAddress | undefined {
  const decoded =
    decodeBase58(text, rules?.checksum ?? sha256d) ?? decodeSegwit(text) ?? decodeCash(text, rules);
  if (decoded === undefined || rules === undefined || belongs(decoded, rules)) return decoded;
  return undefined;
}

/**
 * Whether a miner's name is an address. `versions` empty: any base58 version; `hrps` empty: any segwit
 * (or, with its prefix, cashaddr) address.
 */
export function isAddress(
  text: string,
  versions: readonly number[],
  hrps: readonly string[],
): boolean {
  const decoded = decodeAddress(text) ?? decodeCash(text, { p2pkh: [], p2sh: [], hrps });
  if (decoded === undefined) return false;
  if (decoded.form === 'base58') return versions.length === 0 || versions.includes(decoded.version);
  return hrps.length === 0 || hrps.includes(prefixOf(decoded));
}

/**
 * Output script of an address. Without rules the well-known chains decide whether a base58 version is a
 * key or a script hash, where they agree. Throws CoinError naming what was expected.
 */
export function addressToScript(text: string, rules?: AddressRules): Uint8Array {
  const decoded = decodeAddress(text, rules);
  if (decoded === undefined) {
    throw new CoinError(
      'ADDRESS',
      `${shown(text)} is ${describeAddress(text)}, expected ${describeRules(rules)}`,
    );
  }
  if (decoded.form === 'segwit') return witnessScript(decoded.version, decoded.program);
  const type = decoded.form === 'cashaddr' ? decoded.type : typeOfVersion(decoded.version, rules);
  if (type === undefined) {
    throw new CoinError(
      'ADDRESS',
      `${shown(text)} is ${describeAddress(text)}: whether that version is a key or a script hash is ` +
        `not known here; its versions have to be configured`,
    );
  }
  return type === 'p2pkh' ? p2pkhScript(decoded.hash) : p2shScript(decoded.hash);
}

/** What a text is, for a message: 'a base58 address of version 48 (litecoin main)', 'no valid address'. */
export function describeAddress(text: string): string {
  const decoded = decodeAddress(text);
  if (decoded === undefined) return 'no valid address';
  const what =
    decoded.form === 'base58'
      ? `a base58 address of version ${decoded.version}`
      : `a ${decoded.form} address of prefix ${prefixOf(decoded)}`;
  const names = allNetworks().flatMap(([name, rules]) => (belongs(decoded, rules) ? [name] : []));
  return names.length === 0 ? what : `${what} (${names.join(', ')})`;
}

function decodeBase58(
  text: string,
  checksum: (versioned: Uint8Array) => Uint8Array,
): DecodedAddress | undefined {
  if (text.length > MOST_BASE58) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = base58.decode(text);
  } catch {
    return undefined;
  }
  const versioned = bytes.subarray(0, -CHECKSUM);
  const width = versioned.length - HASH;
  if (width !== 1 && width !== 2) return undefined;
  if (!equalBytes(checksum(versioned).subarray(0, CHECKSUM), bytes.subarray(-CHECKSUM))) {
    return undefined;
  }
  const [first = 0, second = 0] = versioned;
  const version = width === 1 ? first : first * 256 + second;
  // A two-byte version of 0 … 255 would be taken for the one-byte version of the same number.
  if (width === 2 && first === 0) return undefined;
  return { form: 'base58', version, hash: new Uint8Array(versioned.subarray(width)) };
}

function decodeSegwit(text: string): DecodedAddress | undefined {
  if (text.length > MOST_BECH32) return undefined;
  for (const code of [bech32, bech32m]) {
    const words = code.decodeUnsafe(text, MOST_BECH32);
    const version = words?.words[0];
    if (words === undefined || version === undefined || version > 16) continue;
    // BIP350: version 0 has the old checksum, every other the new one.
    if ((version === 0) !== (code === bech32)) continue;
    const program = code.fromWordsUnsafe(words.words.slice(1));
    if (!(program instanceof Uint8Array) || program.length < 2 || program.length > 40) continue;
    if (version === 0 && program.length !== 20 && program.length !== 32) continue;
    return { form: 'segwit', hrp: words.prefix, version, program: new Uint8Array(program) };
  }
  return undefined;
}

/** The prefix may be left out where the rules say which there are. */
function decodeCash(text: string, rules: AddressRules | undefined): DecodedAddress | undefined {
  const texts = text.includes(':') ? [text] : (rules?.hrps ?? []).map((hrp) => `${hrp}:${text}`);
  for (const whole of texts) {
    const decoded = decodeCashAddress(whole);
    if (decoded !== undefined) return { form: 'cashaddr', ...decoded };
  }
  return undefined;
}

function prefixOf(decoded: Exclude<DecodedAddress, { form: 'base58' }>): string {
  return decoded.form === 'segwit' ? decoded.hrp : decoded.prefix;
}

function belongs(decoded: DecodedAddress, rules: AddressRules): boolean {
  if (decoded.form !== 'base58') return rules.hrps.includes(prefixOf(decoded));
  return rules.p2pkh.includes(decoded.version) || rules.p2sh.includes(decoded.version);
}

/** Undefined where no rules know the version or the well-known chains disagree about it. */
function typeOfVersion(version: number, rules?: AddressRules): 'p2pkh' | 'p2sh' | undefined {
  const candidates = rules === undefined ? allNetworks().map(([, known]) => known) : [rules];
  const key = candidates.some((known) => known.p2pkh.includes(version));
  const script = candidates.some((known) => known.p2sh.includes(version));
  if (rules !== undefined && key) return 'p2pkh';
  if (key === script) return undefined;
  return key ? 'p2pkh' : 'p2sh';
}

function allNetworks(): readonly (readonly [name: string, rules: AddressRules])[] {
  return Object.entries(NETWORKS).flatMap(([chain, networks]) =>
    Object.entries<AddressRules>(networks).map(
      ([network, rules]) => [`${chain} ${network}`, rules] as const,
    ),
  );
}

function describeRules(rules: AddressRules | undefined): string {
  if (rules === undefined) return 'a base58check, bech32, bech32m or cashaddr address';
  const forms: string[] = [];
  const versions = [...rules.p2pkh, ...rules.p2sh];
  if (versions.length > 0) forms.push(`a base58 address of version ${versions.join(' or ')}`);
  if (rules.hrps.length > 0) forms.push(`an address of prefix ${rules.hrps.join(' or ')}`);
  return forms.join(', or ');
}

/** Hostile texts do not fill a log line. */
function shown(text: string): string {
  return JSON.stringify(text.length > MOST_BECH32 ? `${text.slice(0, MOST_BECH32)}…` : text);
}
