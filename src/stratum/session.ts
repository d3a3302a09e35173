/**
 * One miner: connected → subscribed → authorized, then jobs out and shares in. Lines are handled in
 * order of arrival, synchronously. Not here: the jobs and their difficulty (feed.ts), the shares
 * (account.ts, judged at the end of the turn), the words (v1/).
 * Entry points: onLine (from the socket), announce (a job), onTimer (deadlines and keep-alive).
 */
import { difficultyFromTarget } from '../coin/target.ts';
import type { Connection, ConnectionHandler } from '../net/connection.ts';
import type { WheelEntry } from '../net/wheel.ts';
import { Account } from './account.ts';
import { clamped, planDifficulty } from './difficulty.ts';
import { JobFeed } from './feed.ts';
import type { JobEntry } from './jobs.ts';
import { peerKey } from './limits.ts';
import type { ClientCommand, SessionDetails } from './messages.ts';
import { parsePassword } from './password.ts';
import type { ServerPort } from './port.ts';
import { rateKey } from './rates.ts';
import { randomId } from './random-id.ts';
import { REFUSALS } from './refusals.ts';
import type { RefusalName } from './refusals.ts';
import * as say from './v1/replies.ts';
import { parseRequest } from './v1/requests.ts';
import type { Configure, Request } from './v1/requests.ts';
import { scanSubmit } from './v1/scan.ts';

/** What a peer that does not speak the protocol is refused for; it pays for these from its purse. */
const BAD: ReadonlySet<RefusalName> = new Set([
  'notJson',
  'notARequest',
  'lineTooLong',
  'unknownMethod',
  'badParams',
  'malformedSubmit',
  'versionBitsOutsideMask',
  'notAuthorized',
  'secondSubscribe',
  'secondAuthorize',
]);

/** A peer that has read nothing for so long is cut off. */
const SLOW_MS = 30_000;

export class Session implements ConnectionHandler, WheelEntry {
  readonly id = randomId();
  readonly peer: string;
  readonly connection: Connection;
  readonly account: Account;
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;
  wheelTick = -1;
  readonly #port: ServerPort;
  readonly #feed: JobFeed;
  #subscribed = false;
  #authorized = false;
  #wantsExtranonces = false;
  #userAgent = '';
  /** Monotonic ms of the last submit, of the login before there was one. */
  #lastSubmitAt = 0;
  #idle = false;
  /** Monotonic ms since when it has been seen not to read, -1 while it reads. */
  #slowSince = -1;
  #suggested: number | undefined = undefined;
  #minimum: number | undefined = undefined;
  #fixed = false;
  /** Monotonic second in which requests are counted, and how many there were. */
  #second = 0;
  #requests = 0;

