/**
 * The reporters of a configuration: which are used, by which stratum servers (a fanout stands for its
 * list), and what each is told. Part of the composition root. Entry point: poolReporters.
 */
import { dirname, join } from 'node:path';
import { ledgerPath } from './config/load.ts';
import type { Component, Config, ReporterComponent } from './config/types.ts';
import { COMPONENT_TYPES } from './config/types.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { Log } from './log.ts';
import type { SinkKind } from './report/messages.ts';
import { Reporters } from './report/reporters.ts';
import type { ReporterOptions } from './report/reporters.ts';

/** Part of term_timeout that sinks may use to take what is left. */
const DRAIN_SHARE = 0.5;
const DEFAULT_ALARM_MS = 300_000;

type SinkComponent = Exclude<ReporterComponent, Component<'fanout'>> | Component<'plugin'>;

/** Keys of everything that is named as a reporter, by a server or in a fanout's list. */
export function reporterKeys(config: Config): ReadonlySet<string> {
  return new Set([
    ...config.stratum.flatMap(({ settings }) => settings.reporter ?? []),
    ...config.reporters.flatMap((one) => (one.type === 'fanout' ? one.settings.reporters : [])),
  ]);
}

export function poolReporters(
  config: Config,
  ledger: Ledger,
  logOf: (part: SinkComponent) => Log,
  log: Log,
): Reporters {
  const { settings } = config.pool;
  const sinks: readonly SinkComponent[] = [
    ...config.reporters.flatMap((one) => (one.type === 'fanout' ? [] : [one])),
    ...config.plugins,
  ];
  const reporters = sinks.flatMap((part): readonly ReporterOptions[] => {
    const servers = serversOf(config, part.key);
    if (servers.length > 0) return [options(config, part, servers, logOf(part))];
    log.warn(`no stratum server reports to ${part.key}: it is not started`);
    return [];
  });
  return new Reporters({
    ledger,
    ledgerPath: join(ledgerPath(config), 'ledger.db'),
    serverName: settings.procname,
    merged: mergedCurrencies(config),
    algorithms: Object.fromEntries(
      [...config.mainChains, ...config.auxChains].map((chain) => [chain.key, chain.settings.algo]),
    ),
    silentChains: config.auxChains.filter(({ settings: aux }) => !aux.send).map(({ key }) => key),
    reporters,
    drainMs: settings.term_timeout * 1000 * DRAIN_SHARE,
  });
}

function options(
  config: Config,
  part: SinkComponent,
  servers: readonly string[],
  log: Log,
): ReporterOptions {
  const { key, settings } = part;
  const { start_from, backlog_alarm } = settings as Readonly<Record<string, unknown>>;
  return {
    key,
    className:
      part.type === 'plugin' ? kindClass(part.declaredType) : COMPONENT_TYPES[part.type].className,
    kind: kindOf(config, part),
    settings,
    servers,
    startFrom: start_from === 'oldest' ? 'oldest' : 'newest',
    alarmMs: typeof backlog_alarm === 'number' ? backlog_alarm * 1000 : DEFAULT_ALARM_MS,
    log,
  };
}

function kindOf(config: Config, part: SinkComponent): SinkKind {
  if (part.type !== 'plugin') return { type: part.type };
  const [module = ''] = part.declaredType.split('#');
  const className = kindClass(part.declaredType);
  return { type: 'plugin', module, className, directory: dirname(config.file) };
}

function kindClass(declaredType: string): string {
  return declaredType.slice(declaredType.indexOf('#') + 1);
}

/** The stratum servers whose records a sink gets, by themselves or through a fanout. */
function serversOf(config: Config, key: string): string[] {
  const names = new Set([
    key,
    ...config.reporters.flatMap((one) =>
      one.type === 'fanout' && one.settings.reporters.includes(key) ? [one.key] : [],
    ),
  ]);
  return config.stratum
    .filter(({ settings }) => settings.reporter !== null && names.has(settings.reporter))
    .map((server) => server.key);
}

/** Currencies mined along with each main chain. */
function mergedCurrencies(config: Config): Record<string, string[]> {
  return Object.fromEntries(
    config.mainChains.map(({ key, settings }) => [
      key,
      settings.merged.flatMap((name) => {
        const aux = config.auxChains.find((one) => one.key === name);
        return aux?.settings.enabled === true ? [aux.settings.currency] : [];
      }),
    ]),
  );
}
