/** What the tests of the jobs room share: fixtures, chain rules, a template to change, a stand-in group. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DaemonGroup, RawTemplate } from '../../../src/daemon/group.ts';
import type { Cancel, Timers } from '../../../src/daemon/timers.ts';
import { ManualClock } from '../../../src/clock.ts';
import { AuxTree } from '../../../src/coin/auxpow.ts';
import type { MergedWork } from '../../../src/jobs/aux-merge.ts';
import type { AuxWork } from '../../../src/jobs/aux-work.ts';
import { makeJob } from '../../../src/jobs/builder.ts';
import type { JobWork } from '../../../src/jobs/builder.ts';
import { RunIdentity } from '../../../src/jobs/identity.ts';
import type { TemplateGroup } from '../../../src/jobs/main-chain.ts';
import type { ChainRules, PreparedWork } from '../../../src/jobs/prepare.ts';
import type { BlockLog, SolvedBlock } from '../../../src/ports.ts';
import { merkleBranchOf } from '../../../src/pow/merkle.ts';

export type Fixture =
  'bcoin-regtest-segwit' | 'litecoind-regtest-segwit' | 'litecoind-regtest-mweb-pegin';

export const FIXTURES: readonly Fixture[] = [
  'bcoin-regtest-segwit',
  'litecoind-regtest-segwit',
  'litecoind-regtest-mweb-pegin',
];

export interface FixtureTransaction {
  data: string;
  txid?: string;
  hash?: string;
  fee?: number;
  sigops?: number;
  weight?: number;
}

export type FixtureTemplate = Record<string, unknown> & {
  height: number;
  version: number;
  curtime: number;
  mintime: number;
  bits: string;
  coinbasevalue: number;
  previousblockhash: string;
  default_witness_commitment?: string;
  mweb?: string;
  transactions: FixtureTransaction[];
};

export function fixtureBody(name: Fixture): Buffer {
  return readFileSync(join(import.meta.dirname, 'fixtures', `${name}.body`));
}

/** A copy of the template for a test to change. */
export function fixtureTemplate(name: Fixture): FixtureTemplate {
  const answer = JSON.parse(fixtureBody(name).toString('utf8')) as { result: FixtureTemplate };
  return answer.result;
}

/** Hex of a hash in the other byte order. */
export function flipped(bytes: Uint8Array): string {
  return Buffer.from(bytes.toReversed()).toString('hex');
}

export function answerOf(template: unknown): Buffer {
  return Buffer.from(JSON.stringify({ result: template, error: null, id: 1 }));
}

/** Regtest address of bcoin and Bitcoin Core, and its script. */
export const REGTEST_ADDRESS = 'bcrt1qzyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3lgth6c';
export const REGTEST_SCRIPT = Buffer.from(`0014${'11'.repeat(20)}`, 'hex');

export const RULES: ChainRules = {
  chain: 'main',
  currency: 'BTC',
  algorithm: 'sha256d',
  diff1: 0xffffn << 208n,
  extranonceSize: 8,
  versionRolling: null,
  ntimeAheadSeconds: 7000,
  coinbaseTag: '/PowerPool/',
  coinbaseVersion: 2,
  poolScript: REGTEST_SCRIPT,
  outputRules: {},
  branchOf: merkleBranchOf,
};

/** A job on prepared work with nothing special about it. */
export function jobOn(
  prepared: PreparedWork,
  options: {
    readonly rules?: ChainRules;
    readonly identity?: RunIdentity;
    readonly merged?: MergedWork;
    readonly tip?: number;
  } = {},
): JobWork {
  return makeJob(prepared, options.rules ?? RULES, {
    identity: (options.identity ?? new RunIdentity(0)).nextJob(),
    kind: 'flush',
    clean: true,
    tip: options.tip ?? 1,
    bornAt: 1,
    merged: options.merged,
  });
}

/** Work of an aux chain with nothing special about it. */
export function auxWork(chainId: number, height = 50): AuxWork {
  const hashLE = createHash('sha256').update(`aux ${chainId} ${height}`).digest();
  return {
    hashHexBE: flipped(hashLE),
    hashLE,
    chainId,
    targetLE: Buffer.from(`${'00'.repeat(29)}ffff7f`, 'hex'),
    bitsHex: '207FFFFF',
    networkDifficulty: 1,
    height,
    prevHashHexBE: 'ab'.repeat(32),
    value: 5n,
    daemon: 'aux:1',
  };
}

