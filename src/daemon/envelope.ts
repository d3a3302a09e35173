/**
 * JSON-RPC envelopes as bytes: what is sent, and what an answer says about its call. Pure; nothing here
 * knows of sockets. A daemon's answer is checked before anybody uses it: it must be the answer to this
 * call, and an error in it becomes a DaemonError. Entry points: `encodeCall`, `decodeAnswer`,
 * `decodeBatch`, `checkRawAnswer`.
 */
import { DaemonError } from './error.ts';

export interface Call {
  readonly method: string;
  readonly params: readonly unknown[];
}

export type CallResult =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: DaemonError };

/** Who was asked for what: the beginning of every message about the answer. */
export interface Asked {
  /** "address:port" */
  readonly daemon: string;
  readonly method: string;
  readonly id: number;
}

/** Longest piece of a daemon's own words that goes into a message. */
const MAX_QUOTE = 300;

/** Up to here an answer is simply parsed; a longer one (a template) is looked at from both ends. */
const PARSE_LIMIT = 32 * 1024;

/** How much of either end holds every member of the envelope other than the result. */
const ENVELOPE_END = 512;

/** A daemon's own words, fit for one log line. */
export function quote(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is removed
  const clean = text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
  return clean.length > MAX_QUOTE ? `${clean.slice(0, MAX_QUOTE)}…` : clean;
}

/** Protocol 1.0 is what every daemon speaks; one that knows 2.0 answers it in the old way. */
export function encodeCall(id: number, call: Call): string {
  return JSON.stringify({ jsonrpc: '1.0', id, method: call.method, params: call.params });
}

/** The text before and after the inside of the params array, for parameters that are bytes already. */
export function callFrame(id: number, method: string): { head: Buffer; tail: Buffer } {
  const head = `{"jsonrpc":"1.0","id":${id},"method":${JSON.stringify(method)},"params":[`;
  return { head: Buffer.from(head, 'latin1'), tail: Buffer.from(']}', 'latin1') };
}

function bad(asked: Asked, seen: string, cause?: unknown): DaemonError {
  return new DaemonError(
    'BAD_ANSWER',
    `daemon ${asked.daemon}, ${asked.method}: ${seen}; expected a JSON-RPC answer to call ${asked.id}`,
    { cause },
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function rpcError(asked: Asked, error: unknown): DaemonError {
  const code = isRecord(error) && typeof error['code'] === 'number' ? error['code'] : undefined;
  const text =
    isRecord(error) && typeof error['message'] === 'string'
      ? error['message']
      : JSON.stringify(error);
  return new DaemonError(
    'RPC',
    `daemon ${asked.daemon}, ${asked.method}: ${quote(text)} (RPC error ${code ?? 'without a code'})`,
    code === undefined ? {} : { rpcCode: code },
  );
}

function httpError(asked: Asked, status: number, body: Buffer): DaemonError {
  const { daemon, method } = asked;
  if (status === 401) {
    return new DaemonError(
      'AUTH',
      `daemon ${daemon}, ${method}: user and password were refused (HTTP 401); check username and password or the cookie file`,
    );
  }
  if (status === 403) {
    return new DaemonError(
      'AUTH',
      `daemon ${daemon}, ${method}: this address may not call it (HTTP 403); check the daemon's rpcallowip`,
    );
  }
  const words = quote(body.toString('utf8', 0, MAX_QUOTE));
  return new DaemonError(
    'HTTP',
    `daemon ${daemon}, ${method}: HTTP status ${status} without a JSON-RPC answer${words === '' ? '' : `: ${words}`}`,
  );
}

/** The parsed body. JSON-RPC 1.0 errors come with HTTP 500, 2.0 ones with 200: the body decides. */
function parseBody(asked: Asked, status: number, body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch (error) {
    if (status !== 200) throw httpError(asked, status, body);
    throw bad(asked, `an answer of ${body.length} bytes that is not JSON`, error);
  }
}

function envelopeResult(asked: Asked, status: number, answer: unknown): unknown {
  if (!isRecord(answer)) throw bad(asked, 'JSON that is not an object');
  const error = answer['error'];
  if (error !== null && error !== undefined) throw rpcError(asked, error);
  if (status !== 200) throw bad(asked, `HTTP status ${status} with no error in it`);
  if (answer['id'] !== asked.id) {
    throw bad(asked, `the answer to call ${quote(JSON.stringify(answer['id']) ?? 'without id')}`);
  }
  if (!('result' in answer)) throw bad(asked, 'an answer without a result');
  return answer['result'];
}

/** The result member of an answer; throws DaemonError for everything that is not a success. */
export function decodeAnswer(asked: Asked, status: number, body: Buffer): unknown {
  if (status === 401 || status === 403) throw httpError(asked, status, body);
  return envelopeResult(asked, status, parseBody(asked, status, body));
}

/** Results in the order of the calls `firstId`, `firstId + 1`, …; one failed call fails only itself. */
export function decodeBatch(
  asked: Omit<Asked, 'id' | 'method'>,
  calls: readonly Call[],
  firstId: number,
  status: number,
  body: Buffer,
): CallResult[] {
  const whole: Asked = { ...asked, method: `batch of ${calls.length} calls`, id: firstId };
  if (status === 401 || status === 403) throw httpError(whole, status, body);
  const answers = parseBody(whole, status, body);
  if (!Array.isArray(answers)) {
    envelopeResult(whole, status, answers);
    throw bad(whole, 'one answer instead of a list');
  }
  const byId = new Map<unknown, unknown>();
  for (const answer of answers.slice(0, calls.length)) {
    if (isRecord(answer)) byId.set(answer['id'], answer);
  }
  return calls.map((call, index): CallResult => {
    const one: Asked = { ...asked, method: call.method, id: firstId + index };
    try {
      return { ok: true, result: envelopeResult(one, 200, byId.get(one.id)) };
    } catch (error) {
      if (error instanceof DaemonError) return { ok: false, error };
      throw error;
    }
  });
}

/** `"error":` followed by anything but null, in one end of a long answer. */
const ERROR_MEMBER = /"error"\s*:\s*(?!null\b)\S/;

/**
 * Throws unless the body is a success, without parsing a long one: both ends of the text, where every
 * daemon puts id and error, are looked at. A result that only looks like an error costs one parse.
 */
export function checkRawAnswer(asked: Asked, status: number, body: Buffer): void {
  if (status !== 200 || body.length <= PARSE_LIMIT) {
    decodeAnswer(asked, status, body);
    return;
  }
  const head = body.toString('latin1', 0, ENVELOPE_END);
  const tail = body.toString('latin1', body.length - ENVELOPE_END);
  const whole = /^\s*\{/.test(head) && /\}\s*$/.test(tail);
  const id = new RegExp(`"id"\\s*:\\s*${asked.id}\\b`);
  const named = id.test(head) || id.test(tail);
  if (!whole || !named || ERROR_MEMBER.test(head) || ERROR_MEMBER.test(tail)) {
    decodeAnswer(asked, status, body);
  }
}
