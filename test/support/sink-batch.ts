/** Batches as the pool hands them to a sink, made by hand. Difficulties are powers of two: sums are exact. */
import type {
  BlockEvent,
  LedgerPosition,
  MinuteRecord,
  MinuteSlice,
  ShareKind,
  ShareRecord,
  ShareSource,
  SinkBatch,
  SinkContext,
} from '../../src/ports.ts';
import { systemClock } from '../../src/clock.ts';
import { silentLog } from '../../src/log.ts';

export const START: LedgerPosition = { seq: 1, minute: 0, block: 0 };
export const SOURCE: ShareSource = {
  server: 'stratum',
  chain: 'LTC',
  currency: 'LTC',
  algorithm: 'scrypt',
};
/** 2026-01-01 00:00 UTC. */
export const MINUTE = Date.UTC(2026, 0, 1);

export function share(
  seq: number,
  address: string,
  worker: string,
  difficulty: number,
  kind: ShareKind = 0,
): ShareRecord {
  const time = MINUTE + 30_000;
  const rest = { hashDifficulty: 0, count: 1, height: 7, solved: false };
  return { seq, address, worker, source: SOURCE, kind, difficulty, time, ...rest };
}

export function slice(
  address: string,
  worker: string,
  difficulty: number,
  kind: ShareKind = 0,
): MinuteSlice {
  return { address, worker, source: SOURCE, kind, difficulty, count: 1 };
}

export function block(id: number, hash: string, event: Partial<BlockEvent> = {}): BlockEvent {
  return {
    id,
    state: 'accepted',
    time: MINUTE + 31_000,
    report: true,
    block: {
      chain: 'LTC',
      currency: 'LTC',
      algorithm: 'scrypt',
      hashHexBE: hash.padStart(64, '0'),
      height: 7,
      address: 'alice',
      worker: 'rig',
      server: 'stratum',
      time: MINUTE + 30_000,
      totalSubsidy: 5_000_000_123n,
      fees: 123n,
      bitsHex: '1e0fffff',
      merged: false,
      networkDifficulty: 0.001,
    },
    ...event,
  };
}

export interface BatchParts {
  readonly shares?: readonly ShareRecord[];
  readonly minutes?: readonly MinuteRecord[];
  readonly blocks?: readonly BlockEvent[];
}

/** The batch that begins at `from`; its `to` follows from what it holds. */
export function batch(from: LedgerPosition, parts: BatchParts): SinkBatch {
  const { shares = [], minutes = [], blocks = [] } = parts;
  return {
    from,
    to: {
      seq: (shares.at(-1)?.seq ?? from.seq - 1) + 1,
      minute: minutes.at(-1)?.id ?? from.minute,
      block: blocks.at(-1)?.id ?? from.block,
    },
    // Pages of two, so that a sink meets more than one.
    async *shares() {
      for (let at = 0; at < shares.length; at += 2) {
        yield await Promise.resolve(shares.slice(at, at + 2));
      }
    },
    minutes,
    blocks,
  };
}

export function sinkContext<Settings>(
  settings: Settings,
  more: Partial<SinkContext<Settings>> = {},
): SinkContext<Settings> {
  return {
    key: 'sink',
    settings,
    cursorKey: 'ledger-1/0/sink',
    ledgerId: 'ledger-1',
    serverNumber: 0,
    serverName: 'powerpool_0',
    merged: {},
    clock: systemClock,
    log: silentLog,
    ...more,
  };
}
