/**
 * One configured server on one listener thread: what its sessions share, and what happens to all of
 * them at once (a new job, a command). Not here: what a single miner is told (session.ts).
 */
import type { Clock } from '../clock.ts';
import type { LedgerWriter } from '../ledger/writer.ts';
import type { Connection, ConnectionLimits } from '../net/connection.ts';
import type { TimerWheel } from '../net/wheel.ts';
import type { Solve } from '../ports.ts';
import type { Account } from './account.ts';
import type { SessionEvent } from './directory.ts';
import type { Extranonces } from './extranonce.ts';
import type { JobBook, JobEntry } from './jobs.ts';
import { PeerLimits, peerRules } from './limits.ts';
import { loginRules, parseLogin } from './login.ts';
import type { Login, LoginRules } from './login.ts';
import type { ClientCommand, RememberedDifficulty, ServerData, SourceData } from './messages.ts';
import { RateTable } from './rate-table.ts';
import { RememberedDifficulties } from './remembered.ts';
import type { Session } from './session.ts';
import type { Draft } from './share.ts';
import type { RefusalTally } from './tally.ts';
import { TargetCache } from './terms.ts';
import type { ShareTurn } from './turn.ts';
import { tiersOf } from './vardiff.ts';
import type { Submission } from './v1/submission.ts';

/** What all servers of a thread share. */
export interface ThreadContext {
  readonly clock: Clock;
  readonly jobs: JobBook;
  readonly turn: ShareTurn;
  readonly wheel: TimerWheel;
  readonly extranonces: Extranonces;
  readonly extranonce2Bytes: number;
  readonly ledger: LedgerWriter;
  readonly tally: RefusalTally;
  /** Filled again for every submit. */
  readonly submission: Submission;
  readonly draft: Draft;
  event(event: SessionEvent): void;
  solved(source: number, solve: Solve): void;
  left(worker: RememberedDifficulty): void;
  rates(group: string): RateTable;
  wantVariant(source: number): void;
  /** A defect of ours that one connection met. */
  fault(server: string, error: unknown): void;
}

const REMEMBERED_WORKERS = 20_000;
const LOGINS_KEPT = 10_000;
const REMEMBERED_MS = 24 * 3_600_000;

export class ServerPort {
  readonly key: string;
  readonly settings: ServerData['settings'];
  readonly source: number;
  readonly context: ThreadContext;
  readonly limits: ConnectionLimits;
  readonly diff1: bigint;
  readonly targets: TargetCache;
  readonly tiers: readonly number[];
  readonly rates: RateTable;
  readonly peers: PeerLimits;
  readonly remembered = new RememberedDifficulties(REMEMBERED_WORKERS, REMEMBERED_MS);
  /** Shares a connection may have unanswered before it is not read any more. */
  readonly maxUnanswered: number;
  /** Everybody who is connected, by id. */
  readonly sessions = new Map<string, Session>();
  /** Those who get jobs. */
  readonly miners = new Set<Session>();
  /** Read no further until the next tick: they send more requests a second than they may. */
  readonly throttled = new Set<Connection>();
  /** Those of whom the directory has something to hear. */
  readonly reports = new Set<Account>();
  /** Set by whoever accepts: a connection has closed. */
  onGone: (connection: Connection) => void = () => {};
  #counters: Record<string, number> = {};
  readonly #rules: LoginRules;
  readonly #logins = new Map<string, Login>();
  /** Sessions by worker name, by address. */
  readonly #workers = new Map<string, Map<string, number>>();

  constructor(data: ServerData, source: SourceData, context: ThreadContext) {
    const { settings } = data;
    this.key = data.key;
    this.settings = settings;
    this.source = data.source;
    this.context = context;
    this.limits = {
      lineBytes: settings.limits.line_bytes,
      sendBytes: settings.limits.send_bytes,
      onFault: (error) => context.fault(this.key, error),
    };
    this.#rules = loginRules(settings);
    this.diff1 = source.diff1;
    this.targets = new TargetCache(source.diff1);
    this.tiers = tiersOf(settings.vardiff, { min: undefined, max: undefined });
    this.rates = context.rates(data.group);
    this.maxUnanswered = Math.ceil(settings.limits.pending_bytes / SHARE_BYTES);
    this.peers = new PeerLimits(peerRules(settings.limits));
  }

  count(counter: string, amount = 1): void {
    this.#counters[counter] = (this.#counters[counter] ?? 0) + amount;
  }

  /** What was counted since the last call. */
  drainCounters(): Readonly<Record<string, number>> {
    const drained = this.#counters;
    this.#counters = {};
    return drained;
  }

  /** Sends a new job to whom it concerns; a plain one only to miners that wait for an id. */
  broadcast(entry: JobEntry): void {
    const everybody = entry.job.kind !== 'plain';
    for (const miner of this.miners) {
      if (everybody || miner.waitsForJob) miner.connection.guard(() => miner.announce(entry));
    }
  }

  command(command: ClientCommand, id: string | undefined): void {
    if (id !== undefined) this.sessions.get(id)?.obey(command);
    else for (const session of this.sessions.values()) session.obey(command);
  }

  /** Who is meant by a username; the miners of a farm log in with the same few over and over. */
  whoIs(username: string): Login {
    const known = this.#logins.get(username);
    if (known !== undefined) return known;
    const login = parseLogin(username, this.#rules);
    if (this.#logins.size >= LOGINS_KEPT) this.#logins.clear();
    this.#logins.set(username, login);
    return login;
  }

  /** The worker name to credit: names beyond `workers_per_address` count as one. */
  login(address: string, worker: string): string {
    const names = this.#workers.get(address);
    if (names === undefined) {
      this.#workers.set(address, new Map([[worker, 1]]));
      return worker;
    }
    const known = names.get(worker);
    const limit = this.settings.limits.workers_per_address;
    const name = known === undefined && names.size >= limit ? OTHER_WORKERS : worker;
    names.set(name, (names.get(name) ?? 0) + 1);
    return name;
  }

  logout(address: string, worker: string, difficulty: number, fixed: boolean): void {
    const names = this.#workers.get(address);
    const left = (names?.get(worker) ?? 1) - 1;
    if (left > 0) names?.set(worker, left);
    else names?.delete(worker);
    if (names?.size === 0) this.#workers.delete(address);
    if (fixed || !this.settings.vardiff.enabled) return;
    this.remember({ server: this.key, address, worker, difficulty });
    this.context.left({ server: this.key, address, worker, difficulty });
  }

  /** A worker left, here or on another thread, with this difficulty. */
  remember({ address, worker, difficulty }: RememberedDifficulty): void {
    this.remembered.set(address, worker, difficulty, this.context.clock.now());
  }

  /** The ledger's ref of where a share on that job is counted. */
  ledgerSource(entry: JobEntry): number {
    const known = entry.ledgerRefs.get(this);
    if (known !== undefined) return known;
    const { chain, currency, algorithm } = entry.job;
    const ref = this.context.ledger.source({ server: this.key, chain, currency, algorithm });
    entry.ledgerRefs.set(this, ref);
    return ref;
  }

  readOn(connection: Connection): void {
    if (!this.throttled.has(connection)) connection.release();
  }

  /** Reads on from connections that were held for sending too many requests. */
  unthrottle(): void {
    const held = [...this.throttled];
    this.throttled.clear();
    for (const connection of held) connection.release();
  }
}

/** What a share on its way is reckoned to take up. */
const SHARE_BYTES = 128;
/** Stands for worker names beyond the limit. */
const OTHER_WORKERS = 'others';
