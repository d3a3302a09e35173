/**
 * Getting templates from the daemon in use: what it is asked, when, and which answers are passed on.
 * One call at a time; a signal about another tip during a call makes one more. Everything that brings
 * news of a tip meets here. Not here: which daemon is in use (group.ts). Entry point: `TemplateFeed`.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { DaemonError } from './error.ts';
import { Longpoll } from './longpoll.ts';
import type { DaemonNode } from './node.ts';
import type { Daemon } from './rpc.ts';
import { learn, longpollId, previousBlockHash, requestFor } from './template-request.ts';
import { TipRace } from './tip-race.ts';
import type { TipSource } from './tip-race.ts';
import type { Cancel, Timers } from './timers.ts';

export interface RawTemplate {
  /** The whole JSON-RPC answer to getblocktemplate, not parsed. */
  readonly body: Buffer;
  readonly daemon: Daemon;
  readonly source: TipSource;
  /** Unix ms. */
  readonly receivedAt: number;
  /** Its tip differs from that of the last template that was delivered and not refused. */
  readonly newTip: boolean;
  /** Height of the block, asked for separately: aux work of old daemons has none in it. */
  readonly askedHeight?: number;
}

export interface FeedOptions {
  readonly params: () => readonly unknown[];
  readonly refreshMs: number;
  readonly longpoll: boolean;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly deliver: (template: RawTemplate) => void;
  /** getblocktemplate failed on the daemon in use. */
  readonly failed: (node: DaemonNode, error: DaemonError) => void;
  /** Something happened on the daemon that a poll should look into. */
  readonly doubt: (node: DaemonNode, error: DaemonError) => void;
}

interface Flight {
  readonly node: DaemonNode;
  readonly source: TipSource;
  /** The tip a source told of; undefined when no particular one is waited for. */
  readonly wanted: string | undefined;
  readonly abort: AbortController;
}

interface Wish {
  readonly source: TipSource;
  readonly wanted: string;
}

interface Delivered {
  readonly template: RawTemplate;
  readonly node: DaemonNode;
  readonly tipBefore: string | undefined;
}

/** A daemon that keeps naming other rules is not followed for ever. */
const MAX_LESSONS = 4;

/** A sibling may know a block that the daemon in use has not connected yet. */
const FRUITLESS_MS = 1000;

