/**
 * The supervisor's end of sd_notify(3): a real Unix datagram socket, which Node has none of, held by a few
 * lines of Python that print every message they receive.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from './servers.ts';

const LISTENER = `
import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print(json.dumps('listening'), flush=True)
while True:
    print(json.dumps(s.recv(65536).decode()), flush=True)
`;

export interface Notice {
  /** performance.now() at its arrival. */
  readonly at: number;
  /** Assignments such as READY=1. */
  readonly lines: readonly string[];
}

export class NotifySocket {
  readonly path: string;
  readonly notices: Notice[] = [];
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #tail = '';
  #listening = false;

  constructor() {
    this.#folder = temporaryFolder('notify');
    this.path = join(this.#folder, 'socket');
    this.#child = spawn('python3', ['-c', LISTENER, this.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => this.#read(text));
  }

  /** What came that has this line. */
  of(line: string): readonly Notice[] {
    return this.notices.filter(({ lines }) => lines.includes(line));
  }

  listening(): Promise<void> {
    return this.until('the socket', () => this.#listening);
  }

  /** Resolves once `line` came `times` times. */
  async heard(line: string, times = 1): Promise<void> {
    await this.until(`${times} × ${line}`, () => this.of(line).length >= times);
  }

  async until(what: string, condition: () => boolean, timeoutMs = 20_000): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`not within ${timeoutMs / 1000} s: ${what}`)),
        timeoutMs,
      );
      const check = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#watchers.delete(check);
        resolve();
      };
      this.#watchers.add(check);
    });
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGKILL');
    await closed;
    removeFolder(this.#folder);
  }

  #read(text: string): void {
    const pieces = (this.#tail + text).split('\n');
    this.#tail = pieces.pop()!;
    for (const piece of pieces) {
      const message = JSON.parse(piece) as string;
      if (!this.#listening) this.#listening = true;
      else this.notices.push({ at: performance.now(), lines: message.trim().split('\n') });
    }
    for (const check of this.#watchers) check();
  }
}

export async function startNotifySocket(): Promise<NotifySocket> {
  const socket = new NotifySocket();
  await socket.listening();
  return socket;
}
