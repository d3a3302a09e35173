/**
 * The stratum room alone in a process of its own (test/support/stratum-child.ts), and as many idle
 * miners as asked for in this one: what connecting, holding and telling them costs, with no daemon and
 * no ledger beside it. Entry point: StratumRoom.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { systemClock } from '../../src/clock.ts';
import { cpuSeconds, residentBytes } from './machine.ts';

const HELLO =
  '{"id":1,"method":"mining.subscribe","params":["bench"]}\n' +
  '{"id":2,"method":"mining.authorize","params":["donate.w","x"]}\n';
const NOTIFY = Buffer.from('mining.notify');
/** Handshakes under way at a time. */
const IN_FLIGHT = 100;

export interface Use {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

export class StratumRoom {
  readonly #child: ChildProcess;
  readonly #port: number;
  readonly #sockets: Socket[] = [];
  #onNotify: () => void = () => {};

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.#port = port;
  }

  static async start(threads: number): Promise<StratumRoom> {
    const file = new URL('../../test/support/stratum-child.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [file, String(threads)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [text] = (await once(child.stdout, 'data')) as [Buffer];
    return new StratumRoom(child, Number(text.toString()));
  }

  get use(): Use {
    const { pid } = this.#child;
    return { cpuSeconds: cpuSeconds(pid!), residentBytes: residentBytes(pid!) };
  }

  /** Connects miners up to their first job. */
  async connect(count: number): Promise<void> {
    for (let made = 0; made < count; made += IN_FLIGHT) {
      const batch = Array.from({ length: Math.min(IN_FLIGHT, count - made) }, () => this.#miner());
      await Promise.all(batch);
    }
  }

  /** Milliseconds from the trigger until each miner had the new job, ascending. */
  async broadcast(): Promise<number[]> {
    const times: number[] = [];
    const start = systemClock.monotonic();
    const all = new Promise<void>((resolve) => {
      this.#onNotify = (): void => {
        times.push(systemClock.monotonic() - start);
        if (times.length === this.#sockets.length) resolve();
      };
    });
    this.#child.stdin!.write('\n');
    await all;
    return times;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#child.stdin!.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }

  #miner(): Promise<void> {
    const socket = connect({ host: '127.0.0.1', port: this.#port });
    this.#sockets.push(socket);
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => socket.write(HELLO));
      socket.on('data', (chunk: Buffer) => {
        if (!chunk.includes(NOTIFY)) return;
        resolve();
        this.#onNotify();
      });
    });
  }
}