  constructor(port: ServerPort, connection: Connection) {
    const { context, settings } = port;
    this.#port = port;
    this.connection = connection;
    this.peer = peerKey(connection.remoteAddress);
    this.#feed = new JobFeed(port, this.id, connection, context.extranonces.take());
    this.account = new Account(this.id, port, connection, this.#feed);
    port.sessions.set(this.id, this);
    port.count('stratum_connects');
    const { id } = this;
    const time = context.clock.now();
    context.event({ kind: 'connect', id, server: port.key, ip: connection.remoteAddress, time });
    context.wheel.schedule(this, this.#now() + settings.limits.handshake_seconds * 1000);
  }

  get waitsForJob(): boolean {
    return this.#feed.waitsForJob;
  }

  uses(extranonce1: Uint8Array): boolean {
    return this.#feed.uses(extranonce1);
  }

  // ---------------------------------------------------------------- from the socket

  onLine(buffer: Buffer, start: number, end: number): void {
    if (isBlank(buffer, start, end)) return;
    this.#countRequest();
    const { submission } = this.#port.context;
    if (scanSubmit(buffer, start, end, submission)) {
      this.#submit(submission.id, submission.count >= 5);
      return;
    }
    const { id, request } = parseRequest(buffer.toString('utf8', start, end));
    this.#handle(id, request);
  }

  onLongLine(): void {
    this.#refuse('1', 'lineTooLong');
  }

  onDrain(): void {
    this.#slowSince = -1;
    if (this.#authorized) this.#feed.caughtUp();
  }

  onClose(): void {
    const port = this.#port;
    port.sessions.delete(this.id);
    port.miners.delete(this);
    port.throttled.delete(this.connection);
    port.context.wheel.cancel(this);
    port.peers.disconnect(this.peer);
    port.onGone(this.connection);
    port.count('stratum_disconnects');
    if (this.#authorized) {
      port.logout(this.account.address, this.account.worker, this.#feed.inForce, this.#fixed);
    }
    this.#feed.close();
    port.context.event({ kind: 'disconnect', id: this.id });
    this.account.release();
  }

  // ---------------------------------------------------------------- requests

  #handle(id: string, request: Request): void {
    switch (request.method) {
      case 'subscribe':
        return this.#subscribe(id, request.userAgent);
      case 'authorize':
        return this.#authorize(id, request.username, request.password);
      case 'submit':
        return this.#submit(id, this.#port.context.submission.setParams(request.params));
      case 'configure':
        return this.#reply(say.configuredReply(id, this.#configure(request)));
      case 'extranonceSubscribe':
        this.#wantsExtranonces = true;
        return this.#reply(say.acceptedReply(id));
      case 'suggestDifficulty':
        return this.#suggest(id, request.difficulty);
      case 'suggestTarget': {
        const target = BigInt(`0x${request.targetHexBE}`);
        return this.#suggest(id, difficultyFromTarget(target, this.#port.diff1));
      }
      case 'ping':
        return this.#reply(say.pongReply(id));
      case 'version':
        this.#userAgent = request.text;
        return undefined;
      case 'none':
        return undefined;
      case 'refused':
        return this.#refuse(id, request.refusal);
    }
  }

  #subscribe(id: string, userAgent: string): void {
    if (this.#subscribed) return this.#refuse(id, 'secondSubscribe');
    this.#subscribed = true;
    if (userAgent !== '') this.#userAgent = userAgent;
    const size = this.#port.context.extranonce2Bytes;
    this.#reply(say.subscribedReply(id, this.id, this.#feed.extranonce1Hex, size));
  }

  #authorize(id: string, username: string, password: string): void {
    if (!this.#subscribed) return this.#refuse(id, 'notSubscribed');
    if (this.#authorized) return this.#refuse(id, 'secondAuthorize');
    const login = this.#port.whoIs(username);
    if (login.kind === 'refused') return this.#refuse(id, login.refusal);
    this.#authorized = true;
    const { account } = this;
    account.login(login.address, this.#port.login(login.address, login.worker));
    const start = this.#plan(password);
    const now = this.#now();
    this.#lastSubmitAt = now;
    this.#feed.lastJobAt = now;
    const { context } = this.#port;
    const { address, worker } = account;
    const userAgent = this.#userAgent;
    context.event({
      kind: 'authorize',
      id: this.id,
      address,
      worker,
      userAgent,
      difficulty: start,
    });
    this.#port.miners.add(this);
    this.#reply(say.acceptedReply(id));
    const current = context.jobs.current(this.#port.source);
    if (current !== undefined) this.announce(current);
    this.#schedule(now);
  }

  /** Opens the feed with the difficulty that password, suggestions and memory lead to. */
  #plan(password: string): number {
    const { settings, context, remembered, tiers } = this.#port;
    const { address, worker } = this.account;
    const options = parsePassword(password, settings.minimum_manual_diff);
    const plan = planDifficulty(settings, tiers, {
      password: options,
      suggested: this.#suggested,
      minimum: this.#minimum,
      remembered: remembered.get(address, worker, context.clock.now()),
    });
    this.#fixed = options.fixed !== undefined;
    this.#feed.open(plan.start, plan.tiers, rateKey(settings.vardiff.per, address, worker));
    return plan.start;
  }

  #configure(request: Configure): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const extension of request.extensions) {
      switch (extension) {
        case 'version-rolling':
          this.#rollVersions(request, result);
          break;
        case 'minimum-difficulty':
          result[extension] = request.minimumDifficulty !== undefined;
          this.#setMinimum(request.minimumDifficulty);
          break;
        default:
          result[extension] = extension === 'subscribe-extranonce' || extension === 'info';
          if (extension === 'subscribe-extranonce') this.#wantsExtranonces = true;
      }
    }
    if (request.info !== undefined && request.info !== '') this.#userAgent = request.info;
    return result;
  }

  /** BIP310: the mask that both sides can live with, or a refusal where too few bits are left. */
  #rollVersions(request: Configure, result: Record<string, unknown>): void {
    const { settings, context, source } = this.#port;
    const agreed = (request.versionMask & settings.version_mask) >>> 0;
    const jobMask = context.jobs.current(source)?.job.versionMask ?? 0xffffffff;
    const mask = (agreed & jobMask) >>> 0;
    const possible = mask !== 0 && bitCount(mask) >= request.minBitCount;
    result['version-rolling'] = possible;
    if (!possible) return;
    result['version-rolling.mask'] = say.maskHex(mask);
    this.#feed.roll(agreed, mask);
  }

  #setMinimum(minimum: number | undefined): void {
    if (minimum === undefined) return;
    this.#minimum = clamped(this.#port.settings, minimum);
    if (this.#authorized && this.#feed.difficulty < this.#minimum)
      this.#feed.suggest(this.#minimum);
  }

  #suggest(id: string, difficulty: number): void {
    if (!(difficulty > 0) || difficulty > Number.MAX_SAFE_INTEGER) {
      return this.#refuse(id, 'badParams');
    }
    this.#suggested = Math.max(clamped(this.#port.settings, difficulty), this.#minimum ?? 0);
    this.#reply(say.acceptedReply(id));
    if (this.#authorized && !this.#fixed) this.#feed.suggest(this.#suggested);
  }

  /** `usable`: the submission the thread holds has the fields of a submit. */
  #submit(id: string, usable: boolean): void {
    if (!this.#authorized) return this.#refuse(id, 'notAuthorized');
    if (!usable) return this.#refuse(id, 'malformedSubmit');
    this.#lastSubmitAt = this.#now();
    this.#idle = false;
    const refusal = this.account.submit(id);
    if (refusal === undefined) return;
    this.#reply(say.refusedReply(id, refusal));
    if (BAD.has(refusal)) this.#payForBad();
  }

  #reply(text: string): void {
    this.#port.context.turn.say(this.account, text);
  }

  #refuse(id: string, name: RefusalName): void {
    this.#port.count(REFUSALS[name].counter);
    this.#reply(say.refusedReply(id, name));
    if (BAD.has(name)) this.#payForBad();
  }