/** A commitment to blocks of chains with these ids, keyed aux0, aux1 … */
export function mergedOf(chainIds: readonly number[]): MergedWork {
  const works = chainIds.map((id) => auxWork(id));
  return {
    works: new Map(works.map((work, at) => [`aux${at}`, work])),
    tree: new AuxTree(works),
    targets: works.map(({ targetLE }, at) => ({
      chain: `aux${at}`,
      currency: `AX${at}`,
      targetLE,
    })),
    chainIds,
  };
}

/** Timers that run when the test says so, on a clock that the test moves. */
export class ManualTimers implements Timers {
  readonly clock = new ManualClock(1_800_000_000_000);
  #tasks: { at: number; task: () => void }[] = [];

  after(ms: number, task: () => void): Cancel {
    const entry = { at: this.clock.monotonic() + ms, task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((one) => one !== entry);
    };
  }

  /** Moves time and runs what falls due, in order. */
  advance(ms: number): void {
    const end = this.clock.monotonic() + ms;
    for (;;) {
      const next = this.#tasks.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#tasks = this.#tasks.filter((one) => one !== next);
      this.clock.advance(Math.max(0, next.at - this.clock.monotonic()));
      next.task();
    }
    this.clock.advance(Math.max(0, end - this.clock.monotonic()));
  }

  get waiting(): number {
    return this.#tasks.length;
  }
}

/** A block log in memory that says what was done with it, in order. */
export class MemoryBlockLog implements BlockLog {
  readonly events: string[] = [];
  readonly blocks = new Map<string, SolvedBlock>();
  unsettledBlocks: Awaited<ReturnType<BlockLog['unsettled']>> = [];
  failure: Error | undefined;

  append(block: SolvedBlock): boolean {
    if (this.failure !== undefined) throw this.failure;
    if (this.blocks.has(block.hashHexBE)) return false;
    this.blocks.set(block.hashHexBE, block);
    this.events.push(`append ${block.hashHexBE}`);
    return true;
  }

  answered(_chain: string, _hashHexBE: string, answer: { daemon: string; answer: string }): void {
    this.events.push(`${answer.daemon}: ${answer.answer}`);
  }

  settled(_chain: string, hashHexBE: string, state: string): void {
    this.events.push(`${state} ${hashHexBE}`);
  }

  valued(_chain: string, hashHexBE: string, totalSubsidy: bigint): void {
    this.events.push(`worth ${totalSubsidy} ${hashHexBE}`);
  }

  pending(): Promise<readonly SolvedBlock[]> {
    return Promise.resolve([...this.blocks.values()]);
  }

  unsettled(): ReturnType<BlockLog['unsettled']> {
    return Promise.resolve(this.unsettledBlocks);
  }
}

/** A group that delivers what the test hands it. */
export class FakeGroup implements TemplateGroup {
  readonly refused: string[] = [];
  readonly looks: string[] = [];
  network = 'regtest';
  live: DaemonGroup['live'] = [];
  #listener: ((template: RawTemplate) => void) | undefined;

  onTemplate(listener: (template: RawTemplate) => void): () => void {
    this.#listener = listener;
    return () => {
      this.#listener = undefined;
    };
  }

  refuse(_template: RawTemplate, reason: string): void {
    this.refused.push(reason);
  }

  look(source: string): void {
    this.looks.push(source);
  }

  preferred(): ReturnType<DaemonGroup['preferred']> {
    return undefined;
  }

  status(): ReturnType<DaemonGroup['status']> {
    return {
      live_coinservers: 1,
      down_coinservers: 0,
      coinservers: {
        'one:1': {
          status: 'live',
          last_getinfo: { chain: this.network },
          connections: [],
          templates: 'serving',
        },
      },
      tip_sources: {},
      disagreement: null,
    };
  }

  deliver(template: unknown, receivedAt = 1): void {
    const daemon = { key: 'one:1' } as RawTemplate['daemon'];
    const body = answerOf(template);
    this.#listener?.({ body, daemon, source: 'poll', receivedAt, newTip: true });
  }
}
