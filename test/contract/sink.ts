/**
 * What every sink promises, run against its real back end: `sinkContract(name, make)` in an integration
 * test declares the tests; `make` gives a back end that is empty for this test. Not a test file itself.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LedgerPosition, Sink } from '../../src/ports.ts';
import { MINUTE, START, batch, block, share, slice } from '../support/sink-batch.ts';
import type { BatchParts } from '../support/sink-batch.ts';

/** What arrived, as the back end's own reader sees it; repeats already dropped where it has to. */
export interface SinkContents {
  /** Accepted difficulty of shares by address. */
  readonly shares: Readonly<Record<string, number>>;
  /** Difficulty of minutes by `<kind number> <unix s of the minute> <address>.<worker>`. */
  readonly minutes: Readonly<Record<string, number>>;
  /** Hashes of reported blocks, in order of their reports. */
  readonly blocks: readonly string[];
}

/** One back end, empty at first; over it any number of sinks, as after restarts. */
export interface SinkBackEnd {
  /** A new sink on this back end, for the cursor key (`ledger-1/0/sink` unless given). */
  sink(cursorKey?: string): Sink;
  contents(): Promise<SinkContents>;
  close(): Promise<void>;
}

const MINUTE_S = MINUTE / 1000;

const FIRST: BatchParts = {
  shares: [
    share(1, 'alice', 'rig', 8),
    share(2, 'bob', '', 16),
    share(3, 'alice', 'rig', 4, 3),
    share(4, 'alice', 'two', 32),
  ],
  minutes: [
    {
      id: 1,
      time: MINUTE,
      slices: [slice('alice', 'rig', 8), slice('alice', 'rig', 4, 3), slice('bob', '', 16)],
    },
  ],
  blocks: [block(1, 'aa')],
};
const AFTER_FIRST: SinkContents = {
  shares: { alice: 40, bob: 16 },
  minutes: {
    [`0 ${MINUTE_S} alice.rig`]: 8,
    [`3 ${MINUTE_S} alice.rig`]: 4,
    [`0 ${MINUTE_S} bob.`]: 16,
  },
  blocks: ['aa'.padStart(64, '0')],
};

export function sinkContract(name: string, make: () => Promise<SinkBackEnd>): void {
  const run = (rule: string, test: (backEnd: SinkBackEnd) => Promise<void>): void => {
    void it(rule, async () => {
      const backEnd = await make();
      try {
        await test(backEnd);
      } finally {
        await backEnd.close();
      }
    });
  };

  describe(`${name}: the contract of a sink`, () => {
    run('delivers shares, minutes and block reports whole', async (backEnd) => {
      const sink = backEnd.sink();
      assert.equal(await sink.open(), undefined);
      await sink.deliver(batch(START, FIRST));
      await sink.stop();
      assert.deepEqual(await backEnd.contents(), AFTER_FIRST);
    });

    run('adds the next batch to what is there, also after a restart', async (backEnd) => {
      const one = backEnd.sink();
      await one.open();
      const first = batch(START, FIRST);
      await one.deliver(first);
      await one.stop();
      const two = backEnd.sink();
      const position = (await two.open()) ?? first.to;
      assert.deepEqual(position, first.to);
      const more = { shares: [share(9, 'bob', 'x', 64)], blocks: [block(3, 'bb')] };
      await two.deliver(batch(position, more));
      await two.stop();
      const contents = await backEnd.contents();
      assert.deepEqual(contents.shares, { alice: 40, bob: 80 });
      assert.deepEqual(contents.minutes, AFTER_FIRST.minutes);
      assert.deepEqual(contents.blocks, [...AFTER_FIRST.blocks, 'bb'.padStart(64, '0')]);
    });

    run('does not count a batch twice that is delivered twice', async (backEnd) => {
      const first = batch(START, FIRST);
      const one = backEnd.sink();
      await one.open();
      await one.deliver(first);
      await one.stop();
      const two = backEnd.sink();
      await two.open();
      // An own position refuses the repeat; a ledger's sink sends it again under the same ids.
      await two.deliver(first).catch(() => {});
      await two.stop();
      assert.deepEqual(await backEnd.contents(), AFTER_FIRST);
    });

    run('reports a block once and keeps later states apart from reports', async (backEnd) => {
      const sink = backEnd.sink();
      await sink.open();
      const blocks = [
        block(1, 'aa'),
        block(2, 'aa', { state: 'orphaned', report: false }),
        block(3, 'aa', { state: 'accepted', report: false }),
        block(4, 'cc', { state: 'rejected', report: false }),
      ];
      await sink.deliver(batch(START, { blocks }));
      await sink.stop();
      assert.deepEqual((await backEnd.contents()).blocks, ['aa'.padStart(64, '0')]);
    });

    run('moves over an empty batch', async (backEnd) => {
      const sink = backEnd.sink();
      await sink.open();
      const to: LedgerPosition = { seq: 1000, minute: 5, block: 2 };
      await sink.deliver({ ...batch(START, {}), to });
      if (sink.keeps === 'own') assert.deepEqual(await sink.open(), to);
      await sink.stop();
      const contents = await backEnd.contents();
      assert.deepEqual(contents, { shares: {}, minutes: {}, blocks: [] });
    });

    run('knows its position by ledger, server and sink', async (backEnd) => {
      const one = backEnd.sink('ledger-1/0/sink');
      await one.open();
      await one.deliver(batch(START, FIRST));
      await one.stop();
      for (const key of ['ledger-2/0/sink', 'ledger-1/1/sink', 'ledger-1/0/other']) {
        const other = backEnd.sink(key);
        assert.equal(await other.open(), undefined, key);
        await other.stop();
      }
    });

    run('delivers nothing after it was stopped', async (backEnd) => {
      const sink = backEnd.sink();
      await sink.open();
      await sink.stop();
      await assert.rejects(sink.deliver(batch(START, FIRST)));
      assert.deepEqual((await backEnd.contents()).shares, {});
    });
  });
}
