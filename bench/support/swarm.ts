/**
 * The load generator: any number of miners in one process, and what is measured of them. The figures of
 * the server's CPU time are read here, at the very ends of the measured time. Its child process is
 * swarm-process.ts; a benchmark drives it from outside.
 */
import { LatencyHistogram } from '../../src/stats/latency.ts';
import { cpuSeconds, machineMs, residentBytes, threadCpuSeconds } from './machine.ts';
import { Miner } from './miner.ts';
import type { MinerEvents, Work } from './miner.ts';

export interface ConnectWishes {
  readonly port: number;
  readonly count: number;
  /** Address that miners log in with; each is a worker of its own. */
  readonly address: string;
  /** Process whose CPU time and memory are read. */
  readonly pid: number;
}

export interface Connected {
  readonly wallMs: number;
  readonly serverCpuSeconds: number;
  readonly residentBefore: number;
}

export interface FloodWishes {
  /** Submits that each miner has outstanding. */
  readonly window: number;
  /** What every reply has to say: true, or error 23, low difficulty. */
  readonly expects: 'accepted' | 'lowDifficulty';
}

export interface MeasureWishes {
  readonly durationMs: number;
  readonly pid: number;
}

export interface Measured {
  /** Shares answered, as expected, within the measured time. */
  readonly answered: number;
  readonly wallMs: number;
  readonly serverCpuSeconds: number;
  /** The server's CPU time by the names of its threads. */
  readonly threadCpuSeconds: ReadonlyMap<string, number>;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Of all miners that are connected, since they are. */
export interface Told {
  readonly sent: number;
  readonly toldTrue: number;
}

/** When everybody had a new job. */
export interface Arrivals {
  readonly firstAt: number;
  readonly p50At: number;
  readonly p99At: number;
  readonly lastAt: number;
}

/** Handshakes under way at a time. */
const IN_FLIGHT = 200;
/** Connections from one local address: well below the number of ports one has. */
const PER_ADDRESS = 20_000;
const PATIENCE_MS = 30_000;

interface Broadcast {
  readonly heard: Set<Miner>;
  readonly times: number[];
  readonly resolve: (arrivals: Arrivals) => void;
}

interface Snapshot {
  readonly atMs: number;
  readonly cpu: number;
  readonly threads: ReadonlyMap<string, number>;
}

export class Swarm implements MinerEvents {
  readonly miners: Miner[] = [];
  #opening: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #opened = 0;
  #failure: string | undefined;
  #histogram = new LatencyHistogram();
  #measuring = false;
  #expects: FloodWishes['expects'] = 'accepted';
  #told = 0;
  #measured = 0;
  #broadcast: Broadcast | undefined;
  #idle: (() => void) | undefined;

  /** Connects miners, so many handshakes at a time; resolves when all have a job. */
  async connect(wishes: ConnectWishes): Promise<Connected> {
    const residentBefore = residentBytes(wishes.pid);
    const before = snapshot(wishes.pid);
    this.#opened = 0;
    await within('handshakes', (resolve, reject) => {
      this.#opening = { resolve, reject };
      for (let i = 0; i < Math.min(IN_FLIGHT, wishes.count); i++) this.#open(wishes, i);
      this.#openNext = (ready) => {
        const next = ready + IN_FLIGHT - 1;
        if (next < wishes.count) this.#open(wishes, next);
        if (ready === wishes.count) resolve();
      };
    });
    this.#opening = undefined;
    const after = snapshot(wishes.pid);
    return {
      wallMs: after.atMs - before.atMs,
      serverCpuSeconds: after.cpu - before.cpu,
      residentBefore,
    };
  }

  /** Fills every miner's window, and keeps it full until `drain`. */
  flood({ window, expects }: FloodWishes): void {
    this.#expects = expects;
    for (const miner of this.miners) miner.start(window);
  }

