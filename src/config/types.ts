/**
 * The types a component can have: short name, the dotted name old files use, schema, and what it is.
 * `Config` is what loading yields: every component with its typed, frozen settings, by kind.
 */
import type { z } from 'zod';
import type { AuxChainSettings, MainChainSettings, SwitcherSettings } from './schema/chains.ts';
import { auxChainSchema, mainChainSchema, switcherSchema } from './schema/chains.ts';
import type { Shape } from './schema/inspect.ts';
import { shapeOf } from './schema/inspect.ts';
import type { PoolSettings } from './schema/manager.ts';
import { poolSchema } from './schema/manager.ts';
import type { MonitorSettings, PluginSettings } from './schema/monitor-server.ts';
import { monitorSchema, pluginSchema } from './schema/monitor-server.ts';
import type {
  CelerySettings,
  FanoutSettings,
  PostgresSettings,
  RedisSettings,
} from './schema/reporters.ts';
import { celerySchema, fanoutSchema, postgresSchema, redisSchema } from './schema/reporters.ts';
import type { StratumSettings } from './schema/stratum-server.ts';
import { stratumSchema } from './schema/stratum-server.ts';

export interface SettingsByType {
  readonly pool: PoolSettings;
  readonly main_chain: MainChainSettings;
  readonly aux_chain: AuxChainSettings;
  readonly switcher: SwitcherSettings;
  readonly stratum: StratumSettings;
  readonly celery: CelerySettings;
  readonly redis: RedisSettings;
  readonly postgres: PostgresSettings;
  readonly fanout: FanoutSettings;
  readonly monitor: MonitorSettings;
  readonly plugin: PluginSettings;
}

export type ComponentType = keyof SettingsByType;
type ReporterType = 'celery' | 'redis' | 'postgres' | 'fanout';

export interface TypeEntry {
  readonly schema: z.ZodType;
  readonly shape: Shape;
  /** Name in files of the original; undefined for what it did not have. */
  readonly dotted: string | undefined;
  /** Last part of the dotted name, as the monitor's front page shows it. */
  readonly className: string;
  /** A component key for the manual. */
  readonly exampleKey: string;
  /** A sentence or two for the manual. */
  readonly summary: string;
}

function entry(
  schema: z.ZodType,
  dotted: string | undefined,
  className: string,
  exampleKey: string,
  summary: string,
): TypeEntry {
  return { schema, shape: shapeOf(schema), dotted, className, exampleKey, summary };
}

export const COMPONENT_TYPES: Readonly<Record<ComponentType, TypeEntry>> = {
  pool: entry(
    poolSchema,
    'powerpool.main.PowerPool',
    'PowerPool',
    'manager',
    'The manager: what concerns the whole process. There is exactly one.',
  ),
  main_chain: entry(
    mainChainSchema,
    'powerpool.jobmanagers.MonitorNetwork',
    'MonitorNetwork',
    'LTC',
    'A chain to mine: takes templates from its coin daemons, makes jobs of them and submits blocks.',
  ),
  aux_chain: entry(
    auxChainSchema,
    'powerpool.jobmanagers.MonitorAuxNetwork',
    'MonitorAuxNetwork',
    'DOGE',
    'A chain that is merge-mined along with the main chains that name it under merged.',
  ),
  switcher: entry(
    switcherSchema,
    'powerpool.jobmanagers.switching_jobmanager.MonitorNetworkMulti',
    'MonitorNetworkMulti',
    'best',
    'Mines the most profitable of several main chains.',
  ),
  stratum: entry(
    stratumSchema,
    'powerpool.stratum_server.StratumServer',
    'StratumServer',
    'stratum',
    'A port that miners connect to.',
  ),
  celery: entry(
    celerySchema,
    'powerpool.reporters.CeleryReporter',
    'CeleryReporter',
    'celery',
    'Reports shares, statistics and blocks as Celery tasks.',
  ),
  redis: entry(
    redisSchema,
    'powerpool.reporters.RedisReporter',
    'RedisReporter',
    'redis',
    'Reports shares, statistics and blocks into Redis.',
  ),
  postgres: entry(
    postgresSchema,
    undefined,
    'PostgresReporter',
    'postgres',
    'Reports shares, statistics and blocks into PostgreSQL.',
  ),
  fanout: entry(
    fanoutSchema,
    'powerpool.reporters.DoubleReporter',
    'DoubleReporter',
    'both',
    'Reports to several reporters, each at its own pace.',
  ),
  monitor: entry(
    monitorSchema,
    'powerpool.monitor.ServerMonitor',
    'ServerMonitor',
    'monitor',
    'The HTTP port with status, statistics and dashboard.',
  ),
  plugin: entry(
    pluginSchema,
    undefined,
    'plugin',
    'mine',
    'A component of your own: its type is ./file.ts#Class or package#Class, its settings are what that class wants.',
  ),
};

export const SHORT_NAMES: readonly ComponentType[] = (
  Object.keys(COMPONENT_TYPES) as ComponentType[]
).filter((type) => type !== 'plugin');

export interface ResolvedType {
  readonly type: ComponentType;
  /** Given by a dotted name of the original, in whose files unknown keys are only warned of. */
  readonly old: boolean;
}

/** What a `type` means; undefined when it is neither known nor names a class of a module. */
export function resolveType(name: string): ResolvedType | undefined {
  for (const type of SHORT_NAMES) {
    if (name === type) return { type, old: false };
    if (name === COMPONENT_TYPES[type].dotted) return { type, old: true };
  }
  return /^[^#\s]+#[A-Za-z_$][\w$]*$/.test(name) ? { type: 'plugin', old: false } : undefined;
}

/** One component of the file. Its settings are frozen. */
export interface Component<T extends ComponentType> {
  readonly key: string;
  readonly type: T;
  /** `type` as it stands in the file; for a plug-in the module and class. */
  readonly declaredType: string;
  readonly settings: SettingsByType[T];
  /** Order in the file, from 0. */
  readonly index: number;
  /** Line of its key in the file. */
  readonly line: number;
}

export type AnyComponent = { [T in ComponentType]: Component<T> }[ComponentType];
export type ReporterComponent = { [T in ReporterType]: Component<T> }[ReporterType];

export interface StratumComponent extends Component<'stratum'> {
  /** Key of the main chain, switcher or plug-in it mines: `jobmanager`, or the only one there is. */
  readonly jobSource: string;
}

/**
 * A whole file, checked. Ports are those to listen on and `procname` the full name: both already
 * contain `server_number`, which is the sum of the file's and the command line's. File names are
 * absolute. References name components that exist.
 */
export interface Config {
  readonly file: string;
  readonly pool: Component<'pool'>;
  readonly mainChains: readonly Component<'main_chain'>[];
  readonly auxChains: readonly Component<'aux_chain'>[];
  readonly switchers: readonly Component<'switcher'>[];
  readonly stratum: readonly StratumComponent[];
  readonly reporters: readonly ReporterComponent[];
  readonly monitors: readonly Component<'monitor'>[];
  readonly plugins: readonly Component<'plugin'>[];
  /** All of them in the order of the file. */
  readonly components: readonly AnyComponent[];
}
