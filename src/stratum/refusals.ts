/**
 * Every way a Stratum request can be refused: what the miner is told, why, and what is counted.
 * `docs/protocol.md` lists exactly these (a test compares them). A refusal is a value; unless it
 * `closes`, the connection stays. Entry point: REFUSALS.
 */
import { SHARE_KIND } from '../ports.ts';
import type { ShareKind } from '../ports.ts';

/** The error texts every Stratum V1 miner knows, by code. */
export const STRATUM_ERRORS = {
  20: 'Other/Unknown',
  21: 'Job not found (=stale)',
  22: 'Duplicate share',
  23: 'Low difficulty share',
  24: 'Unauthorized worker',
  25: 'Not subscribed',
} as const;
export type StratumErrorCode = keyof typeof STRATUM_ERRORS;

export interface Refusal {
  readonly code: StratumErrorCode;
  readonly text: string;
  /** Why, in words: for the log and the documentation. Miners see only code and text. */
  readonly reason: string;
  /** One-minute counter of the server: sums difficulty where `countCounter` is set, else requests. */
  readonly counter: string;
  /** Counts the refused shares of which `counter` sums the difficulty. */
  readonly countCounter?: string;
  /** How the ledger records it; absent where nothing is recorded because there was no share. */
  readonly share?: ShareKind;
  /** The connection is closed after the reply. */
  readonly closes?: true;
}

function other<const R extends string>(reason: R) {
  return { code: 20, text: STRATUM_ERRORS[20], reason, counter: 'unk_err' } as const;
}

function unauthorized<const R extends string>(reason: R) {
  return { code: 24, text: STRATUM_ERRORS[24], reason, counter: 'not_authed_err' } as const;
}

export const REFUSALS = {
  notJson: other('the line is not JSON'),
  notARequest: other('the line is JSON, but not an object with a method'),
  lineTooLong: { ...other('the line is longer than limits.line_bytes'), closes: true },
  unknownMethod: other('there is no such method'),
  badParams: other('the params have the wrong shape for the method'),
  secondSubscribe: other('the connection is already subscribed'),
  noTransactions: other('mining.get_transactions is not served'),
  malformedSubmit: other('a field of the submit is missing, of the wrong length or not hex'),
  timeOutOfRange: other('ntime is outside the range the chain accepts'),
  versionBitsOutsideMask: other('version bits are set outside the agreed mask'),
  notRecorded: other('the share could not be written to the ledger'),
  stale: {
    code: 21,
    text: STRATUM_ERRORS[21],
    reason: 'the job is unknown, no longer kept, or of an older tip',
    counter: 'reject_stale_share_n1',
    countCounter: 'reject_stale_share_count',
    share: SHARE_KIND.stale,
  },
  duplicate: {
    code: 22,
    text: STRATUM_ERRORS[22],
    reason: 'the same header was submitted before',
    counter: 'reject_dup_share_n1',
    countCounter: 'reject_dup_share_count',
    share: SHARE_KIND.duplicate,
  },
  lowDifficulty: {
    code: 23,
    text: STRATUM_ERRORS[23],
    reason: "the hash misses the target of the job's difficulty",
    counter: 'reject_low_share_n1',
    countCounter: 'reject_low_share_count',
    share: SHARE_KIND.lowDifficulty,
  },
  notAuthorized: unauthorized('a submit before mining.authorize succeeded'),
  secondAuthorize: unauthorized('the connection is already authorized'),
  unknownUser: unauthorized('strict: the username is neither an accepted address nor an alias'),
  notSubscribed: {
    code: 25,
    text: STRATUM_ERRORS[25],
    reason: 'mining.authorize before mining.subscribe',
    counter: 'not_subbed_err',
  },
} as const satisfies Record<string, Refusal>;

export type RefusalName = keyof typeof REFUSALS;

/** What counts an accepted share: summed difficulty and number. */
export const ACCEPTED = { counter: 'acc_share_n1', countCounter: 'acc_share_count' } as const;

/** What counts a share paid under `late_share_grace`, in addition to ACCEPTED. */
export const LATE = { counter: 'late_share_n1', countCounter: 'late_share_count' } as const;

/** The `error` member of the reply. */
export function errorOf(refusal: Refusal): [StratumErrorCode, string, null] {
  return [refusal.code, refusal.text, null];
}
