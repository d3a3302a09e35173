/** A DaemonGroup under test, on given daemons or on two fake ones: its templates as they come, and waiting for the one that is meant. */
import type { TestContext } from 'node:test';

import { systemClock } from '../../src/clock.ts';
import { DaemonGroup } from '../../src/daemon/group.ts';
import type { GroupOptions, RawTemplate } from '../../src/daemon/group.ts';
import type { DaemonOptions } from '../../src/daemon/rpc.ts';
import { templateParams } from '../../src/daemon/template-request.ts';
import type { Log } from '../../src/log.ts';
import { FakeDaemon } from './fake-daemon.ts';

export interface LoggedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
}

/** What the template says, read by a full parse. */
export interface SeenTemplate {
  readonly raw: RawTemplate;
  /** previousblockhash. */
  readonly tip: string;
  readonly height: number;
  /** "address:port" of the daemon. */
  readonly from: string;
}

const PATIENCE_MS = 10_000;

export function daemonOptions(
  daemon: { readonly port: number; readonly user: string; readonly password: string },
  more: Partial<DaemonOptions> = {},
): DaemonOptions {
  return {
    key: `127.0.0.1:${daemon.port}`,
    host: '127.0.0.1',
    port: daemon.port,
    username: daemon.user,
    password: daemon.password,
    priority: 0,
    maxConnections: 10,
    timeoutMs: 2000,
    ...more,
  };
}

export class GroupUnderTest {
  readonly group: DaemonGroup;
  readonly seen: SeenTemplate[] = [];
  readonly lines: LoggedLine[] = [];
  /** Asked for every template; a text refuses it. */
  judge: (template: SeenTemplate) => string | undefined = () => undefined;
  #cursor = 0;
  readonly #waiting = new Set<() => void>();

  constructor(daemons: readonly DaemonOptions[], more: Partial<GroupOptions> = {}) {
    this.group = new DaemonGroup({
      key: 'TST',
      currency: 'TST',
      daemons,
      blockPollMs: 50,
      jobRefreshMs: 60_000,
      pingMs: 100,
      poll: true,
      longpoll: false,
      templateParams: () => templateParams(),
      clock: systemClock,
      log: this.#log(),
      ...more,
    });
    this.group.onTemplate((raw) => this.#take(raw));
  }

  /** The first template that fits, of those that came after the last one that was waited for. */
  async until(what: string, fits: (template: SeenTemplate) => boolean): Promise<SeenTemplate> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      while (this.#cursor < this.seen.length) {
        const template = this.seen[this.#cursor];
        this.#cursor += 1;
        if (template !== undefined && fits(template)) return template;
      }
      await new Promise<void>((resolve, reject) => {
        this.#waiting.add(resolve);
        deadline.addEventListener(
          'abort',
          () => reject(new Error(`no such template: ${what}; log: ${JSON.stringify(this.lines)}`)),
          { once: true },
        );
      });
    }
  }

  logged(level: LoggedLine['level'], pattern: RegExp): LoggedLine[] {
    return this.lines.filter((line) => line.level === level && pattern.test(line.message));
  }

  #take(raw: RawTemplate): void {
    const answer = JSON.parse(raw.body.toString('utf8')) as {
      result: { previousblockhash: string; height: number };
    };
    const template: SeenTemplate = {
      raw,
      tip: answer.result.previousblockhash,
      height: answer.result.height,
      from: raw.daemon.key,
    };
    this.seen.push(template);
    const reason = this.judge(template);
    if (reason !== undefined) this.group.refuse(raw, reason);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #log(): Log {
    const at =
      (level: LoggedLine['level']) =>
      (message: string): void => {
        this.lines.push({ level, message });
      };
    const log: Log = {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: () => log,
    };
    return log;
  }
}

export interface FakePair {
  readonly high: FakeDaemon;
  readonly low: FakeDaemon;
  readonly pool: GroupUnderTest;
  readonly keyOf: (fake: FakeDaemon) => string;
}

/** Two fake daemons with the same tip, the first with the higher priority, and a started group. */
export async function startFakePair(
  t: TestContext,
  more: Partial<GroupOptions> = {},
  prepare: (high: FakeDaemon, low: FakeDaemon) => void = () => {},
  forHigh: Partial<DaemonOptions> = {},
): Promise<FakePair> {
  const high = await new FakeDaemon().start();
  const low = await new FakeDaemon().start();
  prepare(high, low);
  const pool = new GroupUnderTest(
    [
      daemonOptions(low, { priority: 1, timeoutMs: 400 }),
      daemonOptions(high, { priority: 2, timeoutMs: 400, ...forHigh }),
    ],
    more,
  );
  t.after(async () => {
    await pool.group.stop();
    await high.stop().catch(() => {});
    await low.stop().catch(() => {});
  });
  await pool.group.start();
  return { high, low, pool, keyOf: (fake) => `127.0.0.1:${fake.port}` };
}

export const onTip = (tip: string) => (template: { tip: string }) => template.tip === tip;