  #payForBad(): void {
    if (!this.#port.peers.spendBad(this.peer, this.#now())) this.close();
  }

  #countRequest(): void {
    const now = this.#now();
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#requests = 0;
    }
    if (++this.#requests <= this.#port.settings.limits.requests_per_second) return;
    this.#port.throttled.add(this.connection);
    this.connection.hold();
  }

  // ---------------------------------------------------------------- jobs and time

  announce(entry: JobEntry): void {
    this.#feed.announce(entry);
  }

  onTimer(nowMs: number): void {
    this.connection.guard(() => this.#onTimer(nowMs));
  }

  #onTimer(nowMs: number): void {
    const { settings, context } = this.#port;
    if (!this.#authorized) return this.close();
    if (this.connection.isSlow) {
      if (this.#slowSince === -1) this.#slowSince = nowMs;
      if (nowMs - this.#slowSince >= SLOW_MS) return this.connection.destroy();
    }
    const idleMs = nowMs - this.#lastSubmitAt;
    if (idleMs >= settings.idle_worker_disconnect_threshold * 1000) return this.close();
    const idle = idleMs >= settings.idle_worker_threshold * 1000;
    if (idle && !this.#idle) context.event({ kind: 'idle', id: this.id, idle });
    this.#idle = idle;
    this.#feed.retargetIfDue(nowMs);
    this.#feed.keepAlive(nowMs);
    this.#schedule(nowMs);
  }

  obey(command: ClientCommand): void {
    const { connection } = this;
    switch (command.kind) {
      case 'showMessage':
        return connection.append(say.showMessageLine(command.text));
      case 'reconnect':
        return connection.append(say.reconnectLine(command));
      case 'getVersion':
        return connection.append(say.getVersionLine());
      case 'renewExtranonce':
        if (this.#wantsExtranonces) {
          this.#feed.renewExtranonce(this.#port.context.extranonces.take());
        }
        return undefined;
      case 'disconnect':
        return this.close();
    }
  }

  details(): SessionDetails {
    const { id, account } = this;
    return {
      id,
      acceptedDifficulty: account.acceptedDifficulty,
      acceptedShares: account.acceptedShares,
      difficulty: this.#feed.inForce,
      jobCount: this.#feed.jobCount,
      lastSubmitAt: account.lastSubmitAt === 0 ? null : account.lastSubmitAt,
      userAgent: this.#userAgent,
      versionRolling: this.#feed.announcedMask !== -1,
      jobs: this.#port.context.jobs.count(this.#port.source),
    };
  }

  close(): void {
    this.connection.end();
  }

  /** The next time something may be due: a job, vardiff, the end of patience. */
  #schedule(nowMs: number): void {
    if (this.connection.closed) return;
    const { settings, context } = this.#port;
    const idleAt = this.#lastSubmitAt + settings.idle_worker_threshold * 1000;
    const goneAt = this.#lastSubmitAt + settings.idle_worker_disconnect_threshold * 1000;
    const times = [goneAt, this.#feed.nextPushAt, this.#feed.nextRetargetAt(nowMs)];
    if (!this.#idle) times.push(idleAt);
    if (this.connection.isSlow) times.push(nowMs + SLOW_MS / 10);
    context.wheel.schedule(this, Math.max(nowMs + 1, Math.min(...times)));
  }

  #now(): number {
    return Math.round(this.#port.context.clock.monotonic());
  }
}

function isBlank(buffer: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (buffer[at] !== 0x20 && buffer[at] !== 0x09 && buffer[at] !== 0x0d) return false;
  }
  return true;
}

function bitCount(value: number): number {
  let count = 0;
  for (let rest = value >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}
