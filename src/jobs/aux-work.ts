/**
 * An aux daemon's answer to createauxblock or getauxblock as typed, validated values. Old daemons give
 * only hash, chain id and target. Where there are both bits and a target they must agree, in one of the
 * two byte orders that daemons write. Entry point: parseAuxWork.
 */
import { fromHex, reversed } from '../coin/bytes.ts';
import {
  bitsFromTarget,
  compactFromHex,
  difficultyFromTarget,
  targetFromBits,
  targetFromLE,
  targetToLE,
} from '../coin/target.ts';
import type { RawTemplate } from '../daemon/group.ts';
import { messageOf } from '../errors.ts';
import { TemplateError } from './template-error.ts';

export interface AuxWork {
  /** Id of the aux block, display order and internal order. */
  readonly hashHexBE: string;
  readonly hashLE: Uint8Array;
  readonly chainId: number;
  readonly targetLE: Uint8Array;
  /** Upper-case hex (contract §5). */
  readonly bitsHex: string;
  /** On the chain's own diff1. */
  readonly networkDifficulty: number;
  readonly height: number;
  /** Display order; undefined where the daemon does not say. */
  readonly prevHashHexBE: string | undefined;
  /** What the block pays, fees included, smallest unit; null where the daemon does not say. */
  readonly value: bigint | null;
  /** "address:port": the only one that knows this work. */
  readonly daemon: string;
}

export interface AuxRules {
  /** The setting chain_id: what the daemon has to say, or what counts where it says nothing. */
  readonly chainId: number | null;
  readonly diff1: bigint;
}

type Fields = Readonly<Record<string, unknown>>;

const UINT32_MAX = 0xffff_ffff;
const MAX_HEIGHT = 0x7fff_ffff;
const MAX_SHOWN = 80;

/** Throws TemplateError that names the field, what was seen and what was expected. */
export function parseAuxWork(
  raw: Pick<RawTemplate, 'body' | 'daemon' | 'askedHeight'>,
  rules: AuxRules,
): AuxWork {
  const fields = fieldsOf(raw.body);
  const hash = hashField(fields, 'hash');
  if (hash === undefined) throw wrong('hash', fields['hash'], '64 hex digits');
  const target = targetOf(fields);
  return {
    hashHexBE: hash,
    hashLE: reversed(fromHex(hash)),
    chainId: chainIdOf(fields, rules.chainId),
    targetLE: targetToLE(target),
    bitsHex: bitsFromTarget(target).toString(16).padStart(8, '0').toUpperCase(),
    networkDifficulty: difficultyFromTarget(target, rules.diff1),
    height: heightOf(fields['height'] ?? raw.askedHeight),
    prevHashHexBE: hashField(fields, 'previousblockhash'),
    value: valueOf(fields['coinbasevalue']),
    daemon: raw.daemon.key,
  };
}

function fieldsOf(body: Buffer): Fields {
  const { result } = JSON.parse(body.toString('utf8')) as { readonly result: unknown };
  if (typeof result === 'object' && result !== null && !Array.isArray(result)) return { ...result };
  throw new TemplateError('AUX_WORK', `aux work is ${shown(result)}, expected an object`);
}

function hashField(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value)) return value.toLowerCase();
  throw wrong(name, value, '64 hex digits');
}

function chainIdOf(fields: Fields, wanted: number | null): number {
  const value = fields['chainid'];
  if ((value === undefined || value === null) && wanted !== null) return wanted;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > UINT32_MAX) {
    throw wrong('chainid', value, `a whole number from 0 to ${UINT32_MAX}`);
  }
  if (wanted !== null && value !== wanted) {
    throw wrong('chainid', value, `${wanted} (setting chain_id)`);
  }
  return value;
}

function heightOf(value: unknown): number {
  const fits = typeof value === 'number' && Number.isInteger(value);
  if (fits && value >= 0 && value <= MAX_HEIGHT) return value;
  throw wrong('height', value, `a whole number from 0 to ${MAX_HEIGHT}`);
}

function valueOf(value: unknown): bigint | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  throw wrong('coinbasevalue', value, 'a whole number of the smallest unit');
}

function targetOf(fields: Fields): bigint {
  const written = hashField(fields, 'target') ?? hashField(fields, '_target');
  const { bits } = fields;
  if (bits === undefined || bits === null) {
    if (written !== undefined) return targetAlone(written);
    throw wrong('bits', bits, '8 hex digits, or a field target or _target');
  }
  let target: bigint;
  try {
    target = targetFromBits(compactFromHex(typeof bits === 'string' ? bits : shown(bits)));
  } catch (error) {
    throw wrong('bits', bits, `a compact target (${messageOf(error)})`);
  }
  if (written !== undefined && !readings(written).includes(target)) {
    throw wrong('target', written, `what bits ${String(bits)} mean, in either byte order`);
  }
  return target;
}

/** Little-endian first: what the daemons in the field write. */
function readings(written: string): readonly [bigint, bigint] {
  const bytes = fromHex(written);
  return [targetFromLE(bytes), targetFromLE(reversed(bytes))];
}

/** A target is what its compact form says, so that a reading with lower bits set is the wrong one. */
function targetAlone(written: string): bigint {
  const found = readings(written).find((target) => {
    try {
      return targetFromBits(bitsFromTarget(target)) === target;
    } catch {
      return false;
    }
  });
  if (found !== undefined) return found;
  throw wrong('target', written, 'a target that a compact form exists for, in either byte order');
}

function wrong(name: string, seen: unknown, expected: string): TemplateError {
  return new TemplateError(
    'AUX_WORK',
    `aux work: ${name} is ${shown(seen)}, expected ${expected}; the work is not used`,
  );
}

function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}
