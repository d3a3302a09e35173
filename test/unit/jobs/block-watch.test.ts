import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DaemonError } from '../../../src/daemon/error.ts';
import type { Call, CallResult } from '../../../src/daemon/envelope.ts';
import { BlockWatch } from '../../../src/jobs/block-watch.ts';
import { silentLog } from '../../../src/log.ts';
import type { BlockRef } from '../../../src/ports.ts';
import { MemoryBlockLog } from './support.ts';

const ok = (confirmations: number): CallResult => ({ ok: true, result: { confirmations } });
const failed = (rpcCode: number): CallResult => ({
  ok: false,
  error: new DaemonError('RPC', 'refused', { rpcCode }),
});

interface Bench {
  readonly watch: BlockWatch;
  readonly blockLog: MemoryBlockLog;
  readonly calls: Call[][];
  answer: (call: Call) => CallResult;
}

function setUp(blocks: readonly BlockRef[]): Bench {
  const blockLog = new MemoryBlockLog();
  blockLog.unsettledBlocks = blocks;
  const calls: Call[][] = [];
  const bench: Bench = { watch: undefined as never, blockLog, calls, answer: () => ok(1) };
  const daemon = {
    key: 'one',
    batch: (batch: readonly Call[]): Promise<CallResult[]> => {
      calls.push([...batch]);
      return Promise.resolve(batch.map((call) => bench.answer(call)));
    },
  };
  const watch = new BlockWatch({
    chain: 'main',
    daemon: () => daemon,
    blockLog,
    maturity: 100,
    log: silentLog,
  });
  return Object.assign(bench, { watch });
}

const ref = (height: number, state: BlockRef['state'] = 'accepted'): BlockRef => ({
  hashHexBE: height.toString(16).padStart(64, '0'),
  height,
  state,
});

async function look(bench: Bench, height: number): Promise<void> {
  bench.watch.newTip(height);
  await bench.watch.stop();
}

test('a block matures with the configured confirmations, not one before', async () => {
  const bench = setUp([ref(5)]);
  bench.answer = () => ok(99);
  await look(bench, 103);
  assert.deepEqual(bench.blockLog.events, []);
  bench.answer = () => ok(100);
  await look(bench, 104);
  assert.deepEqual(bench.blockLog.events, [`matured ${ref(5).hashHexBE}`]);
  assert.deepEqual(bench.watch.stats(), { orphans: 0, matured: 1 });
});

test('a block beside the best chain is orphaned, and accepted again when it returns', async () => {
  const bench = setUp([ref(5)]);
  bench.answer = () => ok(-1);
  await look(bench, 6);
  assert.deepEqual(bench.blockLog.events, [`orphaned ${ref(5).hashHexBE}`]);
  bench.blockLog.unsettledBlocks = [ref(5, 'orphaned')];
  await look(bench, 7);
  assert.equal(bench.blockLog.events.length, 1, 'told once');
  bench.answer = () => ok(2);
  await look(bench, 8);
  assert.equal(bench.blockLog.events.at(-1), `accepted ${ref(5).hashHexBE}`);
  assert.equal(bench.watch.stats().orphans, 0);
});

test('a daemon that does not know a block orphans it only when the chain is well past it', async () => {
  const bench = setUp([ref(5)]);
  bench.answer = () => failed(-5);
  await look(bench, 10);
  assert.deepEqual(bench.blockLog.events, []);
  await look(bench, 11);
  assert.deepEqual(bench.blockLog.events, [`orphaned ${ref(5).hashHexBE}`]);
});

test('a daemon without getblockheader is asked by getblock', async () => {
  const bench = setUp([ref(5)]);
  bench.answer = (call) => (call.method === 'getblock' ? ok(100) : failed(-32601));
  await look(bench, 6);
  await look(bench, 7);
  assert.deepEqual(bench.blockLog.events, [`matured ${ref(5).hashHexBE}`]);
});

test('a tip asks for a bounded number of blocks; in time every one is asked for', async () => {
  const blocks = Array.from({ length: 95 }, (_, index) => ref(index));
  const bench = setUp(blocks);
  for (let tip = 100; tip < 110; tip += 1) await look(bench, tip);
  const asked = new Set(bench.calls.flat().map((call) => call.params[0]));
  assert.ok(bench.calls.every((calls) => calls.length <= 20));
  assert.equal(asked.size, 95);
  const newest = blocks.slice(-10).map((block) => block.hashHexBE);
  for (const calls of bench.calls) {
    const params = calls.map((call) => call.params[0]);
    for (const hash of newest) assert.ok(params.includes(hash));
  }
});

test('an answer that says nothing, or none at all, changes nothing', async () => {
  const bench = setUp([ref(5)]);
  for (const result of [null, 7, {}, { confirmations: '1' }]) {
    bench.answer = () => ({ ok: true, result });
    await look(bench, 200);
  }
  bench.answer = () => {
    throw new DaemonError('UNREACHABLE', 'gone');
  };
  await look(bench, 201);
  assert.deepEqual(bench.blockLog.events, []);
});
