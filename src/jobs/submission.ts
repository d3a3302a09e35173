/**
 * One solved block and one daemon: sending it, and what the daemon's words mean (BIP22). Nothing here
 * throws for what a daemon does or fails to do. Entry points: offer, isInBestChain.
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
/** RPC_INVALID_ADDRESS_OR_KEY: getblockheader's way to say that it does not know the block (bcoin: -1). */
const NOT_FOUND = -5;
/** Not connected, initial download, warming up: the daemon does not look at the block at all. */
const NOT_NOW: ReadonlySet<number> = new Set([-9, -10, -28]);
/** The daemon lacks the parent (bcoin's words too), or its clock is behind: later it may say otherwise. */
const NOT_YET: ReadonlySet<string> = new Set([
  'prev-blk-not-found',
  'rejected: bad-prevblk',
  'time-too-new',
]);
/** It may have the block or not; bcoin says the last one of known blocks, good and bad. */
const LOOK_IT_UP: ReadonlySet<string> = new Set([
  'inconclusive',
  'duplicate-inconclusive',
  'rejected: duplicate',
]);
/** Longest piece of a daemon's answer that is recorded. */
const MAX_ANSWER = 200;

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** Sends the block by submitblock, or by getblocktemplate where the daemon has none; aux: its proof. */
export async function offer(daemon: BlockDaemon, block: SolvedBlock): Promise<Offer> {
  try {
    return await judge(daemon, block, await send(daemon, block));
  } catch (error) {
    const answer = `error: ${messageOf(error)}`.slice(0, MAX_ANSWER);
    const refused =
      error instanceof DaemonError && error.code === 'RPC' && !NOT_NOW.has(error.rpcCode ?? 0);
    // An answer may have been lost: what the daemon has forgotten as work, it may have as a block.
    const mayBeThere = block.submit.kind !== 'block' && refused;
    if (mayBeThere && (await knows(daemon, block.hashHexBE)))
      return { verdict: 'accepted', answer };
    return { verdict: refused ? 'refused' : 'failed', answer };
  }
}

async function send(daemon: BlockDaemon, block: SolvedBlock): Promise<unknown> {
  const { kind, hex, workId } = block.submit;
  if (kind !== 'block') {
    // Checking a proof takes no time: one that hangs is sent again after the usual timeout.
    return await daemon.callParts(kind, [ascii(`"${block.hashHexBE}","`), hex, ascii('"')]);
  }
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
  if (block.submit.kind !== 'block' && typeof result === 'boolean') {
    return { verdict: result ? 'accepted' : 'refused', answer: String(result) };
  }
  if (result === null || result === undefined) return { verdict: 'accepted', answer: 'accepted' };
  const answer = (typeof result === 'string' ? result : JSON.stringify(result)).slice(
    0,
    MAX_ANSWER,
  );
  if (answer === 'duplicate') return { verdict: 'accepted', answer };
  if (LOOK_IT_UP.has(answer)) {
    const isThere = await knows(daemon, block.hashHexBE);
    return { verdict: isThere ? 'accepted' : 'undecided', answer };
  }
  return { verdict: NOT_YET.has(answer) ? 'undecided' : 'refused', answer };
}

/** Whether the daemon has the block, in its best chain or beside it. False if it cannot be asked. */
async function knows(daemon: BlockDaemon, hashHexBE: string): Promise<boolean> {
  try {
    return isObject(await daemon.call('getblockheader', [hashHexBE, true]));
  } catch (error) {
    if (!(error instanceof DaemonError) || error.code !== 'RPC') return false;
    if (error.rpcCode === NOT_FOUND) return false;
  }
  try {
    return isObject(await daemon.call('getblock', [hashHexBE]));
  } catch {
    return false;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/**
 * Whether this is the daemon's block at its height. Asked by height, as some daemons count confirmations
 * also for blocks beside the best chain. Throws DaemonError when it cannot be asked.
 */
export async function isInBestChain(
  daemon: Pick<Daemon, 'call'>,
  block: Pick<SolvedBlock, 'hashHexBE' | 'height'>,
): Promise<boolean> {
  return (await daemon.call('getblockhash', [block.height])) === block.hashHexBE;
}
