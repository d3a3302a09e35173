/**
 * The effective configuration as YAML that loads again to the same settings: short type names, every key
 * with its value, in the order of the schema. Ports and procname are written without the server number,
 * which loading adds. Entry point: `dumpConfig`.
 */
import { Document, Scalar, isMap } from 'yaml';
import type { Node } from 'yaml';
import { redactValue } from './redact.ts';
import { mapSettings } from './schema/inspect.ts';
import type { AnyComponent, Config } from './types.ts';
import { COMPONENT_TYPES } from './types.ts';

export interface DumpOptions {
  /** Print passwords and the like instead of `<redacted>`. */
  readonly showSecrets: boolean;
}

type Plain = Record<string, unknown>;

/** Settings as they were before the server number was put into effect. */
function asWritten(component: AnyComponent, serverNumber: number): Plain {
  const unshift = (port: number): number => (port === 0 ? 0 : port - serverNumber);
  if (component.type === 'pool') {
    const { procname, datagram } = component.settings;
    const suffix = `_${serverNumber}`;
    return {
      ...component.settings,
      procname: procname.slice(0, procname.length - suffix.length),
      datagram: { ...datagram, port: unshift(datagram.port) },
    };
  }
  if (component.type === 'stratum' || component.type === 'monitor') {
    return { ...component.settings, port: unshift(component.settings.port) };
  }
  return { ...component.settings };
}

/** Targets and masks are read in hex. */
function asNode(value: unknown, key: string): Node | undefined {
  if (typeof value !== 'bigint' && key !== 'version_mask') return undefined;
  const scalar = new Scalar(value);
  scalar.format = 'HEX';
  return scalar;
}

function commentPort(doc: Document, component: AnyComponent): void {
  if (component.type !== 'stratum' && component.type !== 'monitor') return;
  const map = doc.get(component.key);
  const node = isMap(map) ? map.get('port', true) : undefined;
  if (node !== undefined) node.comment = ` listens on ${component.settings.port}`;
}

export function dumpConfig(config: Config, options: DumpOptions): string {
  const serverNumber = config.pool.settings.server_number;
  const plain: Plain = {};
  for (const component of config.components) {
    const { shape } = COMPONENT_TYPES[component.type];
    const written = asWritten(component, serverNumber);
    const shown = options.showSecrets ? written : mapSettings(written, shape, redactValue);
    const type = component.type === 'plugin' ? component.declaredType : component.type;
    plain[component.key] = {
      type,
      ...(mapSettings(shown, shape, (value, _, key) => asNode(value, key)) as Plain),
    };
  }
  const doc = new Document(plain, { version: '1.1' });
  doc.commentBefore = ` Effective configuration of ${config.file.replaceAll(/\s/g, ' ')}`;
  if (serverNumber !== 0) for (const component of config.components) commentPort(doc, component);
  return doc.toString({ lineWidth: 0, directives: false });
}
