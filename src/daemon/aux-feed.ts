/**
 * Getting aux work (merge mining) from the daemon in use: one call at a time, again every interval, at
 * once when something tells of another tip. There is no long poll for aux work. A daemon that hangs
 * holds up nothing but its own chain: the call has its deadline, and nobody waits for it. Not here: what
 * the work means (jobs room), which daemon is in use (group.ts). Entry points: auxGroup, AuxFeed.
 */
import { messageOf } from '../errors.ts';
import { DaemonError } from './error.ts';
import { DaemonGroup } from './group.ts';
import type { FeedHooks, GroupOptions, WorkFeed } from './group.ts';
import type { DaemonNode } from './node.ts';
import type { RawTemplate } from './template-feed.ts';
import { TipRace } from './tip-race.ts';
import type { TipSource } from './tip-race.ts';
import { quote } from './envelope.ts';
import type { Cancel } from './timers.ts';

export interface AuxRequest {
  /** createauxblock with an address, or getauxblock without: never both on one daemon. */
  readonly method: 'createauxblock' | 'getauxblock';
  readonly params: readonly string[];
  readonly intervalMs: number;
  /** False: asked only when a push or ZMQ tells of a block. */
  readonly poll: boolean;
}

export type AuxGroupOptions = Pick<
  GroupOptions,
  'key' | 'currency' | 'daemons' | 'pingMs' | 'clock' | 'log' | 'timers'
>;

/** A group of daemons that serves aux work instead of templates. */
export function auxGroup(options: AuxGroupOptions, request: AuxRequest): DaemonGroup {
  return new DaemonGroup({
    ...options,
    poll: false,
    blockPollMs: request.intervalMs,
    jobRefreshMs: request.intervalMs,
    longpoll: false,
    templateParams: () => [],
    feed: (hooks) => new AuxFeed(request, hooks),
  });
}

interface Wish {
  readonly source: TipSource;
  readonly wanted: string | undefined;
}

interface Answer {
  readonly body: Buffer;
  readonly hash: string | undefined;
  /** The block it builds on; old daemons do not say. */
  readonly tip: string | undefined;
  readonly hasHeight: boolean;
}

/** How often an old daemon is asked again whose tip moves while its height is asked for. */
const HEIGHT_TRIES = 3;

export class AuxFeed implements WorkFeed {
  readonly race = new TipRace();
  readonly #request: AuxRequest;
  readonly #hooks: FeedHooks;
  #node: DaemonNode | undefined;
  #tip: string | undefined;
  #flight: AbortController | undefined;
  #next: Wish | undefined;
  #delivered: { readonly template: RawTemplate; readonly node: DaemonNode } | undefined;
  /** The height that was asked for separately, and of which work of which daemon it is. */
  #height: { readonly node: DaemonNode; readonly hash: string; readonly value: number } | undefined;
  #cancelPoll: Cancel = () => {};

  constructor(request: AuxRequest, hooks: FeedHooks) {
    this.#request = request;
    this.#hooks = hooks;
  }

  get tip(): string | undefined {
    return this.#tip;
  }

  use(node: DaemonNode | undefined, source: TipSource): void {
    this.#node = node;
    this.#flight?.abort();
    this.#flight = undefined;
    this.#next = undefined;
    this.#cancelPoll();
    if (node !== undefined) this.#fetch({ source, wanted: undefined });
  }

