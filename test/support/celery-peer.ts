/** Debian's Celery (celery_peer.py) as a worker, as a client, and as a reader of raw messages. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { removeFolder, temporaryFolder } from './servers.ts';

const SCRIPT = fileURLToPath(new URL('celery_peer.py', import.meta.url));
/** The one that Debian's packages belong to, whatever else is in the PATH. */
const PYTHON = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

export interface SentTask {
  readonly name: string;
  readonly id: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

export interface RawMessage {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly info: { readonly exchange: string; readonly routing_key: string };
  readonly body: string;
}

export interface ReceivedTask {
  /** Without the prefix. */
  readonly task: string;
  readonly id: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

function python(args: readonly string[], input: string): string {
  const run = spawnSync(PYTHON, [SCRIPT, ...args], { input, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`celery_peer.py ${args[0]}: ${run.stderr}`);
  return run.stdout;
}

export function sendByCelery(broker: string, protocol: 1 | 2, tasks: readonly SentTask[]): void {
  python(['send', broker, String(protocol)], JSON.stringify(tasks));
}

/** Takes everything out of a RabbitMQ queue. */
export function rawMessages(port: number, queue = 'celery'): RawMessage[] {
  return lines(python(['read', String(port), queue], '')) as RawMessage[];
}

function lines(text: string): unknown[] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}

/** A worker that writes down every task it runs. */
export class CeleryWorker {
  readonly #folder = temporaryFolder('celery');
  readonly #file = join(this.#folder, 'tasks');
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #errors = '';

  constructor(broker: string, queue = 'celery', prefix = 'simplecoin.tasks') {
    this.#args = [SCRIPT, 'worker', broker, queue, prefix, this.#file];
  }

  start(): void {
    const child = spawn(PYTHON, this.#args, {
      cwd: this.#folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, C_FORCE_ROOT: '1', HOME: this.#folder },
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
    this.#child = child;
  }

  /** Everything it ran so far, repeats too. */
  received(): ReceivedTask[] {
    if (this.#child?.exitCode !== null) throw new Error(`the worker ended: ${this.#errors}`);
    return existsSync(this.#file)
      ? (lines(readFileSync(this.#file, 'utf8')) as ReceivedTask[])
      : [];
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async stop(): Promise<void> {
    await this.kill();
    removeFolder(this.#folder);
  }
}
