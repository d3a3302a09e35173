/**
 * Composition root: a checked configuration in, a pool that can be started out. The only file that
 * constructs components; everything they know of each other is handed to them here.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { availableParallelism } from 'node:os';
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { ledgerPath } from './config/load.ts';
import { redact } from './config/redact.ts';
import type { Component, Config } from './config/types.ts';
import { DaemonGroup } from './daemon/group.ts';
import { templateParams } from './daemon/template-request.ts';
import { algorithmFor, loadAlgorithm } from './pool-algorithms.ts';
import type { LoadedAlgorithm } from './pool-algorithms.ts';
import { auxChains } from './pool-aux.ts';
import { poolReporters } from './pool-reporters.ts';
import type { Aux } from './pool-aux.ts';
import { daemonOptions } from './pool-daemons.ts';
import { RunIdentity } from './jobs/identity.ts';
import { MainChain } from './jobs/main-chain.ts';
import { Ledger } from './ledger/ledger.ts';
import { Lifecycle } from './lifecycle.ts';
import type { Startable } from './lifecycle.ts';
import type { Log } from './log.ts';
import { MonitorServer } from './monitor/server.ts';
import { durationText } from './monitor/views.ts';
import type { ClientDirectory, ClientInfo, Readiness, StatusSource } from './ports.ts';
import { ShareChecker } from './pow/checker.ts';
import { selfTest } from './pow/self-test.ts';
import type { Reporters } from './report/reporters.ts';
import { Counters } from './stats/counters.ts';
import type { Directory } from './stratum/directory.ts';
import { StratumManager } from './stratum/manager.ts';
import { ACCEPTED, LATE, REFUSALS } from './stratum/refusals.ts';

export interface PoolOptions {
  readonly log: Log;
  readonly clock?: Clock;
}

export interface Pool {
  readonly log: Log;
  start(): Promise<void>;
  /** Stops within term_timeout; false where something hung or failed (it has been logged). */
  stop(): Promise<boolean>;
  /** Resolves once every part is ready: a live daemon, a job, open ports. */
  readonly ready: Promise<void>;
  /** Resolves with the reason when the pool cannot go on (a ledger thread died). */
  readonly failed: Promise<Error>;
}

/** Most sessions that a view of the monitor lists. */
const MAX_LISTED = 100_000;
const READY_POLL_MS = 100;
const MAX_DEFAULT_THREADS = 8;
/** A component that does not start by then never will. */
const START_STEP_MS = 60_000;

/** Shown by the monitor also while they are zero (contract §4). */
const SERVER_COUNTERS: readonly string[] = [
  'stratum_connects',
  'stratum_disconnects',
  ...new Set(
    [ACCEPTED, LATE, ...Object.values(REFUSALS)].flatMap((row: Counted) => [
      row.counter,
      ...(row.countCounter === undefined ? [] : [row.countCounter]),
    ]),
  ),
];

interface Counted {
  readonly counter: string;
  readonly countCounter?: string;
}

interface Chain {
  readonly group: DaemonGroup;
  readonly chain: MainChain;
}

class RunningPool implements Pool {
  readonly log: Log;
  readonly ready: Promise<void>;
  readonly failed: Promise<Error>;
  #markReady: () => void = () => {};
  readonly #config: Config;
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #ledger: Ledger;
  readonly #aux: readonly Aux[];
  readonly #chains: readonly Chain[];
  readonly #reporters: Reporters;
  readonly #stratum: StratumManager;
  readonly #lifecycle: Lifecycle;
  readonly #startedAt: number;
  #problems = 0;
  #tick: NodeJS.Timeout | undefined;
  #readyPoll: NodeJS.Timeout | undefined;