export class TemplateFeed {
  readonly race = new TipRace();
  readonly #options: FeedOptions;
  readonly #longpoll: Longpoll | undefined;
  #node: DaemonNode | undefined;
  #tip: string | undefined;
  #flight: Flight | undefined;
  #next: Wish | undefined;
  #delivered: Delivered | undefined;
  /** A tip that was told of and is not what templates build on; not asked for again before `until`. */
  #fruitless: { tip: string | undefined; until: number } = { tip: undefined, until: -1 };
  #cancelRefresh: Cancel = () => {};

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#longpoll = options.longpoll
      ? new Longpoll({
          params: options.params,
          clock: options.clock,
          timers: options.timers,
          onAnswer: (node, body, askedTip) => this.#longpolled(node, body, askedTip),
          onFailure: (node, error) => options.doubt(node, error),
        })
      : undefined;
  }

  /** Display order; undefined before the first template. */
  get tip(): string | undefined {
    return this.#tip;
  }

  /** From now on templates come from this daemon, the first one at once; undefined: from none. */
  use(node: DaemonNode | undefined, source: TipSource): void {
    this.#node = node;
    this.#flight?.abort.abort();
    this.#flight = undefined;
    this.#next = undefined;
    this.#longpoll?.stop();
    this.#cancelRefresh();
    if (node !== undefined) this.#fetch(source, undefined);
  }

  /** `source` says that the best block is `tip`; heard at `at`, monotonic ms. */
  heard(source: TipSource, tip: string, at: number): void {
    this.race.saw(tip, source, at);
    if (tip === this.#tip || (tip === this.#fruitless.tip && at < this.#fruitless.until)) return;
    this.#fetch(source, tip);
  }

  /** The consumer could not use it: its tip counts as not delivered. The daemon it came from, if in use. */
  takeBack(template: RawTemplate): DaemonNode | undefined {
    const delivered = this.#delivered;
    if (delivered?.template !== template) return undefined;
    this.#delivered = undefined;
    this.#tip = delivered.tipBefore;
    return delivered.node;
  }

  #fetch(source: TipSource, wanted: string | undefined): void {
    const node = this.#node;
    if (node === undefined) return;
    if (this.#flight !== undefined) {
      if (wanted !== undefined && wanted !== this.#flight.wanted) this.#next = { source, wanted };
      return;
    }
    this.#cancelRefresh();
    const flight: Flight = { node, source, wanted, abort: new AbortController() };
    this.#flight = flight;
    void this.#fly(flight);
  }

  /** One fetch from asking to passing on. Never rejects. */
  async #fly(flight: Flight): Promise<void> {
    let body: Buffer;
    try {
      body = await this.#ask(flight);
    } catch (error) {
      if (this.#flight !== flight) return;
      this.#flight = undefined;
      this.#armRefresh();
      this.#options.failed(flight.node, asDaemonError(error));
      return;
    }
    if (this.#flight !== flight) return;
    this.#flight = undefined;
    this.#armRefresh();
    const next = this.#next;
    this.#next = undefined;
    this.#arrived(flight.node, body, flight.source, flight.wanted !== undefined);
    if (flight.wanted !== undefined && flight.wanted !== this.#tip) {
      const until = this.#options.clock.monotonic() + FRUITLESS_MS;
      this.#fruitless = { tip: flight.wanted, until };
    }
    this.#grant(flight.node, next);
  }

  /** A tip told of during a call that did not bring it. */
  #grant(node: DaemonNode, wish: Wish | undefined): void {
    if (wish === undefined || wish.wanted === this.#tip || this.#node !== node) return;
    this.#fetch(wish.source, wish.wanted);
  }

  /** Asks, and asks again with what the daemon's refusal teaches. */
  async #ask(flight: Flight): Promise<Buffer> {
    const { node, abort } = flight;
    for (let lessons = 0; ; lessons += 1) {
      const params = this.#options.params();
      try {
        const request = requestFor(params, node.learned);
        return await node.daemon.callRaw('getblocktemplate', request, { signal: abort.signal });
      } catch (error) {
        if (!(error instanceof DaemonError) || error.code !== 'RPC' || lessons === MAX_LESSONS) {
          throw error;
        }
        const learned = learn(params, node.learned, error.rpcCode, error.message);
        if (learned === undefined) throw error;
        node.learned = learned;
      }
    }
  }

  #longpolled(node: DaemonNode, body: Buffer, askedTip: string): void {
    if (this.#node !== node) return;
    const tip = previousBlockHash(body);
    if (tip !== undefined) this.race.saw(tip, 'longpoll', this.#options.clock.monotonic());
    const flight = this.#flight;
    if (flight !== undefined && tip !== this.#tip) {
      // This is the template that the call under way would bring.
      flight.abort.abort();
      this.#flight = undefined;
    }
    // Another source brought this tip while the call was open: only the id is news.
    const isLate = tip === this.#tip && askedTip !== tip;
    if (isLate && tip !== undefined) this.#follow(node, body, tip);
    else this.#arrived(node, body, 'longpoll', false);
    const next = this.#next;
    this.#next = undefined;
    this.#grant(node, next);
  }

  /** Passes a template on; `onlyNewTip`: unless it builds on the tip that was already delivered. */
  #arrived(node: DaemonNode, body: Buffer, source: TipSource, onlyNewTip: boolean): void {
    const { clock, deliver, failed } = this.#options;
    const tip = previousBlockHash(body);
    if (tip === undefined) {
      const message = `daemon ${node.daemon.key}: a template without previousblockhash`;
      failed(node, new DaemonError('BAD_ANSWER', message));
      return;
    }
    const tipBefore = this.#tip;
    const newTip = tip !== tipBefore;
    if (newTip) this.race.saw(tip, source, clock.monotonic());
    else if (onlyNewTip) return;
    this.#tip = tip;
    if (this.#delivered?.node === node) node.accepted();
    const template: RawTemplate = {
      body,
      daemon: node.daemon,
      source,
      receivedAt: clock.now(),
      newTip,
    };
    this.#delivered = { template, node, tipBefore };
    deliver(template);
    this.#armRefresh();
    if (this.#node === node) this.#follow(node, body, tip);
  }

  #follow(node: DaemonNode, body: Buffer, tip: string): void {
    const id = longpollId(body);
    if (id !== undefined) this.#longpoll?.follow(node, id, tip);
  }

  #armRefresh(): void {
    this.#cancelRefresh();
    if (this.#node === undefined) return;
    this.#cancelRefresh = this.#options.timers.after(this.#options.refreshMs, () =>
      this.#fetch('refresh', undefined),
    );
  }
}

function asDaemonError(error: unknown): DaemonError {
  if (error instanceof DaemonError) return error;
  return new DaemonError('BAD_ANSWER', messageOf(error), { cause: error });
}
