/** The rows of the Postgres sink: a batch's records as column arrays, one statement a table. */
import type { ClientBase } from 'pg';
import type { BlockEvent, MinuteRecord, MinuteSlice, ShareRecord, ShareSource } from '../ports.ts';
import type { ExtraSlice } from './extra-slices.ts';

type SourceId = (source: ShareSource) => number;

/** Sums of one user, worker, source and kind in one minute. */
export interface MinuteRow {
  /** Unix seconds. */
  readonly time: number;
  readonly sourceId: number;
  readonly user: string;
  readonly worker: string;
  readonly kind: number;
  difficulty: number;
  count: number;
}

export async function insertShares(
  client: ClientBase,
  originId: number,
  shares: readonly ShareRecord[],
  sourceId: SourceId,
): Promise<void> {
  if (shares.length === 0) return;
  await client.query(
    `INSERT INTO shares(time, origin_id, seq, source_id, address, worker, kind, difficulty,
       hash_difficulty, count, height, solved)
     SELECT to_timestamp(time / 1000), $1, seq, source_id, address, worker, kind, difficulty,
       hash_difficulty, count, height, solved
     FROM unnest($2::float8[], $3::bigint[], $4::integer[], $5::text[], $6::text[], $7::smallint[],
       $8::float8[], $9::float8[], $10::bigint[], $11::bigint[], $12::boolean[])
       AS t(time, seq, source_id, address, worker, kind, difficulty, hash_difficulty, count, height,
            solved)`,
    [
      originId,
      shares.map(({ time }) => time),
      shares.map(({ seq }) => seq),
      shares.map(({ source }) => sourceId(source)),
      shares.map(({ address }) => address),
      shares.map(({ worker }) => worker),
      shares.map(({ kind }) => kind),
      shares.map(({ difficulty }) => difficulty),
      shares.map(({ hashDifficulty }) => hashDifficulty),
      shares.map(({ count }) => count),
      shares.map(({ height }) => height),
      shares.map(({ solved }) => solved),
    ],
  );
}

/** A batch may hold two parts of a minute; one statement may not touch a row twice. */
export function minuteSums(
  minutes: readonly MinuteRecord[],
  sourceId: SourceId,
  extraOf: (source: ShareSource) => readonly ExtraSlice[],
): { readonly own: readonly MinuteRow[]; readonly extra: readonly MinuteRow[] } {
  const own = new Map<string, MinuteRow>();
  const extra = new Map<string, MinuteRow>();
  for (const minute of minutes) {
    const time = minute.time / 1000;
    for (const slice of minute.slices) {
      const source = sourceId(slice.source);
      add(own, time, source, slice.address, slice.worker, slice);
      for (const { user, worker } of extraOf(slice.source)) {
        add(extra, time, source, user, worker, slice);
      }
    }
  }
  return { own: sorted(own), extra: sorted(extra) };
}

function add(
  sums: Map<string, MinuteRow>,
  time: number,
  sourceId: number,
  user: string,
  worker: string,
  { kind, difficulty, count }: MinuteSlice,
): void {
  const key = JSON.stringify([time, user, worker, sourceId, kind]);
  const sum = sums.get(key);
  if (sum === undefined) {
    sums.set(key, { time, sourceId, user, worker, kind, difficulty, count });
  } else {
    sum.difficulty += difficulty;
    sum.count += count;
  }
}

/** Servers that add to the same rows take them in the same order, or they would wait for each other. */
function sorted(sums: ReadonlyMap<string, MinuteRow>): readonly MinuteRow[] {
  return [...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

export async function upsertMinutes(
  client: ClientBase,
  table: 'minute_slices' | 'minute_reports',
  userColumn: 'address' | 'user_name',
  rows: readonly MinuteRow[],
): Promise<void> {
  if (rows.length === 0) return;
  await client.query(
    `INSERT INTO ${table} AS old (time, source_id, ${userColumn}, worker, kind, difficulty, count)
     SELECT to_timestamp(time), source_id, user_name, worker, kind, difficulty, count
     FROM unnest($1::float8[], $2::integer[], $3::text[], $4::text[], $5::smallint[], $6::float8[],
       $7::bigint[]) AS t(time, source_id, user_name, worker, kind, difficulty, count)
     ON CONFLICT (time, ${userColumn}, worker, source_id, kind) DO UPDATE SET
       difficulty = old.difficulty + excluded.difficulty, count = old.count + excluded.count`,
    [
      rows.map(({ time }) => time),
      rows.map(({ sourceId }) => sourceId),
      rows.map(({ user }) => user),
      rows.map(({ worker }) => worker),
      rows.map(({ kind }) => kind),
      rows.map(({ difficulty }) => difficulty),
      rows.map(({ count }) => count),
    ],
  );
}

/** The events in order: the first brings the row, the others change its state. */
export async function insertBlocks(
  client: ClientBase,
  originId: number,
  events: readonly BlockEvent[],
): Promise<void> {
  for (const { block, state, time, report } of events) {
    await client.query(
      `INSERT INTO blocks AS old (chain, hash, currency, algorithm, height, address, worker, server,
         time, total_subsidy, fees, bits, merged, network_difficulty, origin_id, state, state_time,
         reported_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9::float8 / 1000), $10, $11, $12, $13,
         $14, $15, $16, to_timestamp($17::float8 / 1000),
         CASE WHEN $18::boolean THEN to_timestamp($17::float8 / 1000) END)
       ON CONFLICT (chain, hash) DO UPDATE SET state = excluded.state,
         state_time = excluded.state_time, total_subsidy = excluded.total_subsidy,
         reported_at = coalesce(old.reported_at, excluded.reported_at)`,
      [
        block.chain,
        block.hashHexBE,
        block.currency,
        block.algorithm,
        block.height,
        block.address,
        block.worker,
        block.server,
        block.time,
        block.totalSubsidy?.toString() ?? null,
        block.fees?.toString() ?? null,
        block.bitsHex,
        block.merged,
        block.networkDifficulty,
        originId,
        state,
        time,
        report,
      ],
    );
  }
}
