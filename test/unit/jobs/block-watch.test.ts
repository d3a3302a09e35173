import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DaemonError } from '../../../src/daemon/error.ts';
import type { Call, CallResult } from '../../../src/daemon/envelope.ts';
import { BlockWatch } from '../../../src/jobs/block-watch.ts';
import { silentLog } from '../../../src/log.ts';
import type { BlockRef } from '../../../src/ports.ts';
import { MemoryBlockLog } from './support.ts';

interface Bench {
  readonly watch: BlockWatch;
  readonly blockLog: MemoryBlockLog;
  readonly calls: Call[][];
  /** The daemon's best chain: height → block id; and its height. */
  readonly best: Map<number, unknown>;
  tip: number;
  isDown: boolean;
}

const ref = (height: number, state: BlockRef['state'] = 'accepted'): BlockRef => ({
  hashHexBE: height.toString(16).padStart(64, '0'),
  height,
  state,
});

function setUp(blocks: readonly BlockRef[]): Bench {
  const blockLog = new MemoryBlockLog();
  blockLog.unsettledBlocks = blocks;
  const calls: Call[][] = [];
  const best = new Map<number, unknown>(blocks.map((one) => [one.height, one.hashHexBE]));
  const answer = ({ method, params }: Call): CallResult => {
    if (method === 'getblockcount') return { ok: true, result: bench.tip };
    const result = best.get(Number(params[0]));
    if (result !== undefined) return { ok: true, result };
    const error = new DaemonError('RPC', 'Block height out of range', { rpcCode: -8 });
    return { ok: false, error };
  };
  const daemon = {
    key: 'one',
    batch: (batch: readonly Call[]): Promise<CallResult[]> => {
      if (bench.isDown) return Promise.reject(new DaemonError('UNREACHABLE', 'gone'));
      calls.push([...batch]);
      return Promise.resolve(batch.map(answer));
    },
  };
  const watch = new BlockWatch({
    chain: 'main',
    daemon: () => daemon,
    blockLog,
    maturity: 100,
    log: silentLog,
  });
  const bench: Bench = { watch, blockLog, calls, best, tip: 0, isDown: false };
  return bench;
}

async function look(bench: Bench, tip: number): Promise<void> {
  bench.tip = tip;
  bench.watch.newTip();
  await bench.watch.stop();
}

test('a block matures with the configured confirmations, not one before', async () => {
  const bench = setUp([ref(5)]);
  await look(bench, 103);
  assert.deepEqual(bench.blockLog.events, []);
  await look(bench, 104);
  assert.deepEqual(bench.blockLog.events, [`matured ${ref(5).hashHexBE}`]);
  assert.deepEqual(bench.watch.stats(), { orphans: 0, matured: 1 });
});

test('a block beside the best chain is orphaned, and accepted again when it returns', async () => {
  const bench = setUp([ref(5)]);
  bench.best.set(5, 'cd'.repeat(32));
  await look(bench, 6);
  assert.deepEqual(bench.blockLog.events, [`orphaned ${ref(5).hashHexBE}`]);
  bench.blockLog.unsettledBlocks = [ref(5, 'orphaned')];
  await look(bench, 7);
  assert.equal(bench.blockLog.events.length, 1, 'told once');
  bench.best.set(5, ref(5).hashHexBE);
  await look(bench, 8);
  assert.equal(bench.blockLog.events.at(-1), `accepted ${ref(5).hashHexBE}`);
  assert.equal(bench.watch.stats().orphans, 0);
});

test('a daemon whose chain does not reach the block says nothing about it', async () => {
  const bench = setUp([ref(5)]);
  bench.best.delete(5);
  await look(bench, 4);
  assert.deepEqual(bench.blockLog.events, []);
});

test('a tip asks for a bounded number of blocks; in time every one is asked for', async () => {
  const blocks = Array.from({ length: 95 }, (_, index) => ref(index));
  const bench = setUp(blocks);
  for (let tip = 95; tip < 105; tip += 1) await look(bench, tip);
  const asked = new Set(bench.calls.flatMap((calls) => calls.slice(1)).map((one) => one.params[0]));
  assert.ok(bench.calls.every((calls) => calls.length <= 21));
  assert.equal(asked.size, 95);
  for (const calls of bench.calls) {
    const heights = calls.map((call) => call.params[0]);
    for (const { height } of blocks.slice(-10)) assert.ok(heights.includes(height));
  }
});

test('an answer that says nothing, or none at all, changes nothing', async () => {
  const bench = setUp([ref(5)]);
  for (const result of [null, 7, {}, ['00']]) {
    bench.best.set(5, result);
    await look(bench, 200);
  }
  bench.isDown = true;
  await look(bench, 201);
  assert.deepEqual(bench.blockLog.events, []);
});
