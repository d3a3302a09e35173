/**
 * The control thread's directory of sessions: who is connected where, fed by batched events from the
 * listener threads. It answers lookups by address and worker, the counts of the status pages, and the
 * agent server's question whether a worker is connected. Not here: anything per share, and details
 * that only the session's own thread knows. Entry point: Directory.
 */
import type { ClientInfo } from '../ports.ts';
import { workerKey } from './remembered.ts';

/** Listener → control. Times are unix ms; `id` is unique over all threads of a run. */
export type SessionEvent =
  | {
      readonly kind: 'connect';
      readonly id: string;
      readonly server: string;
      readonly ip: string;
      readonly time: number;
    }
  | {
      readonly kind: 'authorize';
      readonly id: string;
      readonly address: string;
      readonly worker: string;
      readonly userAgent: string;
      readonly difficulty: number;
    }
  | {
      /** All submits of the session since its last such event. */
      readonly kind: 'submit';
      readonly id: string;
      /** Accepted among them. */
      readonly accepted: number;
      /** Of the last one. */
      readonly time: number;
      readonly jobCount: number;
    }
  | { readonly kind: 'difficulty'; readonly id: string; readonly difficulty: number }
  | { readonly kind: 'idle'; readonly id: string; readonly idle: boolean }
  | { readonly kind: 'disconnect'; readonly id: string };

/** As in the status of a stratum server (contract §6). */
export interface SessionCounts {
  readonly client_count: number;
  readonly client_count_authed: number;
  readonly client_count_active: number;
  readonly client_count_idle: number;
  readonly address_count: number;
  readonly address_worker_count: number;
}

type Entry = { -readonly [key in keyof ClientInfo]: ClientInfo[key] } & {
  readonly thread: number;
  authorized: boolean;
};

/** Sessions by a text; most texts have one session only, which then needs no set around it. */
class Groups {
  readonly #groups = new Map<string, Entry | Set<Entry>>();

  get size(): number {
    return this.#groups.size;
  }

  add(text: string, entry: Entry): void {
    const group = this.#groups.get(text);
    if (group === undefined) this.#groups.set(text, entry);
    else if (group instanceof Set) group.add(entry);
    else this.#groups.set(text, new Set([group, entry]));
  }

  remove(text: string, entry: Entry): void {
    const group = this.#groups.get(text);
    if (group instanceof Set) {
      group.delete(entry);
      if (group.size === 0) this.#groups.delete(text);
    } else if (group === entry) this.#groups.delete(text);
  }

  count(text: string): number {
    const group = this.#groups.get(text);
    if (group === undefined) return 0;
    return group instanceof Set ? group.size : 1;
  }

  *of(text: string): Generator<Entry> {
    const group = this.#groups.get(text);
    if (group instanceof Set) yield* group;
    else if (group !== undefined) yield group;
  }
}

/** Sessions of one server. */
class Shelf {
  readonly all = new Set<Entry>();
  readonly byAddress = new Groups();
  readonly byWorker = new Groups();
  authorized = 0;
  idle = 0;
}

export class Directory {
  readonly #maxSessions: number;
  readonly #byId = new Map<string, Entry>();
  readonly #shelves = new Map<string, Shelf>();

  /** Sessions beyond `maxSessions` are not listed; `limits` bound the connections themselves. */
  constructor(maxSessions = 1_000_000) {
    this.#maxSessions = maxSessions;
  }

  /** Sessions of all servers. */
  get size(): number {
    return this.#byId.size;
  }

  /** Events of one listener thread, in the order in which they happened. Unknown ids are ignored. */
  apply(thread: number, events: readonly SessionEvent[]): void {
    for (const event of events) {
      if (event.kind === 'connect') this.#connect(thread, event);
      else {
        const entry = this.#byId.get(event.id);
        if (entry !== undefined && entry.thread === thread) this.#change(entry, event);
      }
    }
  }

  /** A listener thread has died, and all its connections with it. Returns how many there were. */
  dropThread(thread: number): number {
    let dropped = 0;
    for (const entry of this.#byId.values()) {
      if (entry.thread !== thread) continue;
      this.#remove(entry);
      dropped++;
    }
    return dropped;
  }

  counts(server: string): SessionCounts {
    const shelf = this.#shelves.get(server);
    const clients = shelf?.all.size ?? 0;
    const idle = shelf?.idle ?? 0;
    return {
      client_count: clients,
      client_count_authed: shelf?.authorized ?? 0,
      client_count_active: clients - idle,
      client_count_idle: idle,
      address_count: shelf?.byAddress.size ?? 0,
      address_worker_count: shelf?.byWorker.size ?? 0,
    };
  }

