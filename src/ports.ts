/**
 * Every seam of the house on one page: what one room may know of another. Types only.
 *
 * Everything here that crosses a thread (Job, Solve, ShareRecord …) is plain data that survives a
 * structured clone. Byte order is in the names: `LE` is the order in which a hash stands in a header
 * and compares as a little-endian integer, `HexBE` is display order.
 */

// ---------------------------------------------------------------- jobs → stratum

/** Why a job was made: a new main tip, changed aux work, or only new transactions. */
export type JobKind = 'flush' | 'push' | 'plain';

/**
 * Work for miners. It never changes once made, and it holds all that a listener needs to check a share
 * without asking anyone (design rule 1).
 */
export interface Job {
  /** Hex, unique within a run of the pool, over all chains. */
  readonly id: string;
  /** Key of the job manager (main chain) that made it. */
  readonly chain: string;
  readonly currency: string;
  /** Name of the proof-of-work algorithm, as in `algorithms`. */
  readonly algorithm: string;
  readonly kind: JobKind;
  /** What `clean_jobs` says where the job is announced as it is made. */
  readonly clean: boolean;
  /** Counts main tips of this chain in this run; a job of an older tip than the newest is stale. */
  readonly tip: number;
  readonly height: number;
  /** Non-witness coinbase around the extranonces. */
  readonly coinb1: Uint8Array;
  readonly coinb2: Uint8Array;
  /** Total length of extranonce1 ‖ extranonce2 that stands between coinb1 and coinb2, bytes. */
  readonly extranonceSize: number;
  /** Merkle branch of the coinbase, 32 bytes a level, bottom up, internal byte order. */
  readonly branch: Uint8Array;
  /** How the chain hashes its coinbase; absent: as chains of this algorithm do. */
  readonly txidKind?: 'sha256d' | 'sha256';
  /** Header fields; `prevHashLE` is the 32 bytes as they stand in the header. */
  readonly version: number;
  readonly prevHashLE: Uint8Array;
  readonly bits: number;
  readonly time: number;
  /** The range of ntime that the chain accepts, unix seconds, inclusive. */
  readonly minTime: number;
  readonly maxTime: number;
  /** Version bits a miner may roll (BIP310); 0 where the chain forbids it. No bit of it is set in `version`. */
  readonly versionMask: number;
  /** Network target of the main chain, 32 bytes little-endian. */
  readonly targetLE: Uint8Array;
  /** Network difficulty of the main chain on the chain's own diff1. */
  readonly networkDifficulty: number;
  /** Aux chains whose work is committed to in this coinbase. */
  readonly aux: readonly AuxTarget[];
  /** The whole mining.notify line with its newline, clean_jobs false / true. */
  readonly notify: Uint8Array;
  readonly notifyClean: Uint8Array;
  /** Unix ms at which the daemon's answer (or the tip signal) that led to this job arrived. */
  readonly bornAt: number;
}

export interface AuxTarget {
  /** Key of the aux job manager. */
  readonly chain: string;
  readonly currency: string;
  readonly targetLE: Uint8Array;
}

/** A share whose hash met the target of at least one chain. */
export interface Solve {
  readonly jobId: string;
  /** Keys of the chains whose target the hash meets: the job's main chain and/or its aux chains. */
  readonly chains: readonly string[];
  readonly header: Uint8Array;
  /** extranonce1 ‖ extranonce2 as they stand in the coinbase. */
  readonly extranonce: Uint8Array;
  readonly powHashLE: Uint8Array;
  readonly address: string;
  readonly worker: string;
  /** Key of the stratum server that took the share. */
  readonly server: string;
  /** Difficulty the share was judged by. */
  readonly difficulty: number;
  readonly time: number;
}

/** A main chain (or the switcher over several) as the stratum servers see it. */
export interface JobSource {
  readonly key: string;
  readonly algorithm: string;
  /** The job a newly authorised miner gets; undefined before the first template. */
  current(): Job | undefined;
  /** Called for every job as it is made; returns the unsubscribe function. */
  onJob(listener: (job: Job) => void): () => void;
  /** Called with ids of jobs that can no longer be submitted to, in order to forget them. */
  onRetire(listener: (jobIds: readonly string[]) => void): () => void;
  /** A job with a new coinbase on the current template is wanted (a retarget waits for a new job id). */
  requestVariant(): void;
  /** A listener found a block. Returns at once; the outcome goes to the ledger and the log. */
  solved(solve: Solve): void;
}

// ---------------------------------------------------------------- stratum → ledger

/** Contract §4: the kinds of a share's result. */
export const SHARE_KIND = { accepted: 0, duplicate: 1, lowDifficulty: 2, stale: 3 } as const;
export type ShareKind = (typeof SHARE_KIND)[keyof typeof SHARE_KIND];

/** Where a share was counted: resolved by the ledger to a small number, stable over restarts. */
export interface ShareSource {
  readonly server: string;
  readonly chain: string;
  readonly currency: string;
  readonly algorithm: string;
}

// ---------------------------------------------------------------- jobs → ledger (blocks)

