/**
 * Calls into a child process over Node's own channel: `serve` in the child, `Remote` in the parent. An
 * exception in the child rejects the call; a child that ends rejects all of them.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/** What a child offers: functions of one plain argument. */
export type Handlers = Readonly<Record<string, (argument: never) => unknown>>;

interface CallMessage {
  readonly call: number;
  readonly name: string;
  readonly argument: unknown;
}

interface AnswerMessage {
  readonly call: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** Answers the parent's calls until it disconnects; then the process ends. */
export function serve(handlers: Handlers): void {
  process.on('message', (message) => {
    const { call, name, argument } = message as CallMessage;
    void answer(handlers[name]!, argument).then((outcome) => process.send?.({ call, ...outcome }));
  });
  process.on('disconnect', () => {
    process.kill(process.pid, 'SIGTERM');
  });
}

async function answer(
  handler: (argument: never) => unknown,
  argument: unknown,
): Promise<{ value?: unknown; error?: string }> {
  try {
    return { value: await handler(argument as never) };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class Remote<H extends Handlers> {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;

  constructor(module: URL) {
    this.#child = fork(module, { serialization: 'advanced' });
    this.#child.on('message', (message) => this.#answered(message as AnswerMessage));
    this.#exited = new Promise((resolve) => {
      this.#child.on('exit', (code, signal) => {
        const error = new Error(`${module.pathname} ended (${signal ?? code})`);
        for (const { reject } of this.#waiting.values()) reject(error);
        this.#waiting.clear();
        resolve();
      });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  call<K extends keyof H & string>(
    name: K,
    argument: Parameters<H[K]>[0],
  ): Promise<Awaited<ReturnType<H[K]>>> {
    const call = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve: resolve as (value: unknown) => void, reject });
      this.#child.send({ call, name, argument });
    });
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #answered({ call, value, error }: AnswerMessage): void {
    const waiting = this.#waiting.get(call);
    this.#waiting.delete(call);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(error));
  }
}