  get(id: string): ClientInfo | undefined {
    return this.#byId.get(id);
  }

  /** The listener thread that holds a session. */
  threadOf(id: string): number | undefined {
    return this.#byId.get(id)?.thread;
  }

  /** Sessions of a server, the longest connected first: at most `limit`, after the first `skip`. */
  clients(server: string, limit: number, skip = 0): ClientInfo[] {
    return taken(this.#shelves.get(server)?.all ?? [], limit, skip);
  }

  /** Authorized sessions of an address on a server, at most `limit`. */
  byAddress(server: string, address: string, limit: number): ClientInfo[] {
    return taken(this.#shelves.get(server)?.byAddress.of(address) ?? [], limit, 0);
  }

  /** The same of one worker of the address. */
  byWorker(server: string, address: string, worker: string, limit: number): ClientInfo[] {
    return taken(
      this.#shelves.get(server)?.byWorker.of(workerKey(address, worker)) ?? [],
      limit,
      0,
    );
  }

  /** How many sessions share an address (`worker` undefined) or a worker, over the given servers. */
  connections(servers: Iterable<string>, address: string, worker: string | undefined): number {
    let sum = 0;
    for (const server of servers) {
      const shelf = this.#shelves.get(server);
      if (shelf === undefined) continue;
      sum +=
        worker === undefined
          ? shelf.byAddress.count(address)
          : shelf.byWorker.count(workerKey(address, worker));
    }
    return sum;
  }

  #connect(thread: number, event: SessionEvent & { kind: 'connect' }): void {
    if (this.#byId.has(event.id) || this.#byId.size >= this.#maxSessions) return;
    const entry: Entry = {
      id: event.id,
      server: event.server,
      address: '',
      worker: '',
      connectedAt: event.time,
      lastSubmitAt: null,
      idle: false,
      difficulty: 0,
      acceptedShares: 0,
      jobCount: 0,
      ip: event.ip,
      userAgent: '',
      thread,
      authorized: false,
    };
    this.#byId.set(entry.id, entry);
    this.#shelfOf(entry).all.add(entry);
  }

  #change(entry: Entry, event: Exclude<SessionEvent, { kind: 'connect' }>): void {
    switch (event.kind) {
      case 'authorize':
        this.#authorize(entry, event);
        break;
      case 'submit':
        entry.acceptedShares += event.accepted;
        entry.lastSubmitAt = event.time;
        entry.jobCount = event.jobCount;
        this.#setIdle(entry, false);
        break;
      case 'difficulty':
        entry.difficulty = event.difficulty;
        break;
      case 'idle':
        this.#setIdle(entry, event.idle);
        break;
      case 'disconnect':
        this.#remove(entry);
        break;
    }
  }

  #authorize(entry: Entry, event: SessionEvent & { kind: 'authorize' }): void {
    if (entry.authorized) return;
    entry.authorized = true;
    entry.address = event.address;
    entry.worker = event.worker;
    entry.userAgent = event.userAgent;
    entry.difficulty = event.difficulty;
    const shelf = this.#shelfOf(entry);
    shelf.authorized++;
    shelf.byAddress.add(entry.address, entry);
    shelf.byWorker.add(workerKey(entry.address, entry.worker), entry);
  }

  #setIdle(entry: Entry, idle: boolean): void {
    if (entry.idle === idle) return;
    entry.idle = idle;
    this.#shelfOf(entry).idle += idle ? 1 : -1;
  }

  #remove(entry: Entry): void {
    const shelf = this.#shelfOf(entry);
    this.#setIdle(entry, false);
    this.#byId.delete(entry.id);
    shelf.all.delete(entry);
    if (entry.authorized) {
      shelf.authorized--;
      shelf.byAddress.remove(entry.address, entry);
      shelf.byWorker.remove(workerKey(entry.address, entry.worker), entry);
    }
    if (shelf.all.size === 0) this.#shelves.delete(entry.server);
  }

  #shelfOf(entry: Entry): Shelf {
    let shelf = this.#shelves.get(entry.server);
    if (shelf === undefined) {
      shelf = new Shelf();
      this.#shelves.set(entry.server, shelf);
    }
    return shelf;
  }
}

function taken(entries: Iterable<Entry>, limit: number, skip: number): ClientInfo[] {
  const clients: ClientInfo[] = [];
  let at = 0;
  for (const entry of entries) {
    if (clients.length >= limit) break;
    if (at++ >= skip) clients.push(entry);
  }
  return clients;
}
