/**
 * Status → JSON, as the monitor of the original shows it (contract §6). Pure functions; the routes
 * are in server.ts.
 */
import type { ClientInfo, StatusSource } from '../ports.ts';

/** A duration as the original prints a timedelta: `0:01:23.456789`, `2 days, 3:04:05`. */
export function durationText(ms: number): string {
  const microseconds = Math.max(0, Math.round(ms * 1000));
  const pad = (value: number): string => String(value).padStart(2, '0');
  const seconds = Math.floor(microseconds / 1e6);
  const fraction = microseconds % 1e6;
  const days = Math.floor(seconds / 86_400);
  const clock = `${Math.floor((seconds % 86_400) / 3600)}:${pad(Math.floor((seconds % 3600) / 60))}:${pad(seconds % 60)}`;
  return (
    (days > 0 ? `${days} day${days === 1 ? '' : 's'}, ` : '') +
    clock +
    (fraction > 0 ? `.${String(fraction).padStart(6, '0')}` : '')
  );
}

/** `/<key>/clients/`: sessions by address and id. `prefix` is the monitor's own URL prefix. */
export function clientsView(
  clients: Iterable<ClientInfo>,
  server: string,
  prefix: string,
): Record<string, unknown> {
  const byAddress: Record<string, Record<string, unknown>> = Object.create(null);
  for (const client of clients) {
    const entry = (byAddress[client.address] ??= {
      details_view: `${prefix}/${server}/client/${encodeURIComponent(client.address)}`,
    });
    entry[client.id] = { worker: client.worker, idle: client.idle };
  }
  return { clients: byAddress };
}

/** `/05/clients/`: the view SimpleCoin reads. */
export function legacyClientsView(clients: Iterable<ClientInfo>): Record<string, unknown> {
  const byAddress: Record<string, unknown[]> = Object.create(null);
  for (const client of clients) {
    (byAddress[client.address] ??= []).push({ worker: client.worker, idle: client.idle });
  }
  return { clients: byAddress };
}

/** `/<key>/client/<username>`: everything known of each session of that name. */
export function clientView(clients: readonly ClientInfo[], now: number): Record<string, unknown> {
  return {
    username: clients.map((client) => ({
      alltime_accepted_shares: client.acceptedShares,
      difficulty: client.difficulty,
      type: 'stratum',
      worker: client.worker,
      id: client.id,
      jobmapper_size: client.jobCount,
      last_share_submit:
        client.lastSubmitAt === null ? null : durationText(now - client.lastSubmitAt),
      idle: client.idle,
      address: client.address,
      ip_address: client.ip,
      connection_time: durationText(now - client.connectedAt),
      user_agent: client.userAgent,
    })),
  };
}

/** `/`: the status of every component under `<Class>_<key>`, with links to its other views. */
export async function frontView(
  sources: readonly StatusSource[],
  servers: ReadonlySet<string>,
  prefix: string,
): Promise<Record<string, unknown>> {
  const view: Record<string, unknown> = {};
  for (const source of sources) {
    view[`${source.className}_${source.key}`] = {
      ...(await source.status()),
      config_view: `${prefix}/${source.key}/config`,
      ...(servers.has(source.key) ? { clients: `${prefix}/${source.key}/clients/` } : {}),
    };
  }
  return { ...view, debug_view: `${prefix}/debug/`, counter_view: `${prefix}/counters/` };
}

/** JSON text; bigints as numbers where they are exact, else as text. */
export function jsonText(
  value: unknown,
  options: { readonly sortKeys: boolean; readonly pretty: boolean },
): string {
  const plain = (_name: string, item: unknown): unknown => {
    if (typeof item === 'bigint') {
      return Number.isSafeInteger(Number(item)) ? Number(item) : String(item);
    }
    if (!options.sortKeys || item === null || typeof item !== 'object' || Array.isArray(item)) {
      return item;
    }
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  return JSON.stringify(value, plain, options.pretty ? 2 : 0);
}
