/**
 * The coin daemons of one chain, seen as one source of block templates. (Signatures; the body follows.)
 */
import type { Clock } from '../clock.ts';
import type { Startable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { Daemon, DaemonOptions } from './rpc.ts';
import type { Timers } from './timers.ts';

export type TipSource = 'start' | 'poll' | 'longpoll' | 'zmq' | 'push' | 'refresh' | 'failover';

export interface RawTemplate {
  /** The whole JSON-RPC answer to getblocktemplate, not parsed. */
  readonly body: Buffer;
  readonly daemon: Daemon;
  readonly source: TipSource;
  /** Unix ms. */
  readonly receivedAt: number;
  /** Its tip differs from that of the last template delivered. */
  readonly newTip: boolean;
}

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
}

export declare class DaemonGroup implements Startable {
  readonly key: string;
  constructor(options: GroupOptions);
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Called for every template as it arrives; returns the unsubscribe function. */
  onTemplate(listener: (template: RawTemplate) => void): () => void;
  /** The template could not be used: the next daemon is asked, this one again after a while. */
  refuse(template: RawTemplate, reason: string): void;
  /** Look for a new block now (push notification). */
  look(source: TipSource): void;
  /** Every configured daemon, and those that answer. */
  readonly all: readonly Daemon[];
  get live(): readonly Daemon[];
  /** The daemon that serves templates now. */
  preferred(): Daemon | undefined;
  status(): Record<string, unknown>;
}
