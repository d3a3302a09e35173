import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { systemClock } from '../../../src/clock.ts';
import { LedgerReader } from '../../../src/ledger/reader.ts';
import type { SolvedBlock } from '../../../src/ports.ts';
import { headerOf } from '../../../src/ledger/block-file.ts';
import { silentLog } from '../../../src/log.ts';
import type { Log } from '../../../src/log.ts';
import type { LedgerPosition, Sink, SinkBatch } from '../../../src/ports.ts';
import { SinkRefused } from '../../../src/report/errors.ts';
import { Progress } from '../../../src/report/progress.ts';
import { SinkRunner } from '../../../src/report/runner.ts';
import { LedgerSource } from '../../../src/report/source.ts';
import { openStore, START_MS, tempLedger } from '../ledger/support.ts';
import type { TestStore } from '../ledger/support.ts';

const ZERO: LedgerPosition = { seq: 0, minute: 0, block: 0 };
const OTHER = { server: 's2', chain: 'BTC', currency: 'BTC', algorithm: 'sha256d' };

function solved(hash: string): SolvedBlock {
  return {
    ...{ chain: 'BTC', currency: 'BTC', algorithm: 'sha256d', hashHexBE: hash.padStart(64, '0') },
    ...{ height: 7, address: 'addr', worker: 'w1', server: 's1', time: START_MS },
    ...{ totalSubsidy: 9_007_199_254_740_993n, fees: null, bitsHex: '1d00ffff', merged: false },
    networkDifficulty: 1,
    submit: { kind: 'block', hex: Buffer.from('00') },
  };
}

function state({ store, clock }: TestStore, hash: string, to: 'accepted' | 'orphaned'): void {
  const block = solved(hash);
  const { chain, hashHexBE } = block;
  store.applyBlocks([
    { op: 'block', header: headerOf(block), source: { hex: block.submit.hex } },
    { op: 'state', chain, hashHexBE, state: to, timeMs: clock.now() },
  ]);
}

function sourceOf(
  t: TestContext,
  path: string,
  silentChains: readonly string[] = [],
): LedgerSource {
  const reader = new LedgerReader({ path });
  t.after(() => reader.close());
  return new LedgerSource({
    reader,
    servers: new Set(['s1']),
    silentChains: new Set(silentChains),
    algorithms: { BTC: 'sha256' },
  });
}

async function sharesOf(batch: SinkBatch): Promise<number[]> {
  const seqs: number[] = [];
  for await (const page of batch.shares()) seqs.push(...page.map(({ seq }) => seq));
  return seqs;
}

/** A sink that remembers what it was given; `fail` may throw for a batch. */
class MemorySink implements Sink {
  readonly keeps: 'own' | 'ledger';
  readonly pace = { maxShares: 4, maxSlices: 100, intervalMs: 0 };
  readonly batches: { from: number; to: number; shares: number[]; blocks: string[] }[] = [];
  position: LedgerPosition | undefined;
  fail: (shares: readonly number[]) => Error | undefined = () => undefined;

  constructor(keeps: 'own' | 'ledger') {
    this.keeps = keeps;
  }

  open(): Promise<LedgerPosition | undefined> {
    return Promise.resolve(this.position);
  }

