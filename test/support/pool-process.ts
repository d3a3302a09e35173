/**
 * Runs the product as its user does: `bin/powerpool.js` in a child process, with a configuration file in
 * a temporary folder. Ready is what /healthz says; logs are kept for the failure message.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LAUNCHER = fileURLToPath(new URL('../../bin/powerpool.js', import.meta.url));

export interface PoolProcessOptions {
  /** The configuration file's text. */
  readonly config: string;
  /** Port of its monitor. */
  readonly monitorPort: number;
  /** Folder to use (a restart); a new temporary one unless given. */
  readonly folder?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class PoolProcess {
  readonly folder: string;
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #monitorPort: number;
  #output = '';
  #ended = false;
  readonly #waiters = new Set<() => void>();

  constructor(options: PoolProcessOptions) {
    this.folder = options.folder ?? mkdtempSync(join(tmpdir(), 'powerpool-test-'));
    mkdirSync(this.folder, { recursive: true });
    const file = join(this.folder, 'config.yml');
    writeFileSync(file, options.config);
    this.#monitorPort = options.monitorPort;
    this.#child = spawn(process.execPath, [LAUNCHER, file, ...(options.args ?? [])], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-2_000_000);
        for (const check of this.#waiters) check();
      });
    }
    this.exited = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        this.#ended = true;
        resolve({ code, signal });
      });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get output(): string {
    return this.#output;
  }

  /** Everything the monitor says at `path`, parsed. */
  async view<T = Record<string, unknown>>(path: string): Promise<T> {
    const answer = await fetch(`http://127.0.0.1:${this.#monitorPort}${path}`);
    return (await answer.json()) as T;
  }

  /** Resolves once /healthz says ready; rejects with the log when the process ends or time is up. */
  async ready(timeoutMs = 30_000): Promise<void> {
    const endsAt = performance.now() + timeoutMs;
    let last = 'no answer';
    while (performance.now() < endsAt && !this.#ended) {
      try {
        const answer = await fetch(`http://127.0.0.1:${this.#monitorPort}/healthz`);
        last = await answer.text();
        if (answer.ok) return;
      } catch {
        last = 'no answer';
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(
      `the pool ${this.#ended ? 'ended' : `is not ready (${last})`}:\n${this.#output}`,
    );
  }

  /** Resolves once the output matches. */
  async logged(pattern: RegExp, timeoutMs = 30_000): Promise<RegExpExecArray> {
    const found = pattern.exec(this.#output);
    if (found !== null) return found;
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(check);
      };
      const check = (): void => {
        const match = pattern.exec(this.#output);
        if (match === null) return;
        done();
        resolve(match);
      };
      const timer = setTimeout(() => {
        done();
        reject(new Error(`the pool did not log ${pattern.source}:\n${this.#output}`));
      }, timeoutMs);
      this.#waiters.add(check);
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Stops gracefully; removes the folder unless told to keep it. */
  async stop(options: { readonly keep?: boolean } = {}): Promise<Exit> {
    this.#child.kill('SIGTERM');
    const exit = await this.exited;
    if (options.keep !== true) rmSync(this.folder, { recursive: true, force: true });
    return exit;
  }
}
