/**
 * What a file may ask for and this version does not do: parsed in full, but never ignored in silence.
 * Entry point: `notYetBuilt`.
 */
import type { Problem } from './problem.ts';
import type { AnyComponent, ComponentType, Config } from './types.ts';

/** Parts of components that can be missing by themselves. */
export type Feature =
  'agent' | 'datagram' | 'events' | 'loggers' | 'proxy_protocol' | 'signal' | 'tls';

function featuresOf(component: AnyComponent): readonly (readonly [Feature, boolean])[] {
  switch (component.type) {
    case 'pool': {
      const { datagram, events, loggers } = component.settings;
      return [
        ['datagram', datagram.enabled],
        ['events', events.enabled],
        ['loggers', loggers.length > 0],
      ];
    }
    case 'stratum': {
      const { agent, tls, proxy_protocol } = component.settings;
      return [
        ['agent', agent.enabled],
        ['tls', tls !== null],
        ['proxy_protocol', proxy_protocol.trusted.length > 0],
      ];
    }
    case 'main_chain':
    case 'aux_chain':
      return [['signal', component.settings.signal !== null]];
    default:
      return [];
  }
}

/** An error for each component and each feature in use whose name is not in `built`. */
export function notYetBuilt(
  config: Config,
  built: ReadonlySet<ComponentType | Feature>,
): readonly Problem[] {
  return config.components.flatMap((component) => {
    const problem = (path: string, what: string): Problem => ({
      severity: 'error',
      component: component.key,
      path,
      line: component.line,
      column: 1,
      message: `${what} is not part of this version yet, remove it to start`,
    });
    if (!built.has(component.type)) return [problem(component.key, `type ${component.type}`)];
    return featuresOf(component)
      .filter(([name, used]) => used && !built.has(name))
      .map(([name]) => problem(`${component.key}.${name}`, name));
  });
}
