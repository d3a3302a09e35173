/**
 * The ledger as one sink reads it, on the sink's own thread and connection: how far the next batch goes,
 * and what stands in it, of the servers that report to this sink. Entry point: LedgerSource.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { LedgerReader } from '../ledger/reader.ts';
import { SLICE_ROW_BYTES, sliceRow } from '../ledger/minute-table.ts';
import { FLAG_SOLVED, RecordView } from '../ledger/record.ts';
import type { NamedSource, NamedWorker } from '../ledger/queries.ts';
import type {
  BlockEvent,
  LedgerPosition,
  MinuteRecord,
  MinuteSlice,
  ShareKind,
  ShareRecord,
  ShareSource,
  SinkBatch,
  SinkPace,
} from '../ports.ts';

/** A page of share records: 5461 of them. */
const PAGE_BYTES = 256 * 1024;
const GROUPS_AT_ONCE = 16;
const EVENTS_AT_ONCE = 256;
/** Names kept in memory; beyond it the map starts over and the ledger is asked. */
const CACHED_NAMES = 100_000;

export interface SourceOptions {
  readonly reader: LedgerReader;
  readonly servers: ReadonlySet<string>;
  /** Chains whose blocks are not reported. */
  readonly silentChains: ReadonlySet<string>;
  /** What an algorithm is called in reports, by chain. */
  readonly algorithms: Readonly<Record<string, string>>;
}

/** How far a batch goes, and how much of the ledger that is. */
export interface Extent {
  readonly from: LedgerPosition;
  readonly to: LedgerPosition;
  /** Share records, minutes and block events, of all servers. */
  readonly records: number;
  readonly minutes: number;
  readonly events: number;
  /** Nothing that is placed behind it is in the ledger yet. */
  readonly atEnd: boolean;
}

export class LedgerSource {
  readonly #reader: LedgerReader;
  readonly #servers: ReadonlySet<string>;
  readonly #silentChains: ReadonlySet<string>;
  readonly #algorithms: Readonly<Record<string, string>>;
  readonly #workers = new Map<number, NamedWorker>();
  #sources = new Map<number, ShareSource>();

  constructor(options: SourceOptions) {
    this.#reader = options.reader;
    this.#servers = options.servers;
    this.#silentChains = options.silentChains;
    this.#algorithms = options.algorithms;
  }

  /** What could be taken next: it ends at the first block event, once all shares before that are in it. */
  next(from: LedgerPosition, pace: Pick<SinkPace, 'maxShares' | 'maxSlices'>): Extent {
    // Events first: every share before a placed event is then in the files.
    const events = this.#reader.blockEventsSince(from.block, EVENTS_AT_ONCE);
    const place = events[0]?.seq;
    const groups = this.#reader.groupsSince(from.minute, GROUPS_AT_ONCE);
    const shares = this.#reader.shareRange(from.seq, pace.maxShares, place);
    let slices = 0;
    const minutes = groups.filter(({ data }, index) => {
      slices += data.length / SLICE_ROW_BYTES;
      return index === 0 || slices <= pace.maxSlices;
    });
    const here = shares.atEnd ? events.filter(({ seq }) => seq === place) : [];
    return {
      from,
      to: {
        seq: shares.end,
        minute: minutes.at(-1)?.id ?? from.minute,
        block: here.at(-1)?.id ?? from.block,
      },
      records: shares.records,
      minutes: minutes.length,
      events: here.length,
      atEnd: shares.atEnd && events.length === 0,
    };
  }

  /** Numbers of the first minutes after `id`. */
  firstMinutes(id: number, limit: number): readonly number[] {
    return this.#reader.groupsSince(id, limit).map((group) => group.id);
  }

  /** Numbers of the first block events after `id`. */
  firstEvents(id: number, limit: number): readonly number[] {
    return this.#reader.blockEventsSince(id, limit).map((event) => event.id);
  }

  /** The batch between two positions; the same one whenever it is asked for. */
  batch(from: LedgerPosition, to: LedgerPosition): SinkBatch {
    return {
      from,
      to,
      shares: () => this.#pages(from.seq, to.seq),
      minutes: this.#minutes(from.minute, to.minute),
      blocks: this.#blocks(from.block, to.block),
    };
  }

