/**
 * The coin daemons of one chain as one source of block templates: which of them live, which one is in
 * use, and everything that tells of a new tip (poll, push, ZMQ here; long poll in template-feed.ts).
 * A failed call moves on at once; a better daemon that comes back takes over at once. Not here: what a
 * template means, and sending blocks (jobs room, through `live`). Entry point: `DaemonGroup`.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Startable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { DaemonError, daemonIsDown } from './error.ts';
import { askHealth, disagree, isBehind } from './health.ts';
import { DaemonNode, preferred } from './node.ts';
import { Daemon } from './rpc.ts';
import type { ConnectionStatus, DaemonOptions } from './rpc.ts';
import { TemplateFeed } from './template-feed.ts';
import type { FeedOptions, RawTemplate } from './template-feed.ts';
import type { SourceStatus, TipSource } from './tip-race.ts';
import { every, systemTimers } from './timers.ts';
import type { Cancel, Timers } from './timers.ts';
import { subscribeHashBlock } from './zmq.ts';
import type { HashBlockSubscription } from './zmq.ts';

export type { RawTemplate } from './template-feed.ts';
export type { TipSource } from './tip-race.ts';

/** What asks the daemon in use for work. */
export type WorkFeed = Pick<TemplateFeed, 'race' | 'tip' | 'use' | 'heard' | 'takeBack'>;

export type FeedHooks = Pick<FeedOptions, 'clock' | 'timers' | 'deliver' | 'failed' | 'doubt'>;

export interface GroupOptions {
  readonly key: string;
  readonly currency: string;
  readonly daemons: readonly DaemonOptions[];
  readonly blockPollMs: number;
  readonly jobRefreshMs: number;
  readonly pingMs: number;
  readonly poll: boolean;
  readonly longpoll: boolean;
  /** Parameters of getblocktemplate (template-request.ts); what a daemon teaches us is added to them. */
  readonly templateParams: () => readonly unknown[];
  readonly clock: Clock;
  readonly log: Log;
  /** How long daemons may differ on the tip before it counts; 5 s unless given. */
  readonly agreeMs?: number;
  readonly timers?: Timers;
  /** Another feed than that of templates (aux-feed.ts). */
  readonly feed?: (hooks: FeedHooks) => WorkFeed;
}

/** Contract §6. */
export interface CoinserverStatus {
  readonly status: 'live' | 'down';
  readonly last_getinfo: Readonly<Record<string, unknown>> | null;
  readonly connections: readonly ConnectionStatus[];
  /** 'serving', 'ready', or why no templates are taken from it. */
  readonly templates: string;
}

export interface GroupStatus {
  readonly live_coinservers: number;
  readonly down_coinservers: number;
  readonly coinservers: Readonly<Record<string, CoinserverStatus>>;
  readonly tip_sources: Partial<Record<TipSource, SourceStatus>>;
  /** What the daemons differ on, null while they agree. */
  readonly disagreement: string | null;
}

const DEFAULT_AGREE_MS = 5000;

export class DaemonGroup implements Startable {
  readonly key: string;
  readonly #options: GroupOptions;
  readonly #log: Log;
  readonly #timers: Timers;
  readonly #agreeMs: number;
  readonly #nodes: readonly DaemonNode[];
  readonly #feed: WorkFeed;
  readonly #listeners = new Set<(template: RawTemplate) => void>();
  readonly #cancels: Cancel[] = [];
  readonly #subscriptions: HashBlockSubscription[] = [];
  #current: DaemonNode | undefined;
  #running = false;
  /** The look under way; ended when another daemon is used. */
  #looking: AbortController | undefined;
  #lookAgain: TipSource | undefined;
  #disagreement: string | undefined;
  /** What the log last said about where templates come from. */
  #announced: Daemon | 'none' | undefined;

  constructor(options: GroupOptions) {
    this.key = options.key;
    this.#options = options;
    this.#log = options.log;
    this.#timers = options.timers ?? systemTimers;
    this.#agreeMs = options.agreeMs ?? DEFAULT_AGREE_MS;
    this.#nodes = options.daemons.map((one) => new DaemonNode(new Daemon(one, options.clock)));
    const hooks: FeedHooks = {
      clock: options.clock,
      timers: this.#timers,
      deliver: (template) => this.#deliver(template),
      failed: (node, error) => this.#templateFailed(node, error),
      doubt: (node, error) => this.#doubt(node, error),
    };
    this.#feed =
      options.feed?.(hooks) ??
      new TemplateFeed({
        ...hooks,
        params: options.templateParams,
        refreshMs: options.jobRefreshMs,
        longpoll: options.longpoll,
      });
  }