  heard(source: TipSource, tip: string, at: number): void {
    this.race.saw(tip, source, at);
    if (tip !== this.#tip) this.#fetch({ source, wanted: tip });
  }

  takeBack(template: RawTemplate): DaemonNode | undefined {
    if (this.#delivered?.template !== template) return undefined;
    const { node } = this.#delivered;
    this.#delivered = undefined;
    this.#tip = undefined;
    return node;
  }

  #fetch(wish: Wish): void {
    const node = this.#node;
    if (node === undefined) return;
    if (this.#flight !== undefined) {
      if (wish.wanted !== undefined) this.#next = wish;
      return;
    }
    this.#cancelPoll();
    const flight = new AbortController();
    this.#flight = flight;
    void this.#fly(node, flight, wish);
  }

  /** One question from asking to passing on. Never rejects. */
  async #fly(node: DaemonNode, flight: AbortController, wish: Wish): Promise<void> {
    let answer: Answer;
    try {
      answer = await this.#ask(node, flight.signal);
    } catch (error) {
      if (this.#flight !== flight) return;
      this.#flight = undefined;
      this.#armPoll();
      this.#hooks.failed(node, asDaemonError(error));
      return;
    }
    if (this.#flight !== flight) return;
    this.#flight = undefined;
    this.#armPoll();
    const next = this.#next;
    this.#next = undefined;
    this.#arrived(node, answer, wish.source);
    if (next !== undefined && next.wanted !== this.#tip) this.#fetch(next);
  }

  async #ask(node: DaemonNode, signal: AbortSignal): Promise<Answer> {
    let answer = await this.#askOnce(node, signal);
    for (let tries = 0; tries < HEIGHT_TRIES && !answer.hasHeight; tries += 1) {
      const { hash } = answer;
      if (hash === undefined || (this.#height?.node === node && this.#height.hash === hash)) break;
      const count = await node.daemon.call('getblockcount', [], { signal });
      if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0) {
        const seen = quote(String(count));
        const message = `daemon ${node.daemon.key}: getblockcount gave ${seen}, expected a height`;
        throw new DaemonError('BAD_ANSWER', message);
      }
      this.#height = { node, hash, value: count + 1 };
      // The same work before and after it: the height is the one that this work builds on.
      answer = await this.#askOnce(node, signal);
    }
    return answer;
  }

  async #askOnce(node: DaemonNode, signal: AbortSignal): Promise<Answer> {
    const { method, params } = this.#request;
    return peek(await node.daemon.callRaw(method, params, { signal }));
  }

  #arrived(node: DaemonNode, answer: Answer, source: TipSource): void {
    const { clock, deliver } = this.#hooks;
    const { body, tip, hasHeight } = answer;
    const askedHeight = hasHeight ? undefined : this.#height?.value;
    const newTip = tip === undefined || tip !== this.#tip;
    if (tip !== undefined && newTip) this.race.saw(tip, source, clock.monotonic());
    this.#tip = tip;
    if (this.#delivered?.node === node) node.accepted();
    const template: RawTemplate = {
      body,
      daemon: node.daemon,
      source,
      receivedAt: clock.now(),
      newTip,
      ...(askedHeight === undefined ? {} : { askedHeight }),
    };
    this.#delivered = { template, node };
    deliver(template);
  }

  #armPoll(): void {
    this.#cancelPoll();
    if (this.#node === undefined || !this.#request.poll) return;
    this.#cancelPoll = this.#hooks.timers.after(this.#request.intervalMs, () =>
      this.#fetch({ source: 'poll', wanted: undefined }),
    );
  }
}

/** What this feed must know of an answer; anything that is not there is the consumer's to refuse. */
function peek(body: Buffer): Answer {
  const parsed = JSON.parse(body.toString('utf8')) as { result?: unknown };
  const result: Readonly<Record<string, unknown>> =
    typeof parsed.result === 'object' && parsed.result !== null ? { ...parsed.result } : {};
  const { hash, height, previousblockhash: tip } = result;
  return {
    body,
    hash: isHash(hash) ? hash.toLowerCase() : undefined,
    tip: isHash(tip) ? tip.toLowerCase() : undefined,
    hasHeight: height !== undefined && height !== null,
  };
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value);
}

function asDaemonError(error: unknown): DaemonError {
  if (error instanceof DaemonError) return error;
  return new DaemonError('BAD_ANSWER', messageOf(error), { cause: error });
}