export type BlockState =
  /** logged, no daemon has answered yet: tried again, across restarts */
  | 'pending'
  /** a daemon took it (null, duplicate, inconclusive and then found) */
  | 'accepted'
  /** every daemon that answered refused it */
  | 'rejected'
  /** it was in the best chain and is no longer */
  | 'orphaned'
  /** deep enough to be spent */
  | 'matured';

/** A solved block as it is logged before it is submitted. */
export interface SolvedBlock {
  /** Key of the job manager. */
  readonly chain: string;
  readonly currency: string;
  readonly algorithm: string;
  /** Block id in display order: with `chain` the key under which a solve exists once. */
  readonly hashHexBE: string;
  readonly height: number;
  readonly address: string;
  readonly worker: string;
  readonly server: string;
  /** Unix ms. */
  readonly time: number;
  /** coinbasevalue: everything the block creates for its miner with fees, smallest unit; null if unknown. */
  readonly totalSubsidy: bigint | null;
  readonly fees: bigint | null;
  /** Compact target, hex as the daemon writes it. */
  readonly bitsHex: string;
  readonly merged: boolean;
  /** Difficulty of the network when it was found. */
  readonly networkDifficulty: number;
  /** Method and first parameters of the submission; for a main block ['submitblock']. */
  readonly submit: BlockSubmission;
}

/** What has to be sent to a daemon, and to which. */
export interface BlockSubmission {
  /** 'block': a whole block for submitblock; the others: an auxpow, sent behind the block's hash. */
  readonly kind: 'block' | 'submitauxblock' | 'getauxblock';
  /** ASCII hex of the block, or of the auxpow. */
  readonly hex: Uint8Array;
  /** The template's workid, where it had one. */
  readonly workId?: string;
  /** Only this daemon ("address:port") knows the work (aux chains); absent: every daemon. */
  readonly daemon?: string;
}

/** One daemon's answer to one submission. */
export interface BlockAnswer {
  readonly daemon: string;
  /** Unix ms. */
  readonly time: number;
  /** 'accepted' (null), 'duplicate', 'inconclusive', the daemon's reason, or 'error: …' when none came. */
  readonly answer: string;
}

/** The durable log of solved blocks (design rule 5). */
export interface BlockLog {
  /**
   * Writes the block so that it survives the death of the process before this returns; the disk is
   * synced meanwhile. Returns false if (chain, hash) is already known. Throws LedgerError when it
   * cannot be written: the caller submits all the same and raises an alarm.
   */
  append(block: SolvedBlock): boolean;
  /** Records an answer; fire and forget, failures are logged by the ledger. */
  answered(chain: string, hashHexBE: string, answer: BlockAnswer): void;
  /** Records what a block pays where that was not known when it was found; before it is settled. */
  valued(chain: string, hashHexBE: string, totalSubsidy: bigint): void;
  /** Records a change of state. */
  settled(chain: string, hashHexBE: string, state: BlockState): void;
  /** Blocks of earlier runs and of this one that still wait for an answer. */
  pending(): Promise<readonly SolvedBlock[]>;
  /** Accepted blocks that have neither matured nor been orphaned for good. */
  unsettled(chain: string): Promise<readonly BlockRef[]>;
}

export interface BlockRef {
  readonly hashHexBE: string;
  readonly height: number;
  readonly state: BlockState;
}

// ---------------------------------------------------------------- anything → monitor

/** What the monitor shows of a component. */
export interface StatusSource {
  readonly key: string;
  /** Class name of the original, as in `<Class>_<key>` on the monitor's front page. */
  readonly className: string;
  /** Effective settings; secrets are removed by the monitor, not here. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Plain JSON data. Must answer within milliseconds. */
  status(): Record<string, unknown> | Promise<Record<string, unknown>>;
}

/** Conditions for `/healthz` and systemd: each is ready or says what it waits for. */
export interface Readiness {
  readonly key: string;
  /** undefined when ready, else what is missing. */
  waitingFor(): string | undefined;
}

/** One miner connection as the control thread's directory knows it. */
export interface ClientInfo {
  readonly id: string;
  readonly server: string;
  readonly address: string;
  readonly worker: string;
  /** Unix ms. */
  readonly connectedAt: number;
  /** Unix ms of the last submit, null before the first. */
  readonly lastSubmitAt: number | null;
  readonly idle: boolean;
  readonly difficulty: number;
  readonly acceptedShares: number;
  readonly jobCount: number;
  readonly ip: string;
  readonly userAgent: string;
}

/** The sessions of all listener threads, as the monitor asks for them. */
export interface ClientDirectory {
  /** Every session of one stratum server (or of all), authorised ones only. */
  clients(server?: string): Iterable<ClientInfo>;
  /** Sessions of `address` or `address.worker` on one server. */
  named(server: string, username: string): readonly ClientInfo[];
}

/** One counter as the monitor lists it (contract §6). */
export interface CounterRow {
  readonly name: string;
  readonly owner: string;
  readonly total: number;
  readonly min_total: number;
  readonly hour_total: number;
  readonly min_avg: number;
}
