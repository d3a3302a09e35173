/**
 * One solved block and one daemon: sending it, and what the daemon's words mean (BIP22). Nothing here
 * throws for what a daemon does or fails to do. Entry points: offer, confirmationsOf.
 */
import type { Daemon } from '../daemon/rpc.ts';
import { DaemonError } from '../daemon/error.ts';
import { messageOf } from '../errors.ts';
import type { SolvedBlock } from '../ports.ts';

export type BlockDaemon = Pick<Daemon, 'key' | 'call' | 'callParts' | 'batch'>;

export type Verdict =
  /** It has the block. */
  | 'accepted'
  /** It says that the block is bad. */
  | 'refused'
  /** It answered and has not decided, or cannot: it may yet be the best block. */
  | 'undecided'
  /** No answer. */
  | 'failed';

export interface Offer {
  readonly verdict: Verdict;
  /** For BlockAnswer: 'accepted', the daemon's own word, or 'error: …'. */
  readonly answer: string;
}

/** Validating a full block takes a slow daemon seconds. */
const SUBMIT_TIMEOUT_MS = 60_000;
const METHOD_NOT_FOUND: ReadonlySet<number> = new Set([-32601, -8]);
/** RPC_INVALID_ADDRESS_OR_KEY: getblockheader's way to say that it does not know the block. */
const NOT_FOUND = -5;
/** Not connected, initial download, warming up: the daemon does not look at the block at all. */
const NOT_NOW: ReadonlySet<number> = new Set([-9, -10, -28]);
/** The daemon lacks the parent, or its clock is behind: later it may say something else. */
const NOT_YET: ReadonlySet<string> = new Set(['prev-blk-not-found', 'time-too-new']);
const INCONCLUSIVE: ReadonlySet<string> = new Set(['inconclusive', 'duplicate-inconclusive']);
/** Longest piece of a daemon's answer that is recorded. */
const MAX_ANSWER = 200;

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** Sends the block by submitblock, or by getblocktemplate where the daemon has none. */
export async function offer(daemon: BlockDaemon, block: SolvedBlock): Promise<Offer> {
  try {
    return await judge(daemon, block, await send(daemon, block));
  } catch (error) {
    const answer = `error: ${messageOf(error)}`.slice(0, MAX_ANSWER);
    const refused =
      error instanceof DaemonError && error.code === 'RPC' && !NOT_NOW.has(error.rpcCode ?? 0);
    return { verdict: refused ? 'refused' : 'failed', answer };
  }
}

async function send(daemon: BlockDaemon, block: SolvedBlock): Promise<unknown> {
  const { hex, workId } = block.submit;
  const options = { timeoutMs: SUBMIT_TIMEOUT_MS };
  const work = workId === undefined ? '' : `"workid":${JSON.stringify(workId)}`;
  try {
    const end = ascii(work === '' ? '"' : `",{${work}}`);
    return await daemon.callParts('submitblock', [ascii('"'), hex, end], options);
  } catch (error) {
    const isMissing = error instanceof DaemonError && METHOD_NOT_FOUND.has(error.rpcCode ?? 0);
    if (!isMissing) throw error;
    const start = ascii('{"mode":"submit","data":"');
    const end = ascii(work === '' ? '"}' : `",${work}}`);
    return await daemon.callParts('getblocktemplate', [start, hex, end], options);
  }
}

async function judge(daemon: BlockDaemon, block: SolvedBlock, result: unknown): Promise<Offer> {
  if (result === null || result === undefined) return { verdict: 'accepted', answer: 'accepted' };
  const answer = (typeof result === 'string' ? result : JSON.stringify(result)).slice(
    0,
    MAX_ANSWER,
  );
  if (answer === 'duplicate') return { verdict: 'accepted', answer };
  if (INCONCLUSIVE.has(answer)) {
    const isThere = (await confirmationsOf(daemon, block.hashHexBE)) !== undefined;
    return { verdict: isThere ? 'accepted' : 'undecided', answer };
  }
  return { verdict: NOT_YET.has(answer) ? 'undecided' : 'refused', answer };
}

/**
 * Confirmations of a block by this daemon: at least 1 in its best chain, -1 beside it; undefined where
 * it does not know the block. Throws DaemonError when it cannot be asked.
 */
export async function confirmationsOf(
  daemon: Pick<Daemon, 'key' | 'call'>,
  hashHexBE: string,
): Promise<number | undefined> {
  try {
    return confirmationsIn(daemon.key, await daemon.call('getblockheader', [hashHexBE, true]));
  } catch (error) {
    if (!(error instanceof DaemonError) || error.code !== 'RPC') throw error;
    if (error.rpcCode === NOT_FOUND) return undefined;
  }
  try {
    return confirmationsIn(daemon.key, await daemon.call('getblock', [hashHexBE]));
  } catch (error) {
    if (error instanceof DaemonError && error.rpcCode === NOT_FOUND) return undefined;
    throw error;
  }
}

function confirmationsIn(daemon: string, result: unknown): number {
  const value: unknown =
    typeof result === 'object' && result !== null && 'confirmations' in result
      ? result.confirmations
      : undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new DaemonError(
    'BAD_ANSWER',
    `daemon ${daemon}: the answer about a block has no whole number of confirmations`,
  );
}
