/**
 * Every seam of the house on one page: what one room may know of another. Types only.
 *
 * Everything here that crosses a thread (Job, Solve, ShareRecord …) is plain data that survives a
 * structured clone. Byte order is in the names: `LE` is the order in which a hash stands in a header
 * and compares as a little-endian integer, `HexBE` is display order.
 */

import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

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

// ---------------------------------------------------------------- ledger → report (sinks)

/**
 * How far a sink has taken the ledger: the share that comes next, the last minute and the last block
 * event it has. Each only grows; sequence numbers have gaps and are never given out twice.
 */
export interface LedgerPosition {
  readonly seq: number;
  readonly minute: number;
  readonly block: number;
}

/** One share, or several refused ones of a worker summed up. */
export interface ShareRecord {
  readonly seq: number;
  readonly address: string;
  /** Empty where the miner gave none. */
  readonly worker: string;
  readonly source: ShareSource;
  readonly kind: ShareKind;
  /** Credited (or refused) difficulty. */
  readonly difficulty: number;
  /** Difficulty of the hash itself, 0 if unknown. */
  readonly hashDifficulty: number;
  readonly count: number;
  /** Unix ms. */
  readonly time: number;
  readonly height: number;
  /** It met the target of a chain. */
  readonly solved: boolean;
}

/** Sums of one worker, source and kind in one minute. */
export interface MinuteSlice {
  readonly address: string;
  readonly worker: string;
  readonly source: ShareSource;
  readonly kind: ShareKind;
  readonly difficulty: number;
  readonly count: number;
}

/** A finished minute. After a restart within a minute it comes in two parts, which add up. */
export interface MinuteRecord {
  /** Its number in the ledger. */
  readonly id: number;
  /** Start of the minute, unix ms. */
  readonly time: number;
  readonly slices: readonly MinuteSlice[];
}

/** A solved block without what was submitted. */
export type ReportedBlock = Omit<SolvedBlock, 'submit'>;

/** A change of a block's state. */
export interface BlockEvent {
  /** Its number in the ledger. */
  readonly id: number;
  readonly state: BlockState;
  /** Unix ms at which the state changed. */
  readonly time: number;
  /** The one event of this block that says 'accepted for the first time': what a block report is. */
  readonly report: boolean;
  readonly block: ReportedBlock;
}

/**
 * The part of the ledger between two positions, of the servers that report to this sink: first all
 * shares, then the minutes, then the blocks (it is cut so that a block's solving share, and no later
 * share of the pool, stands before it).
 */
export interface SinkBatch {
  readonly from: LedgerPosition;
  /** Beyond what the batch holds for this sink where the last records were another's. */
  readonly to: LedgerPosition;
  /** In the ledger's order, in pages of bounded size; may be called again. */
  shares(): AsyncIterable<readonly ShareRecord[]>;
  readonly minutes: readonly MinuteRecord[];
  readonly blocks: readonly BlockEvent[];
}

/** How much a sink wants at once: a batch is due when either is reached, or a minute or block waits. */
export interface SinkPace {
  /** Most records of the ledger that a batch spans. */
  readonly maxShares: number;
  /** Most slices that a batch's minutes hold (a single minute may be larger). */
  readonly maxSlices: number;
  /** Shares wait this long for company; 0 delivers what there is. */
  readonly intervalMs: number;
}

/**
 * A back end. Where the position is kept decides what a crash means: 'own' sinks write it in the same
 * transaction as the data (exactly once); for 'ledger' sinks the ledger notes each batch before it is
 * delivered, and after a crash the same batch (same from, same to, same content) is delivered again.
 */
export interface Sink {
  readonly keeps: 'own' | 'ledger';
  readonly pace: SinkPace;
  /**
   * Connects, and says where the back end stands; undefined if it has no position of this ledger and
   * server (always so for 'ledger' sinks). Called before the first batch and after every failure.
   */
  open(): Promise<LedgerPosition | undefined>;
  /**
   * Resolves once the back end has confirmed all of the batch and its `to`. A rejection means it may or
   * may not have: open() is asked again. Reject with SinkRefused if the back end is well and refuses
   * this very data.
   */
  deliver(batch: SinkBatch): Promise<void>;
  /** Ends everything at once, a delivery under way too; called once. */
  stop(): Promise<void>;
  /** More for the monitor's view. */
  status?(): Record<string, unknown>;
}

/** What a sink is made with: `new Class(context)`. */
export interface SinkContext<Settings = Readonly<Record<string, unknown>>> {
  readonly key: string;
  readonly settings: Settings;
  /** Under which the back end keeps the position: ledger id, server number and key of the sink. */
  readonly cursorKey: string;
  readonly ledgerId: string;
  readonly serverNumber: number;
  /** `{server_name}`: the manager's procname. */
  readonly serverName: string;
  /** Currencies merge-mined along with a main chain, by the chain's key. */
  readonly merged: Readonly<Record<string, readonly string[]>>;
  readonly clock: Clock;
  readonly log: Log;
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