  /** Every configured daemon, in the order of the settings. */
  get all(): readonly Daemon[] {
    return this.#nodes.map((node) => node.daemon);
  }

  /** Those that answered when last asked: a block goes to all of them. */
  get live(): readonly Daemon[] {
    return this.#nodes.filter((node) => node.live).map((node) => node.daemon);
  }

  /** The daemon that serves templates now. */
  preferred(): Daemon | undefined {
    return this.#current?.daemon;
  }

  /** Returns at once: daemons are found by the pings that it begins, and a pool waits for a template. */
  async start(): Promise<void> {
    this.#running = true;
    const { pingMs, blockPollMs, poll } = this.#options;
    this.#cancels.push(every(this.#timers, pingMs, () => this.#pingAll()));
    if (poll) {
      this.#cancels.push(
        every(this.#timers, blockPollMs, () => {
          if (this.#looking === undefined) void this.#look('poll');
        }),
      );
    }
    this.#pingAll();
    await Promise.all(this.#nodes.map((node) => this.#subscribe(node)));
  }

  async stop(): Promise<void> {
    this.#running = false;
    for (const cancel of this.#cancels.splice(0)) cancel();
    for (const subscription of this.#subscriptions.splice(0)) subscription.close();
    this.#current = undefined;
    this.#feed.use(undefined, 'failover');
    await Promise.all(this.#nodes.map((node) => node.daemon.close()));
  }

  /** Called for every template as it arrives; returns the unsubscribe function. */
  onTemplate(listener: (template: RawTemplate) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The template could not be used: the next daemon is asked now, this one again after a while. */
  refuse(template: RawTemplate, reason: string): void {
    this.#feed.takeBack(template);
    const node = this.#nodes.find((one) => one.daemon === template.daemon);
    if (node !== undefined) this.#refuseNode(node, reason);
  }

  /** Look for a new block now (a push notification came). */
  look(source: TipSource): void {
    if (this.#looking !== undefined) this.#lookAgain = source;
    else void this.#look(source);
  }

  status(): GroupStatus {
    const now = this.#options.clock.monotonic();
    const live = this.#nodes.filter((node) => node.live).length;
    return {
      live_coinservers: live,
      down_coinservers: this.#nodes.length - live,
      coinservers: Object.fromEntries(
        this.#nodes.map((node) => [node.daemon.key, this.#statusOf(node, now)]),
      ),
      tip_sources: this.#feed.race.status(),
      disagreement: this.#disagreement ?? null,
    };
  }

  #statusOf(node: DaemonNode, now: number): CoinserverStatus {
    const refusal = node.refusedUntil > now ? node.refusal : undefined;
    return {
      status: node.live ? 'live' : 'down',
      last_getinfo: node.health?.info ?? null,
      connections: node.daemon.connections(),
      templates:
        node.failure ??
        refusal ??
        (node === this.#current ? 'serving' : (node.unsynced ?? (node.live ? 'ready' : 'down'))),
    };
  }

  #deliver(template: RawTemplate): void {
    if (this.#announced !== template.daemon) {
      this.#announced = template.daemon;
      this.#log.info(`templates of ${this.#options.currency} come from ${template.daemon.key}`, {
        source: template.source,
      });
    }
    for (const listener of this.#listeners) {
      try {
        listener(template);
      } catch (error) {
        this.#log.error(`a template of ${template.daemon.key} was not processed`, {
          error: messageOf(error),
        });
      }
    }
  }

  /** One question for the best block of the daemon in use. Never rejects. */
  async #look(source: TipSource): Promise<void> {
    const node = this.#current;
    if (node === undefined) return;
    const abort = new AbortController();
    this.#looking = abort;
    const at = this.#options.clock.monotonic();
    try {
      const tip = await node.daemon.call('getbestblockhash', [], { signal: abort.signal });
      if (typeof tip !== 'string' || !/^[0-9a-f]{64}$/i.test(tip)) {
        throw new DaemonError(
          'BAD_ANSWER',
          `daemon ${node.daemon.key}: getbestblockhash gave no block hash`,
        );
      }
      // A poll learns of the tip when it is answered; a push told of it before it was asked about.
      const heardAt = source === 'push' ? at : this.#options.clock.monotonic();
      if (this.#current === node) this.#feed.heard(source, tip.toLowerCase(), heardAt);
    } catch (error) {
      this.#callFailed(node, error);
    }
    this.#looking = undefined;
    const again = this.#lookAgain;
    this.#lookAgain = undefined;
    if (again !== undefined && this.#running) void this.#look(again);
  }

  #pingAll(): void {
    for (const node of this.#nodes) void this.#ping(node);
    // A daemon that was refused may be tried again now.
    this.#choose('failover');
  }

  /** Asks how a daemon is, and keeps its connection for blocks open. Never rejects. */
  async #ping(node: DaemonNode): Promise<void> {
    if (node.pinging) return;
    node.pinging = true;
    try {
      const health = await askHealth(node.daemon);
      if (!this.#running) return;
      if (node.up(health, this.#options.clock.monotonic())) {
        this.#log.info(`daemon ${node.daemon.key} is live`, {
          chain: health.chain,
          height: health.height,
        });
      }
      this.#compare();
      this.#choose('failover');
      await node.daemon.connectionsReady();
    } catch (error) {
      this.#callFailed(node, error);
    } finally {
      node.pinging = false;
    }
  }

