/**
 * From a sink's type to its class. A driver is loaded only when a sink of its type is configured; a
 * plug-in's module is the operator's own. Entry point: makeSink.
 */
import { createRequire } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf } from '../errors.ts';
import type { Sink, SinkContext } from '../ports.ts';
import { SinkUnfit } from './errors.ts';
import type { SinkKind } from './messages.ts';

/** Settings were checked against the schema of the type before they came here. */
type SinkClass = new (context: SinkContext<never>) => Sink;

const BUILT_IN: Readonly<Partial<Record<SinkKind['type'], () => Promise<SinkClass>>>> = {
  celery: async () => (await import('./celery.ts')).CelerySink,
  redis: async () => (await import('./redis.ts')).RedisSink,
  postgres: async () => (await import('./postgres.ts')).PostgresSink,
};

/** Throws SinkUnfit where the class cannot be had or does not do what a sink does. */
export async function makeSink(kind: SinkKind, context: SinkContext): Promise<Sink> {
  if (kind.type !== 'plugin') {
    const load = BUILT_IN[kind.type];
    if (load === undefined) throw new SinkUnfit('TYPE', `there is no sink of type ${kind.type}`);
    return new (await load())(context as SinkContext<never>);
  }
  const make = await pluginClass(kind);
  let sink: Sink;
  try {
    sink = new make(context as SinkContext<never>);
  } catch (error) {
    throw new SinkUnfit('PLUGIN', `${describe(kind)}: ${messageOf(error)}`, { cause: error });
  }
  const missing = ['open', 'deliver', 'stop'].filter(
    (name) => typeof (sink as unknown as Record<string, unknown>)[name] !== 'function',
  );
  if (missing.length > 0 || !isPaced(sink)) {
    const what = missing.length > 0 ? `no ${missing.join('(), no ')}()` : 'no keeps or pace';
    throw new SinkUnfit('PLUGIN', `${describe(kind)} has ${what}, expected a Sink (reporters.md)`);
  }
  return sink;
}

type Plugin = Extract<SinkKind, { type: 'plugin' }>;

function describe({ module, className }: Plugin): string {
  return `${module}#${className}`;
}

function isPaced(sink: Sink): boolean {
  const { keeps, pace } = sink as Partial<Sink>;
  return (
    (keeps === 'own' || keeps === 'ledger') &&
    typeof pace === 'object' &&
    pace.maxShares > 0 &&
    pace.maxSlices >= 0 &&
    pace.intervalMs >= 0
  );
}

async function pluginClass(kind: Plugin): Promise<SinkClass> {
  const { module, className, directory } = kind;
  try {
    const file = module.startsWith('.')
      ? join(directory, module)
      : isAbsolute(module)
        ? module
        : createRequire(join(directory, 'package.json')).resolve(module);
    const found = ((await import(pathToFileURL(file).href)) as Record<string, unknown>)[className];
    if (typeof found === 'function') return found as SinkClass;
    throw new SinkUnfit('PLUGIN', `it exports no class ${className}`);
  } catch (error) {
    throw new SinkUnfit('PLUGIN', `${describe(kind)} cannot be loaded: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