  constructor(
    config: Config,
    ledger: Ledger,
    algorithms: ReadonlyMap<string, LoadedAlgorithm>,
    options: PoolOptions,
  ) {
    this.log = options.log;
    this.#config = config;
    this.#clock = options.clock ?? systemClock;
    this.#startedAt = this.#clock.now();
    this.#counters = new Counters(this.#startedAt);
    this.#ledger = ledger;
    this.failed = new Promise((resolve) => ledger.onDeath(resolve));
    this.ready = new Promise((resolve) => {
      this.#markReady = resolve;
    });
    const { server_number } = config.pool.settings;
    const identity = new RunIdentity(server_number, randomBytes(4));
    this.#aux = auxChains(config, {
      blockLog: ledger.blocks,
      clock: this.#clock,
      log: this.log,
      logOf: (part) => this.#logOf(part),
    });
    this.#chains = config.mainChains.map((part) => this.#chain(part, identity));
    this.#reporters = poolReporters(config, ledger, (part) => this.#logOf(part), this.log);
    this.#stratum = this.#makeStratum(algorithms);
    const monitors = config.monitors.map((part) => this.#monitor(part));
    const parts: Startable[] = [
      ledger,
      this.#reporters,
      ...this.#aux.flatMap(({ group, chain }) => [chain, group]),
      ...this.#chains.flatMap(({ group, chain }) => [chain, group]),
      this.#stratum,
      ...monitors,
    ];
    this.#lifecycle = new Lifecycle(parts, (problem) => {
      this.#problems += 1;
      this.log.error(problem);
    });
  }

  async start(): Promise<void> {
    await this.#lifecycle.start(START_STEP_MS);
    this.#tick = setInterval(() => this.#counters.tick(this.#clock.now()), 1000);
    this.#readyPoll = setInterval(() => {
      if (this.#readiness().some((part) => part.waitingFor() !== undefined)) return;
      clearInterval(this.#readyPoll);
      this.log.info('ready');
      this.#markReady();
    }, READY_POLL_MS);
  }

  async stop(): Promise<boolean> {
    clearInterval(this.#tick);
    clearInterval(this.#readyPoll);
    await this.#lifecycle.stop(this.#config.pool.settings.term_timeout * 1000);
    return this.#problems === 0;
  }

  #readiness(): readonly Readiness[] {
    return [...this.#chains.map(({ chain }) => chain), this.#stratum];
  }

  #logOf(component: { readonly key: string; readonly settings: { readonly log_level?: unknown } }) {
    const level = component.settings.log_level as Parameters<Log['child']>[1] | null;
    return this.log.child(component.key, level ?? undefined);
  }

  #chain(part: Component<'main_chain'>, identity: RunIdentity): Chain {
    const { key, settings } = part;
    const { extranonce_serv_size, extranonce_size } = this.#config.pool.settings;
    const log = this.#logOf(part);
    const group = new DaemonGroup({
      key,
      currency: settings.currency,
      daemons: settings.coinservs.map((one) => daemonOptions(one, settings.rpc_timeout)),
      blockPollMs: settings.block_poll * 1000,
      jobRefreshMs: settings.job_refresh * 1000,
      pingMs: settings.rpc_ping_int * 1000,
      poll: settings.poll ?? settings.signal === null,
      longpoll: settings.longpoll,
      templateParams: () => templateParams(settings.rules ?? undefined),
      clock: this.#clock,
      log,
    });
    const joined = algorithmFor(this.#config, settings.algo);
    this.#counters.declare(key, ['work_restarts', 'new_jobs', 'work_pushes']);
    const chain = new MainChain({
      key,
      settings,
      algorithm: joined.name,
      diff1: settings.diff1 ?? joined.diff1,
      extranonceSize: extranonce_serv_size + extranonce_size,
      group,
      blockLog: this.#ledger.blocks,
      identity,
      clock: this.#clock,
      log,
      count: (name, amount) => this.#counters.count(key, name, amount),
      aux: settings.merged.flatMap(
        (name) => this.#aux.find((one) => one.chain.key === name)?.chain ?? [],
      ),
    });
    return { group, chain };
  }

  #makeStratum(algorithms: ReadonlyMap<string, LoadedAlgorithm>): StratumManager {
    const { pool, stratum, mainChains } = this.#config;
    const { threads, extranonce_serv_size, extranonce_size } = pool.settings;
    for (const { key } of stratum) this.#counters.declare(key, SERVER_COUNTERS);
    return new StratumManager({
      threads: threads ?? Math.min(availableParallelism(), MAX_DEFAULT_THREADS),
      extranonceServSize: extranonce_serv_size,
      extranonceSize: extranonce_size,
      servers: stratum.map(({ key, settings, jobSource }) => {
        const source = this.#chains.find(({ chain }) => chain.key === jobSource)!.chain;
        const chain = mainChains.find((one) => one.key === jobSource)!.settings;
        const { algorithm, custom } = algorithms.get(settings.algo)!;
        return {
          key,
          settings,
          port: settings.port,
          source,
          algorithm,
          ...(custom !== undefined && { custom }),
          diff1: chain.diff1 ?? algorithm.diff1,
          hashesPerShare: chain.hashes_per_share ?? algorithm.hashesPerShare,
          powBlockHash: chain.pow_block_hash,
        };
      }),
      ledger: this.#ledger,
      log: this.log.child('stratum'),
      clock: this.#clock,
      onCount: (server, counter, amount) => this.#counters.count(server, counter, amount),
    });
  }

  #monitor(part: Component<'monitor'>): MonitorServer {
    const { key, settings } = part;
    const manager = this.#managerStatus();
    const sources: readonly StatusSource[] = [
      manager,
      ...this.#chains.map(({ chain }) => chain),
      ...this.#aux.map(({ chain }) => chain),
      ...this.#stratum.servers,
      ...this.#reporters.status,
      {
        key,
        className: 'ServerMonitor',
        settings,
        status: () => ({ address: settings.address, port: settings.port }),
      },
    ];
    return new MonitorServer({
      key,
      address: settings.address,
      port: settings.port,
      sortKeys: settings.JSON_SORT_KEYS,
      pretty: settings.JSONIFY_PRETTYPRINT_REGULAR,
      sources,
      servers: this.#stratum.servers.map((server) => server.key),
      directory: listing(
        this.#stratum.directory,
        this.#stratum.servers.map((server) => server.key),
      ),
      counters: () => this.#counters.snapshot(),
      readiness: this.#readiness(),
      redact,
      debug: () => this.#debug(),
      log: this.#logOf(part),
      clock: this.#clock,
    });
  }

  #managerStatus(): StatusSource {
    const { key, settings } = this.#config.pool;
    return {
      key,
      className: 'PowerPool',
      settings,
      status: () => ({
        uptime: durationText(this.#clock.now() - this.#startedAt),
        server_start: new Date(this.#startedAt).toISOString(),
        version: VERSION,
        procname: settings.procname,
        ledger: this.#ledger.status(),
      }),
    };
  }

  #debug(): Record<string, unknown> {
    return {
      memory: process.memoryUsage(),
      cpu: process.cpuUsage(),
      node: process.version,
      pid: process.pid,
      longest_listener_turn_ms: this.#stratum.takeLongestListenerTurn(),
      resources: process.getActiveResourcesInfo().length,
    };
  }
}

