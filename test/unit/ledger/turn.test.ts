import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import type { Log } from '../../../src/log.ts';
import { silentLog } from '../../../src/log.ts';
import { Turn } from '../../../src/ledger/turn.ts';
import { LedgerWriter } from '../../../src/ledger/writer.ts';
import { openStore, rowsOf, SOURCE, tempLedger } from './support.ts';
import type { TestStore } from './support.ts';

const HASH = new Uint8Array(32);

async function loopTurn(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

function recordingLog(lines: string[]): Log {
  const note = (level: string) => (message: string) => lines.push(`${level}: ${message}`);
  return { ...silentLog, error: note('error'), warn: note('warn') };
}

function listener(t: TestContext, turn: Turn) {
  const { port1, port2 } = new MessageChannel();
  turn.connect(port1);
  const writer = new LedgerWriter(port2);
  t.after(() => writer.close());
  const acks: string[] = [];
  writer.onAck((batch, ok) => acks.push(`${batch} ${ok}`));
  const send = (worker: string, difficulty: number, count = 1) => {
    const ref = writer.worker('addr', worker);
    for (let i = 0; i < count; i++) {
      writer.add(ref, writer.source(SOURCE), 0, 0, difficulty, 0, 1, HASH, 0, 1, 0);
    }
    writer.releaseWorker(ref);
    return writer.flush();
  };
  return { send, acks };
}

function sums(path: string): unknown[][] {
  return rowsOf(
    path,
    `SELECT worker, difficulty FROM slices JOIN workers ON id = worker_id ORDER BY worker`,
  );
}

function finish({ store, settle }: TestStore): void {
  store.finishMinutes();
  settle();
  store.close();
}

test('batches of one turn that use one ref for different workers credit each its own', async (t) => {
  const path = tempLedger(t);
  const opened = openStore(path);
  const turn = new Turn(opened.store, opened.clock, silentLog);
  const { send, acks } = listener(t, turn);
  send('alice', 1);
  send('bob', 2);
  send('carol', 4);
  await loopTurn();
  assert.deepEqual(acks, ['1 true', '2 true', '3 true']);
  finish(opened);
  assert.deepEqual(sums(path), [
    ['alice', 1],
    ['bob', 2],
    ['carol', 4],
  ]);
});

test('two listeners may use the same ref for different workers; a turn of both is one transaction', async (t) => {
  const path = tempLedger(t);
  const opened = openStore(path);
  const turn = new Turn(opened.store, opened.clock, silentLog);
  const [one, two] = [listener(t, turn), listener(t, turn)];
  let commits = 0;
  const commit = opened.store.commit.bind(opened.store);
  t.mock.method(opened.store, 'commit', (batches: readonly Uint8Array[]) => {
    commits++;
    commit(batches);
  });
  one.send('alice', 8);
  two.send('bob', 16);
  await loopTurn();
  assert.deepEqual([one.acks, two.acks], [['1 true'], ['1 true']]);
  assert.equal(commits, 1);
  finish(opened);
  assert.deepEqual(sums(path), [
    ['alice', 8],
    ['bob', 16],
  ]);
});

test('a commit that fails refuses its batches, is logged once, and the next is tried and taken', async (t) => {
  const path = tempLedger(t);
  const opened = openStore(path, undefined, { maxShareFileBytes: 98_304 });
  const lines: string[] = [];
  const turn = new Turn(opened.store, opened.clock, recordingLog(lines));
  const { send, acks } = listener(t, turn);
  send('alice', 1, 1200);
  await loopTurn();
  assert.deepEqual(acks, ['1 true']);
  for (let i = 0; i < 5; i++) {
    send('bob', 1, 1200);
    await loopTurn();
  }
  assert.deepEqual(acks.slice(1), ['2 false', '3 false', '4 false', '5 false', '6 false']);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /^error: shares cannot be recorded: .*full/);
  assert.equal(turn.status().failingSince, opened.clock.now());
  opened.clock.advance(1000);
  send('bob', 1, 1200);
  await loopTurn();
  assert.equal(lines.length, 2);
  send('carol', 32);
  await loopTurn();
  assert.equal(acks.at(-1), '8 true');
  assert.match(lines[2]!, /^warn: shares are recorded again/);
  const status = turn.status();
  assert.deepEqual([status.failingSince, status.failedBatches, status.records], [null, 6, 1201]);
  finish(opened);
  assert.deepEqual(sums(path), [
    ['alice', 1200],
    ['carol', 32],
  ]);
});

test('a batch that is no whole number of records is refused, its neighbours are taken', async (t) => {
  const path = tempLedger(t);
  const opened = openStore(path);
  const turn = new Turn(opened.store, opened.clock, silentLog);
  const { port1, port2 } = new MessageChannel();
  turn.connect(port1);
  t.after(() => port2.close());
  const acks: unknown[] = [];
  port2.on('message', (ack) => acks.push(ack));
  const good = () => {
    const records = Buffer.alloc(48);
    records.writeUInt32LE(1, 40);
    return new Uint8Array(records).buffer;
  };
  const bindings = { workers: [[0, 'addr', 'w']], sources: [[0, SOURCE]] };
  port2.postMessage({ batch: 1, records: good(), ...bindings });
  port2.postMessage({ batch: 2, records: new ArrayBuffer(47) });
  const unknown = Buffer.from(good());
  unknown.writeUInt32LE(99, 24);
  port2.postMessage({ batch: 3, records: new Uint8Array(unknown).buffer });
  port2.postMessage({ batch: 4, records: good() });
  await loopTurn();
  assert.deepEqual(acks, [
    { upTo: 1, ok: true },
    { upTo: 3, ok: false },
    { upTo: 4, ok: true },
  ]);
  finish(opened);
});