  #callFailed(node: DaemonNode, error: unknown): void {
    if (!this.#running) return;
    if (error instanceof DaemonError && error.code === 'ABORTED') return;
    if (node.down(messageOf(error))) {
      this.#log.warn(`daemon ${node.daemon.key} is down: ${messageOf(error)}`, {
        next_try_s: this.#options.pingMs / 1000,
      });
    }
    this.#choose('failover');
  }

  #templateFailed(node: DaemonNode, error: DaemonError): void {
    if (!this.#running || error.code === 'ABORTED') return;
    const reason = messageOf(error);
    if (!daemonIsDown(error)) {
      this.#refuseNode(node, reason);
      return;
    }
    node.refuse(reason, this.#options.clock.monotonic());
    this.#callFailed(node, error);
  }

  #refuseNode(node: DaemonNode, reason: string): void {
    if (node.refuse(reason, this.#options.clock.monotonic())) {
      this.#log.warn(`no templates from daemon ${node.daemon.key} for now: ${reason}`);
    }
    this.#choose('failover');
  }

  /** A long call ended badly: ask the daemon something short, which decides whether it is down. */
  #doubt(node: DaemonNode, error: DaemonError): void {
    this.#log.debug(`long poll of ${node.daemon.key} failed: ${messageOf(error)}`);
    if (node === this.#current) this.look('poll');
  }

  /** Sets which daemons are behind, and says once when they differ and once when they agree again. */
  #compare(): void {
    let found: string | undefined;
    for (const node of this.#nodes) {
      node.behind = false;
      for (const other of this.#nodes) {
        if (node === other || node.held === undefined || other.held === undefined) continue;
        if (!other.live || other.health?.initialDownload === true) continue;
        // The daemon in use may be a little late with a block; another one may not take over with less.
        const graceMs = node === this.#current ? this.#agreeMs : 0;
        node.behind ||= isBehind(node.held, other.held, graceMs);
        if (found === undefined && disagree(node.held, other.held, this.#agreeMs)) {
          found = `${describe(node)}, ${describe(other)}`;
        }
      }
    }
    if (found !== undefined && this.#disagreement === undefined) {
      this.#log.warn(
        `the daemons of ${this.#options.currency} disagree on the best block: ${found}`,
      );
    } else if (found === undefined && this.#disagreement !== undefined) {
      this.#log.info(`the daemons of ${this.#options.currency} agree on the best block again`);
    }
    this.#disagreement = found;
  }

  /** Uses the preferred daemon from now on, if it is not the one in use. */
  #choose(source: TipSource): void {
    if (!this.#running) return;
    const best = preferred(this.#nodes, this.#options.clock.monotonic());
    if (best === this.#current) return;
    const isFirst = this.#feed.tip === undefined;
    this.#current = best;
    this.#looking?.abort();
    if (best === undefined && this.#announced !== 'none') {
      this.#announced = 'none';
      this.#log.error(
        `no daemon of ${this.#options.currency} serves templates; the last job stays`,
      );
    }
    this.#feed.use(best, isFirst ? 'start' : source);
  }

  async #subscribe(node: DaemonNode): Promise<void> {
    const endpoint = node.daemon.zmqEndpoint;
    if (endpoint === undefined) return;
    const subscription = await subscribeHashBlock(
      endpoint,
      (tip) => {
        // One that is still downloading the chain publishes every block of it.
        if (!node.live || node.unsynced !== undefined) return;
        this.#feed.heard('zmq', tip, this.#options.clock.monotonic());
      },
      this.#log,
    );
    if (subscription === undefined) return;
    if (this.#running) this.#subscriptions.push(subscription);
    else subscription.close();
  }
}

function describe(node: DaemonNode): string {
  const { held } = node;
  return `${node.daemon.key} has ${held?.chain ?? 'chain'} block ${held?.height ?? '?'} ${held?.tip ?? ''}`;
}