export const VERSION = String(
  (
    JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: unknown;
    }
  ).version,
);

/** The directory as the monitor asks it: authorised sessions only, bounded. */
function listing(directory: Directory, servers: readonly string[]): ClientDirectory {
  const authorised = (key: string): ClientInfo[] =>
    directory.clients(key, MAX_LISTED).filter(({ address }) => address !== '');
  return {
    clients: (server) => (server === undefined ? servers : [server]).flatMap(authorised),
    named: (server, username) => {
      const [address = '', ...rest] = username.split('.');
      return rest.length === 0
        ? directory.byAddress(server, address, MAX_LISTED)
        : directory.byWorker(server, address, rest.join('.'), MAX_LISTED);
    },
  };
}

/** Opens the ledger, tests the kernels and puts the components together; nothing is started yet. */
export async function createPool(config: Config, options: PoolOptions): Promise<Pool> {
  const algorithms = new Map<string, LoadedAlgorithm>();
  for (const name of new Set(config.stratum.map(({ settings }) => settings.algo))) {
    const loaded = await loadAlgorithm(config, name);
    selfTest(ShareChecker.load(loaded.algorithm));
    algorithms.set(name, loaded);
  }
  const { server_number, ledger: settings } = config.pool.settings;
  const folder = ledgerPath(config);
  mkdirSync(folder, { recursive: true });
  const ledger = await Ledger.open({
    path: join(folder, 'ledger.db'),
    synchronous: settings.synchronous,
    serverNumber: server_number,
    retention: {
      sharesHours: hours(settings.retention.shares) ?? Infinity,
      backlogHours: hours(settings.retention.backlog),
      slicesDays: days(settings.retention.slices),
      blocksDays: days(settings.retention.blocks),
    },
    log: options.log.child('ledger'),
    ...(options.clock !== undefined && { clock: options.clock }),
  });
  try {
    return new RunningPool(config, ledger, algorithms, options);
  } catch (error) {
    await ledger.stop();
    throw error;
  }
}

function hours(seconds: number | null): number | null {
  return seconds === null ? null : seconds / 3600;
}

function days(seconds: number | null): number | null {
  return seconds === null ? null : seconds / 86_400;
}
