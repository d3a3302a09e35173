/**
 * What getblocktemplate is asked with, and what an answer says at a glance. Pure. Rules come from the
 * chain's settings and, where a daemon wants others, from its own error text, so that no coin is named
 * here. Not here: reading the template (jobs room).
 */

/** BIP22/BIP23. Never coinbasetxn: some daemons then leave out coinbasevalue. */
export const CAPABILITIES = ['coinbasevalue', 'coinbase/append', 'workid', 'longpoll'] as const;

/** Asked for where the settings name no rules: every segwit chain needs it, older ones ignore it. */
export const DEFAULT_RULES: readonly string[] = ['segwit'];

/** What one daemon taught us about its getblocktemplate. */
export interface Learned {
  /** Rules it wants besides the configured ones. */
  readonly rules: readonly string[];
  /** It takes no parameter at all (very old daemons). */
  readonly bare: boolean;
}

export const NOTHING_LEARNED: Learned = { rules: [], bare: false };

const MAX_RULES = 16;
const RPC_MISC_ERROR = -1;
const RPC_INVALID_PARAMS = -32602;

/** Parameters of the plain call. */
export function templateParams(rules: readonly string[] = DEFAULT_RULES): readonly unknown[] {
  return [{ capabilities: [...CAPABILITIES], rules: [...rules] }];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function rulesOf(params: readonly unknown[]): string[] {
  const request = params[0];
  const rules = isRecord(request) ? request['rules'] : undefined;
  return Array.isArray(rules) ? rules.filter((rule) => typeof rule === 'string') : [];
}

/** The parameters as this daemon wants them; with `longpoll` (a longpollid) the call that waits for other work. */
export function requestFor(
  params: readonly unknown[],
  learned: Learned,
  longpoll?: string,
): readonly unknown[] {
  if (learned.bare && longpoll === undefined) return [];
  const request = isRecord(params[0]) ? { ...params[0] } : {};
  const rules = [...new Set([...rulesOf(params), ...learned.rules])];
  if (rules.length > 0) request['rules'] = rules;
  if (longpoll !== undefined) request['longpollid'] = longpoll;
  return [request];
}

/**
 * What a refusal of getblocktemplate teaches, or undefined when it teaches nothing new. Texts seen:
 * `(call with {"rules": ["mweb", "segwit"]})` of Bitcoin-like daemons, `Client must support csv.` of
 * bcoin, and the usage text of daemons that take no parameter.
 */
export function learn(
  params: readonly unknown[],
  learned: Learned,
  rpcCode: number | undefined,
  message: string,
): Learned | undefined {
  const text = message.slice(0, 1000);
  const listed = /"rules"\s*:\s*\[([^\]]*)\]/.exec(text)?.[1];
  const named =
    listed === undefined
      ? [/must support ([a-z0-9_-]{1,32})\b/.exec(text)?.[1]]
      : [...listed.matchAll(/"([a-z0-9_-]{1,32})"/g)].map((match) => match[1]);
  const have = new Set([...rulesOf(params), ...learned.rules]);
  const fresh = named.filter((rule) => rule !== undefined).filter((rule) => !have.has(rule));
  const rules = [...learned.rules, ...new Set(fresh)];
  if (fresh.length > 0 && rules.length <= MAX_RULES) return { rules, bare: false };
  const usage = rpcCode === RPC_MISC_ERROR || rpcCode === RPC_INVALID_PARAMS;
  if (usage && !learned.bare && /\bgetblocktemplate\s*[\s([]/.test(text)) {
    return { rules: learned.rules, bare: true };
  }
  return undefined;
}

/** previousblockhash of a template, display order, without parsing it: the tip the work builds on. */
export function previousBlockHash(body: Buffer): string | undefined {
  return stringMember(body, '"previousblockhash"', 'first', /^[0-9a-f]{64}$/i)?.toLowerCase();
}

/** longpollid of a template. Daemons write it after the transactions. */
export function longpollId(body: Buffer): string | undefined {
  return stringMember(body, '"longpollid"', 'last', /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/);
}

/** Room for `"longpollid" : "…"` with 256 characters in it. */
const MEMBER_BYTES = 300;

function stringMember(
  body: Buffer,
  name: string,
  which: 'first' | 'last',
  shape: RegExp,
): string | undefined {
  const at =
    which === 'first' ? body.indexOf(name, 0, 'latin1') : body.lastIndexOf(name, -1, 'latin1');
  if (at < 0) return undefined;
  const text = body.toString('latin1', at + name.length, at + name.length + MEMBER_BYTES);
  const value = /^\s*:\s*"([^"\\]*)"/.exec(text)?.[1];
  return value !== undefined && shape.test(value) ? value : undefined;
}