  /** Measures the load that `flood` makes, for a while. */
  async measure({ durationMs, pid }: MeasureWishes): Promise<Measured> {
    this.#histogram = new LatencyHistogram();
    this.#measured = 0;
    const before = snapshot(pid);
    this.#measuring = true;
    await pause(durationMs);
    this.#measuring = false;
    const after = snapshot(pid);
    return {
      answered: this.#measured,
      wallMs: after.atMs - before.atMs,
      serverCpuSeconds: after.cpu - before.cpu,
      threadCpuSeconds: difference(before.threads, after.threads),
      p50Ms: this.#histogram.quantileMs(0.5),
      p99Ms: this.#histogram.quantileMs(0.99),
    };
  }

  /** Waits until all that was sent is answered. Throws where an unexpected reply came. */
  async drain(): Promise<Told> {
    for (const miner of this.miners) miner.submitting = false;
    await within('the last replies', (resolve) => {
      const check = (): void => {
        if (this.miners.every(({ outstanding }) => outstanding === 0)) resolve();
      };
      this.#idle = check;
      check();
    });
    this.#idle = undefined;
    if (this.#failure !== undefined) throw new Error(this.#failure);
    return { sent: this.#sent(), toldTrue: this.#told };
  }

  /** Resolves when every miner has heard of a job that tells it to drop its work. */
  nextBroadcast(): Promise<Arrivals> {
    return within('a new job for everybody', (resolve) => {
      this.#broadcast = { heard: new Set(), times: [], resolve };
    });
  }

  closeAll(): void {
    for (const miner of this.miners.splice(0)) miner.close();
    this.#told = 0;
    this.#broadcast = undefined;
  }

  // ---------------------------------------------------------------- MinerEvents

  now(): number {
    return machineMs();
  }

  ready(): void {
    this.#opened++;
    this.#openNext(this.#opened);
  }

  failed(miner: Miner, why: string): void {
    this.#failure ??= `${miner.user}: ${why}`;
    this.#opening?.reject(new Error(this.#failure));
  }

  work(miner: Miner, work: Work, atMs: number): void {
    const broadcast = this.#broadcast;
    if (broadcast === undefined || !work.clean || broadcast.heard.has(miner)) return;
    broadcast.heard.add(miner);
    broadcast.times.push(atMs);
    if (broadcast.heard.size < this.miners.length) return;
    this.#broadcast = undefined;
    broadcast.resolve(arrivalsOf(broadcast.times));
  }

  replied(miner: Miner, accepted: boolean, tookMs: number, line: string): void {
    if (accepted) this.#told++;
    const expected = this.#expects === 'accepted' ? accepted : line.includes('"error":[23,');
    if (!expected) this.#failure ??= `${miner.user}: an unexpected reply: ${line}`;
    if (this.#measuring) {
      this.#measured++;
      this.#histogram.record(tookMs);
    }
    if (!miner.submitting && miner.outstanding === 0) this.#idle?.();
  }

  // ----------------------------------------------------------------

  #openNext: (ready: number) => void = () => {};

  #open({ port, address }: ConnectWishes, index: number): void {
    const group = Math.floor(index / PER_ADDRESS);
    // One that is chosen takes its port from all servers; the first is left to the system.
    const localAddress = group === 0 ? undefined : `127.0.0.${1 + group}`;
    this.miners.push(new Miner(port, localAddress, `${address}.w${index}`, this));
  }

  #sent(): number {
    return this.miners.reduce((sum, miner) => sum + miner.sent, 0);
  }
}

function snapshot(pid: number): Snapshot {
  return { atMs: machineMs(), cpu: cpuSeconds(pid), threads: threadCpuSeconds(pid) };
}

function difference(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  return new Map([...after].map(([name, cpu]) => [name, cpu - (before.get(name) ?? 0)]));
}

function arrivalsOf(times: readonly number[]): Arrivals {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)]!;
  return { firstAt: at(0), p50At: at(0.5), p99At: at(0.99), lastAt: at(1) };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** A promise that is rejected when it takes too long. */
function within<T = void>(
  what: string,
  start: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`not within ${PATIENCE_MS / 1000} s: ${what}`)),
      PATIENCE_MS,
    );
    start((value) => {
      clearTimeout(timer);
      resolve(value);
    }, reject);
  });
}