  async *#pages(from: number, to: number): AsyncGenerator<readonly ShareRecord[]> {
    for (let seq = from; seq < to;) {
      const { batches, nextSeq, atEnd } = this.#reader.batchesSince(seq, PAGE_BYTES);
      const page: ShareRecord[] = [];
      for (const batch of batches) {
        const view = new RecordView(batch.data);
        this.#learnWorkers(view);
        for (let i = 0; i < view.count && batch.seq + i < to; i++) {
          const source = this.#source(view.source(i));
          if (source !== undefined) page.push(this.#share(batch.seq + i, view, i, source));
        }
      }
      if (page.length > 0) yield page;
      if (atEnd) return;
      seq = nextSeq;
      // Other work of this thread (heartbeats, the order to stop) has its turn.
      await turn();
    }
  }

  #share(seq: number, view: RecordView, i: number, source: ShareSource): ShareRecord {
    const { address, worker } = this.#worker(view.worker(i));
    return {
      seq,
      address,
      worker,
      source,
      kind: view.kind(i) as ShareKind,
      difficulty: view.difficulty(i),
      hashDifficulty: view.hashDifficulty(i),
      count: view.shares(i),
      time: view.timeMs(i),
      height: view.height(i),
      solved: (view.flags(i) & FLAG_SOLVED) !== 0,
    };
  }

  #minutes(after: number, upTo: number): MinuteRecord[] {
    const minutes: MinuteRecord[] = [];
    for (let id = after; id < upTo;) {
      const groups = this.#reader.groupsSince(id, GROUPS_AT_ONCE).filter((one) => one.id <= upTo);
      if (groups.length === 0) break;
      for (const { id: group, minuteMs, data } of groups) {
        const slices = this.#slices(data);
        if (slices.length > 0) minutes.push({ id: group, time: minuteMs, slices });
        id = group;
      }
    }
    return minutes;
  }

  #slices(data: Uint8Array): MinuteSlice[] {
    const rows = Array.from({ length: data.length / SLICE_ROW_BYTES }, (_, i) => sliceRow(data, i));
    this.#learn(rows.map(({ worker }) => worker));
    return rows.flatMap((row) => {
      const source = this.#source(row.source);
      if (source === undefined) return [];
      const { address, worker } = this.#worker(row.worker);
      const { kind, difficulty, count } = row;
      return [{ address, worker, source, kind: kind as ShareKind, difficulty, count }];
    });
  }

  #blocks(after: number, upTo: number): BlockEvent[] {
    const events: BlockEvent[] = [];
    for (let id = after; id < upTo;) {
      const page = this.#reader
        .blockEventsSince(id, EVENTS_AT_ONCE)
        .filter((one) => one.id <= upTo);
      if (page.length === 0) break;
      for (const { seq: _, ...event } of page) {
        id = event.id;
        if (!this.#servers.has(event.block.server)) continue;
        if (this.#silentChains.has(event.block.chain)) continue;
        const algorithm = this.#algorithms[event.block.chain] ?? event.block.algorithm;
        events.push({ ...event, block: { ...event.block, algorithm } });
      }
    }
    return events;
  }

  /** What a source's number means; undefined where its server does not report to this sink. */
  #source(id: number): ShareSource | undefined {
    if (!this.#sources.has(id)) {
      this.#sources = new Map(this.#reader.sources().map((one) => [one.id, this.#named(one)]));
    }
    const source = this.#sources.get(id);
    return source !== undefined && this.#servers.has(source.server) ? source : undefined;
  }

  #named({ server, chain, currency, algorithm }: NamedSource): ShareSource {
    return { server, chain, currency, algorithm: this.#algorithms[chain] ?? algorithm };
  }

  #learnWorkers(view: RecordView): void {
    this.#learn(Array.from({ length: view.count }, (_, i) => view.worker(i)));
  }

  #learn(ids: readonly number[]): void {
    const missing = new Set(ids.filter((id) => !this.#workers.has(id)));
    if (missing.size === 0) return;
    if (this.#workers.size + missing.size > CACHED_NAMES) {
      this.#workers.clear();
      for (const id of ids) missing.add(id);
    }
    for (const worker of this.#reader.workers([...missing])) this.#workers.set(worker.id, worker);
  }

  #worker(id: number): { readonly address: string; readonly worker: string } {
    return this.#workers.get(id) ?? { address: `#${id}`, worker: '' };
  }
}