  async deliver(batch: SinkBatch): Promise<void> {
    const shares = await sharesOf(batch);
    const error = this.fail(shares);
    if (error !== undefined) throw error;
    const blocks = batch.blocks.map((one) => `${one.state}${one.report ? '!' : ''}`);
    this.batches.push({ from: batch.from.seq, to: batch.to.seq, shares, blocks });
    if (this.keeps === 'own') this.position = batch.to;
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

interface Noted {
  readonly position: LedgerPosition;
  readonly until?: LedgerPosition;
}

/** Runs the sink until all is taken; returns what was noted in the ledger. */
async function drain(
  sink: Sink,
  source: LedgerSource,
  from: { position?: LedgerPosition; until?: LedgerPosition; log?: Log } = {},
): Promise<Noted[]> {
  const noted: Noted[] = [];
  const log = from.log ?? silentLog;
  const runner = new SinkRunner({
    sink,
    source,
    position: from.position ?? ZERO,
    until: from.until ?? null,
    note: async (position, until) => {
      noted.push({ position, ...(until !== undefined && { until }) });
      await Promise.resolve();
    },
    onTried: () => {},
    progress: new Progress({
      backlog: () => ({ records: 0, oldestMs: null }),
      alarmMs: 1000,
      clock: systemClock,
      log,
    }),
    clock: systemClock,
    log,
  });
  runner.drain();
  await runner.run();
  return noted;
}

test('a block comes behind the shares before it, in a batch that ends there, and is reported once', async (t) => {
  const path = tempLedger(t);
  const store = openStore(path);
  store.take({}, {});
  state(store, 'aa', 'accepted');
  store.take({});
  store.clock.advance(1100);
  store.store.tick();
  store.take({}, {});
  state(store, 'aa', 'orphaned');
  state(store, 'aa', 'accepted');
  store.store.finishMinutes();
  const sink = new MemorySink('own');
  await drain(sink, sourceOf(t, path));
  assert.deepEqual(
    sink.batches.map(({ shares, blocks }) => [shares, blocks]),
    [
      [[1, 2, 3], ['accepted!']],
      [
        [4, 5],
        ['orphaned', 'accepted'],
      ],
    ],
  );
  store.store.close();
});

test('amounts beyond 2^53 arrive whole; a server of another reporter is left out', async (t) => {
  const path = tempLedger(t);
  const store = openStore(path);
  store.store.insertNames([], [OTHER]);
  store.take({ source: 1 }, { source: 2 }, { source: 1 });
  state(store, 'aa', 'accepted');
  store.store.finishMinutes();
  const source = sourceOf(t, path);
  const { from, to } = source.next(ZERO, { maxShares: 100, maxSlices: 100 });
  const batch = source.batch(from, to);
  assert.deepEqual(await sharesOf(batch), [1, 3]);
  assert.deepEqual(
    batch.minutes.map(({ slices }) => slices.map((one) => [one.source.server, one.difficulty])),
    [[['s1', 2]]],
  );
  assert.equal(batch.minutes[0]!.slices[0]!.source.algorithm, 'sha256', 'as the file writes it');
  assert.equal(batch.blocks[0]!.block.totalSubsidy, 9_007_199_254_740_993n);
  store.store.close();
});

test('blocks of a chain that is not to be reported are left out, its shares are not', async (t) => {
  const path = tempLedger(t);
  const store = openStore(path);
  store.take({});
  state(store, 'aa', 'accepted');
  store.store.finishMinutes();
  const source = sourceOf(t, path, ['BTC']);
  const { from, to } = source.next(ZERO, { maxShares: 100, maxSlices: 100 });
  const batch = source.batch(from, to);
  assert.deepEqual(batch.blocks, []);
  assert.deepEqual(await sharesOf(batch), [1]);
  store.store.close();
});

test('a sink without a position of its own gets the batch that was under way again, the same one', async (t) => {
  const path = tempLedger(t);
  const store = openStore(path);
  store.take({}, {}, {});
  const source = sourceOf(t, path);
  const first = new MemorySink('ledger');
  first.fail = () => new Error('the back end is gone');
  const noted = await drain(first, source);
  const { position, until } = noted[0]!;
  assert.deepEqual([position.seq, until?.seq], [0, 4]);
  store.take({}, {});
  const second = new MemorySink('ledger');
  await drain(second, source, { position, until: until! });
  assert.deepEqual(
    second.batches.map(({ shares }) => shares),
    [
      [1, 2, 3],
      [4, 5],
    ],
  );
  store.store.close();
});

test('what the back end refuses is narrowed down to its record, logged and left out', async (t) => {
  const path = tempLedger(t);
  const store = openStore(path);
  store.take({}, {}, {}, {}, {}, {}, {});
  const sink = new MemorySink('own');
  sink.fail = (shares) => (shares.includes(3) ? new SinkRefused('DATA', 'no threes') : undefined);
  const errors: unknown[] = [];
  const log: Log = { ...silentLog, error: (_text, fields) => errors.push(fields?.['data']) };
  await drain(sink, sourceOf(t, path), { log });
  assert.deepEqual(
    sink.batches.flatMap(({ shares }) => shares),
    [1, 2, 4, 5, 6, 7],
  );
  assert.equal(errors.length, 1);
  assert.match(String(errors[0]), /"seq":3,"address":"addr"/);
  store.store.close();
});

test('the position of the back end is the one that counts', async (t) => {
  const path = tempLedger(t);
  const store = openStore(path);
  store.take({}, {}, {});
  const restored = new MemorySink('own');
  restored.position = { seq: 2, minute: 0, block: 0 };
  await drain(restored, sourceOf(t, path), { position: { seq: 4, minute: 0, block: 0 } });
  assert.deepEqual(restored.batches[0]!.shares, [2, 3]);
  const emptied = new MemorySink('own');
  await drain(emptied, sourceOf(t, path), { position: { seq: 3, minute: 0, block: 0 } });
  assert.deepEqual(
    emptied.batches.map(({ shares }) => shares),
    [[3]],
  );
  store.store.close();
});
