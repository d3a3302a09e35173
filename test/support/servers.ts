/**
 * Starting real servers for tests: each in a temporary folder, 'ready' raced against 'exited early', and
 * a message that says how to install what is missing. Servers themselves are in litecoind.ts, bcoin.ts.
 * Entry point: `startServer`.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ServerOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** How to get it, for the message when there is no such command. */
  readonly install: string;
  /** Resolves true once it serves; asked again and again until then. */
  readonly isReady: () => Promise<boolean>;
  readonly timeoutMs?: number;
  readonly stopSignal?: NodeJS.Signals;
  /** In place of this process's own. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Run as another user; only root can. */
  readonly uid?: number;
  readonly gid?: number;
}

export interface Server {
  readonly pid: number;
  /** Ends it in an orderly way, by SIGKILL if that takes too long. */
  stop(): Promise<void>;
  /** SIGKILL: as a crash. */
  kill(): Promise<void>;
}

const READY_MS = 30_000;
const ASK_AGAIN_MS = 50;
const STOP_MS = 10_000;
const MAX_OUTPUT = 4000;

export function temporaryFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `powerpool-${name}-`));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

function spawnServer(options: ServerOptions): { child: ChildProcess; output: () => string } {
  let output = '';
  const { env, cwd, uid, gid } = options;
  const child = spawn(options.command, options.args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(env !== undefined && { env }),
    ...(cwd !== undefined && { cwd }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-MAX_OUTPUT);
    });
  }
  return { child, output: () => output.trim() };
}

export async function startServer(options: ServerOptions): Promise<Server> {
  const { child, output } = spawnServer(options);
  let ended: string | undefined;
  const exited = new Promise<void>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      ended =
        error.code === 'ENOENT'
          ? `there is no ${options.command} here; install it: ${options.install}`
          : error.message;
      resolve();
    });
    child.once('exit', (code, signal) => {
      ended ??= `${options.command} ended (${signal ?? `status ${code}`}): ${output()}`;
      resolve();
    });
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (ended !== undefined) return;
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(timer);
  };
  const timeoutMs = options.timeoutMs ?? READY_MS;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (ended !== undefined) throw new Error(ended);
    if (await options.isReady().catch(() => false)) break;
    if (performance.now() > deadline) {
      await end('SIGKILL');
      throw new Error(`${options.command} was not ready within ${timeoutMs / 1000} s: ${output()}`);
    }
    await Promise.race([sleep(ASK_AGAIN_MS), exited]);
  }
  return {
    pid: child.pid ?? 0,
    stop: () => end(options.stopSignal ?? 'SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

/** One JSON-RPC call on a connection of its own, independent of the code under test. */
export async function rpcCall(
  port: number,
  authorization: string,
  method: string,
  params: readonly unknown[],
): Promise<unknown> {
  const sent = request({
    host: '127.0.0.1',
    port,
    method: 'POST',
    agent: false,
    auth: authorization,
    headers: { 'content-type': 'application/json' },
  });
  sent.end(JSON.stringify({ jsonrpc: '1.0', id: 1, method, params }));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  if (text === '') throw new Error(`${method}: HTTP ${response.statusCode}`);
  const answer = JSON.parse(text) as { result: unknown; error: { message: string } | null };
  if (answer.error !== null) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
}

/** Waits until `condition` holds, for what has no event to wait for. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`);
    await sleep(20);
  }
}
