import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { BatchMessage } from '../../../src/ledger/messages.ts';
import { LedgerWriter } from '../../../src/ledger/writer.ts';
import { SOURCE } from './support.ts';

const HASH = new Uint8Array(32);

function pair(maxOutstandingBytes?: number) {
  const { port1, port2 } = new MessageChannel();
  const writer = new LedgerWriter(
    port1,
    maxOutstandingBytes === undefined ? {} : { maxOutstandingBytes },
  );
  const acks: string[] = [];
  writer.onAck((batch, ok) => acks.push(`${batch} ${ok}`));
  return { writer, far: port2, acks };
}

function addOne(writer: LedgerWriter, worker: number): void {
  writer.add(worker, writer.source(SOURCE), 0, 0, 1, 1, 1, HASH, 0, 1, 0);
}

function received(port: MessagePort): BatchMessage | undefined {
  return receiveMessageOnPort(port)?.message as BatchMessage | undefined;
}

/** Two turns of the loop: a message posted before is delivered. */
async function turn(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
}

test('an empty batch is not sent; numbers count from 1 and each is answered once', async () => {
  const { writer, far, acks } = pair();
  assert.equal(writer.flush(), 0);
  const worker = writer.worker('a', 'w');
  const sent = [1, 2, 3].map(() => {
    addOne(writer, worker);
    return writer.flush();
  });
  assert.deepEqual(sent, [1, 2, 3]);
  assert.equal(writer.outstandingBytes, 144);
  far.postMessage({ upTo: 2, ok: true });
  far.postMessage({ upTo: 2, ok: true });
  far.postMessage({ upTo: 3, ok: false });
  await turn();
  assert.deepEqual(acks, ['1 true', '2 true', '3 false']);
  assert.equal(writer.outstandingBytes, 0);
  writer.close();
});

test('a worker is announced with its first record only, a source once', () => {
  const { writer, far } = pair();
  writer.worker('a', 'idle');
  const busy = writer.worker('a', 'busy');
  addOne(writer, busy);
  writer.flush();
  const first = received(far);
  assert.deepEqual(first?.workers, [[busy, 'a', 'busy']]);
  assert.deepEqual(first.sources, [[0, SOURCE]]);
  addOne(writer, busy);
  writer.flush();
  const second = received(far);
  assert.deepEqual([second?.workers, second?.sources], [undefined, undefined]);
  writer.close();
});

test('a ref is given to somebody else only once nobody uses it and the open batch is posted', () => {
  const { writer, far } = pair();
  const ref = writer.worker('a', 'w');
  assert.equal(writer.worker('a', 'w'), ref);
  addOne(writer, ref);
  writer.releaseWorker(ref);
  assert.notEqual(writer.worker('b', 'w'), ref);
  writer.releaseWorker(ref);
  assert.notEqual(writer.worker('c', 'w'), ref);
  writer.flush();
  assert.equal(writer.worker('d', 'w'), ref);
  addOne(writer, ref);
  writer.flush();
  received(far);
  assert.deepEqual(received(far)?.workers, [[ref, 'd', 'w']]);
  writer.close();
});

test('a writer that lags too far is not sent more: the batch is refused after flush returns', async () => {
  const { writer, far, acks } = pair(96);
  const worker = writer.worker('a', 'w');
  for (let i = 0; i < 3; i++) {
    addOne(writer, worker);
    writer.flush();
  }
  assert.deepEqual(acks, []);
  await Promise.resolve();
  assert.deepEqual(acks, ['3 false']);
  far.postMessage({ upTo: 2, ok: true });
  await turn();
  addOne(writer, worker);
  assert.equal(writer.flush(), 4);
  far.postMessage({ upTo: 4, ok: true });
  await turn();
  assert.deepEqual(acks, ['3 false', '1 true', '2 true', '4 true']);
  writer.close();
});

test('when the writer thread goes, everything unanswered and everything later is refused', async () => {
  const { writer, far, acks } = pair();
  const worker = writer.worker('a', 'w');
  addOne(writer, worker);
  writer.flush();
  far.close();
  await once(far, 'close');
  await turn();
  assert.deepEqual(acks, ['1 false']);
  addOne(writer, worker);
  assert.equal(writer.flush(), 2);
  await turn();
  assert.deepEqual(acks, ['1 false', '2 false']);
  assert.equal(writer.outstandingBytes, 0);
});
