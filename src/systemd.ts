/**
 * Telling systemd how we are (sd_notify(3)). Node has no Unix datagram sockets, so systemd's own
 * `systemd-notify` says it for us (the unit needs NotifyAccess=all). Without NOTIFY_SOCKET nothing
 * happens.
 */
import { execFile } from 'node:child_process';
import type { Log } from './log.ts';
import { messageOf } from './errors.ts';

export class SystemdNotifier {
  readonly #log: Log;
  readonly #enabled: boolean;
  readonly #watchdogMs: number | undefined;
  #watchdog: NodeJS.Timeout | undefined;

  constructor(env: NodeJS.ProcessEnv, log: Log) {
    this.#log = log;
    this.#enabled = env['NOTIFY_SOCKET'] !== undefined && env['NOTIFY_SOCKET'] !== '';
    const microseconds = Number(env['WATCHDOG_USEC'] ?? '');
    this.#watchdogMs = microseconds > 0 ? microseconds / 1000 : undefined;
  }

  /** The pool serves miners: a live daemon, a job, open ports. Starts the watchdog pings. */
  async ready(status: string): Promise<void> {
    await this.#notify(['--ready', `--status=${status}`]);
    if (this.#enabled && this.#watchdogMs !== undefined) {
      this.#watchdog = setInterval(() => void this.#notify(['WATCHDOG=1']), this.#watchdogMs / 2);
      this.#watchdog.unref();
    }
  }

  async status(status: string): Promise<void> {
    await this.#notify([`--status=${status}`]);
  }

  async stopping(): Promise<void> {
    clearInterval(this.#watchdog);
    // As text: the option --stopping came with systemd 253.
    await this.#notify(['STOPPING=1']);
  }

  #notify(args: readonly string[]): Promise<void> {
    if (!this.#enabled) return Promise.resolve();
    return new Promise((resolve) => {
      execFile('systemd-notify', [...args], { timeout: 5000 }, (error) => {
        if (error !== null) {
          this.#log.warn('systemd could not be told', { args, error: messageOf(error) });
        }
        resolve();
      });
    });
  }
}
