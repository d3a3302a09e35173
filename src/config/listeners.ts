/**
 * server_number put into effect, and the ports that result: none beyond 65535, no two listeners on one
 * address and port. Entry points: `applyServerNumber`, then `checkListeners`.
 */
import { draftsOf, reportAt } from './cross.ts';
import type { Draft } from './draft.ts';
import type { Problem } from './problem.ts';
import type { Path } from './schema/inspect.ts';

type Report = (problem: Problem) => void;

interface Listener {
  readonly draft: Draft;
  readonly path: Path;
  readonly protocol: 'TCP' | 'UDP';
  readonly host: string;
  readonly port: number;
}

/** Adds the command line's number to the file's, shifts every port and completes procname. */
export function applyServerNumber(drafts: readonly Draft[], added: number): void {
  const managers = draftsOf(drafts, 'pool');
  const sum = (managers[0]?.settings?.server_number ?? 0) + added;
  const shift = (port: number): number => (port === 0 ? 0 : port + sum);
  for (const draft of managers) {
    if (draft.settings === undefined) continue;
    const { datagram, procname } = draft.settings;
    draft.settings = {
      ...draft.settings,
      server_number: sum,
      procname: `${procname}_${sum}`,
      datagram: { ...datagram, port: shift(datagram.port) },
    };
  }
  for (const draft of drafts) {
    if (draft.settings === undefined) continue;
    if (draft.type === 'stratum') {
      draft.settings = { ...draft.settings, port: shift(draft.settings.port) };
    } else if (draft.type === 'monitor') {
      draft.settings = { ...draft.settings, port: shift(draft.settings.port) };
    }
  }
}

function listenersOf(draft: Draft): Listener[] {
  const { settings } = draft;
  if (settings === undefined) return [];
  if (draft.type === 'monitor') {
    const { address, port } = draft.settings!;
    return [{ draft, path: ['port'], protocol: 'TCP', host: address, port }];
  }
  if (draft.type === 'pool') {
    const { enabled, host, port } = draft.settings!.datagram;
    return enabled ? [{ draft, path: ['datagram', 'port'], protocol: 'UDP', host, port }] : [];
  }
  if (draft.type !== 'stratum') return [];
  const { address: host, port, agent } = draft.settings!;
  const own: Listener = { draft, path: ['port'], protocol: 'TCP', host, port };
  if (!agent.enabled) return [own];
  return [own, { ...own, path: ['agent', 'port_diff'], port: port + agent.port_diff }];
}

const ANY = new Set(['0.0.0.0', '::', '*', '[::]']);

function overlap(a: Listener, b: Listener): boolean {
  if (a.protocol !== b.protocol || a.port !== b.port || a.port === 0) return false;
  const [one, other] = [a.host, b.host].map((host) => (host === 'localhost' ? '127.0.0.1' : host));
  return one === other || ANY.has(a.host) || ANY.has(b.host);
}

export function checkListeners(drafts: readonly Draft[], report: Report): void {
  const listeners = drafts.flatMap(listenersOf);
  for (const [at, listener] of listeners.entries()) {
    const { draft, path, port, host, protocol } = listener;
    if (port < 0 || port > 65535) {
      reportAt(report, draft, path, {
        message: 'no such port once everything is added up',
        found: String(port),
        expected: 'a port (1 to 65535)',
      });
    }
    const taken = listeners.slice(0, at).find((other) => overlap(other, listener));
    if (taken === undefined) continue;
    const name = taken.draft.key === draft.key ? taken.path.join('.') : taken.draft.key;
    reportAt(report, draft, path, {
      message: `${name} listens there already`,
      found: `${protocol} ${host}:${port}`,
      expected: 'an address and port of its own',
    });
  }
}
