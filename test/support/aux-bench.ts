/**
 * A main chain on templates that the test delivers, with aux chains on real groups and test daemons, in
 * one process: for what a merge-mined chain's daemon may do to the jobs. Entry point: AuxBench.
 */
import { systemClock } from '../../src/clock.ts';
import { auxChainSchema, mainChainSchema } from '../../src/config/schema/chains.ts';
import { auxGroup } from '../../src/daemon/aux-feed.ts';
import type { DaemonGroup } from '../../src/daemon/group.ts';
import { AuxChain } from '../../src/jobs/aux-chain.ts';
import { RunIdentity } from '../../src/jobs/identity.ts';
import { MainChain } from '../../src/jobs/main-chain.ts';
import type { Log } from '../../src/log.ts';
import type { BlockRef, Job } from '../../src/ports.ts';
import { grind, notifyParams } from '../unit/jobs/notify-miner.ts';
import {
  FakeGroup,
  MemoryBlockLog,
  REGTEST_ADDRESS,
  fixtureTemplate,
} from '../unit/jobs/support.ts';
import type { AuxDaemon } from './aux-daemon.ts';
import { daemonOptions } from './daemon-group.ts';
import { scriptOps, decodeTx } from './oracle.ts';
import { eventually } from './servers.ts';

const EXTRANONCE = Buffer.from('0011223344556677', 'hex');
const TEMPLATE = fixtureTemplate('bcoin-regtest-segwit');

/** Lists accepted and orphaned blocks to the watch, as the ledger does. */
class StatefulBlockLog extends MemoryBlockLog {
  readonly states = new Map<string, BlockRef['state']>();

  override settled(chain: string, hashHexBE: string, state: BlockRef['state']): void {
    super.settled(chain, hashHexBE, state);
    this.states.set(hashHexBE, state);
  }

  override unsettled(chain?: string): Promise<readonly BlockRef[]> {
    const open = [...this.blocks.values()].flatMap(({ hashHexBE, height, chain: of }) => {
      const state = this.states.get(hashHexBE);
      const isOpen = of === chain && (state === 'accepted' || state === 'orphaned');
      return isOpen ? [{ hashHexBE, height, state }] : [];
    });
    return Promise.resolve(open);
  }
}

export interface AuxBenchChain {
  readonly key: string;
  /** Best first. */
  readonly daemons: readonly AuxDaemon[];
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Where the first daemon publishes block hashes. */
  readonly zmq?: string;
}

export class AuxBench {
  readonly blockLog = new StatefulBlockLog();
  readonly jobs: Job[] = [];
  readonly errors: string[] = [];
  readonly chain: MainChain;
  readonly aux: readonly { readonly chain: AuxChain; readonly group: DaemonGroup }[];
  readonly #group = new FakeGroup();
  #tips = 0;

  constructor(chains: readonly AuxBenchChain[], settings: Readonly<Record<string, unknown>> = {}) {
    const common = { coinservs: [{ address: '127.0.0.1', port: 1 }], algo: 'sha256d' };
    const log = this.#log();
    this.aux = chains.map(({ key, daemons, settings: more, zmq }) => {
      const options = auxChainSchema.parse({
        ...common,
        currency: key,
        pool_address: `${key}-address`,
        ...more,
      });
      const group = auxGroup(
        {
          key,
          currency: key,
          daemons: daemons.map((one, at) =>
            daemonOptions(one, {
              timeoutMs: 400,
              priority: daemons.length - at,
              ...(zmq !== undefined && at === 0 && { zmq }),
            }),
          ),
          pingMs: 50,
          clock: systemClock,
          log,
        },
        {
          method: 'createauxblock',
          params: [`${key}-address`],
          intervalMs: 20,
          poll: options.poll ?? true,
        },
      );
      const chain = new AuxChain({
        key,
        settings: options,
        algorithm: 'sha256d',
        diff1: 0xffffn << 208n,
        group,
        blockLog: this.blockLog,
        clock: systemClock,
        log,
      });
      return { chain, group };
    });
    this.chain = new MainChain({
      key: 'main',
      settings: mainChainSchema.parse({
        ...common,
        currency: 'BTC',
        pool_address: REGTEST_ADDRESS,
        aux_coalesce: 0.01,
        ...settings,
      }),
      algorithm: 'sha256d',
      diff1: 0xffffn << 208n,
      extranonceSize: EXTRANONCE.length,
      group: this.#group,
      blockLog: this.blockLog,
      identity: new RunIdentity(0),
      clock: systemClock,
      log,
      count: () => {},
      aux: this.aux.map(({ chain }) => chain),
    });
    this.chain.onJob((job) => this.jobs.push(job));
  }

  async start(): Promise<this> {
    for (const { chain, group } of this.aux) {
      await chain.start();
      await group.start();
    }
    return this;
  }

  async stop(): Promise<void> {
    await this.chain.stop();
    for (const { chain, group } of this.aux) {
      await group.stop();
      await chain.stop();
    }
  }

  /** A new tip of the main chain; the job that is made of it before this returns. */
  newTip(): Job {
    this.#tips += 1;
    const previousblockhash = this.#tips.toString(16).padStart(64, '0');
    this.#group.deliver({ ...TEMPLATE, previousblockhash });
    return this.job;
  }

  get job(): Job {
    return this.jobs[this.jobs.length - 1]!;
  }

  /** Keys of the aux chains that the newest job commits to. */
  get inJob(): readonly string[] {
    return this.job.aux.map(({ chain }) => chain);
  }

  /** Waits for a job that commits to these chains and to what their daemons hand out now. */
  async jobWith(keys: readonly string[], after = 0): Promise<Job> {
    await eventually(`a job with ${keys.join(', ')}`, () => {
      return this.jobs.length > after && String(this.inJob) === String(keys);
    });
    return this.job;
  }

  status(key: string): Record<string, unknown> {
    return this.aux.find(({ chain }) => chain.key === key)!.chain.status();
  }

  /** A share that meets every target of the job. */
  solve(job: Job, chains: readonly string[] = job.aux.map(({ chain }) => chain)): void {
    const { header, hashLE } = grind(notifyParams(job.notify), EXTRANONCE);
    this.chain.solved({
      jobId: job.id,
      chains,
      header,
      extranonce: EXTRANONCE,
      powHashLE: hashLE,
      address: 'miner',
      worker: 'rig',
      server: 'stratum',
      difficulty: 1,
      time: systemClock.now(),
    });
  }

  /** Answers that were recorded for a daemon, oldest first. */
  answersOf(daemon: AuxDaemon): readonly string[] {
    const start = `${daemon.key}: `;
    return this.blockLog.events
      .filter((event) => event.startsWith(start))
      .map((event) => event.slice(start.length));
  }

  #log(): Log {
    const log: Log = {
      debug: () => {},
      info: () => {},
      warn: () => {},
      error: (message) => this.errors.push(message),
      child: () => log,
    };
    return log;
  }
}

/** Size of the tree that a job's coinbase commits to; undefined without a merge-mining tag. */
export function treeSizeOf(job: Job): number | undefined {
  const coinbase = decodeTx(Buffer.concat([job.coinb1, EXTRANONCE, job.coinb2]));
  for (const { data } of scriptOps(coinbase.inputs[0]!.script)) {
    if (data?.toString('hex').startsWith('fabe6d6d') === true) return data.readUInt32LE(36);
  }
  return undefined;
}
