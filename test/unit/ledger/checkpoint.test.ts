import assert from 'node:assert/strict';
import { copyFileSync, existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Checkpointer } from '../../../src/ledger/checkpoint.ts';
import { openStore, tempLedger } from './support.ts';

/** Batches that are in the file itself, without its write-ahead log. */
function inFile(file: string): number {
  copyFileSync(file, `${file}.copy`);
  const db = new DatabaseSync(`${file}.copy`);
  const row = db.prepare('SELECT count(*) AS n FROM batches').get();
  db.close();
  return Number(row?.['n']);
}

test('the writer never checkpoints, the other connection does, while the writer goes on', (t) => {
  const path = tempLedger(t);
  const file = `${path}.shares-20261123`;
  const { store, take } = openStore(path);
  take({});
  const checkpointer = new Checkpointer(file);
  checkpointer.run();
  assert.equal(inFile(file), 1);
  for (let i = 0; i < 3000; i++) take({});
  assert.equal(inFile(file), 1);
  checkpointer.run();
  assert.equal(inFile(file), 3001);
  take({});
  store.close();
  checkpointer.close();
});

test('a day that is over is emptied of its log before the writer closes it; a reader delays that', (t) => {
  const path = tempLedger(t);
  const file = `${path}.shares-20261123`;
  const { store, clock, take, rolled } = openStore(path);
  take({});
  const checkpointer = new Checkpointer(file);
  const reader = new DatabaseSync(file, { readOnly: true });
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM batches').get();
  take({});
  clock.advance(600_000);
  take({});
  assert.deepEqual(rolled, ['20261123', '20261124']);
  assert.equal(checkpointer.truncate(), false);
  reader.exec('COMMIT');
  reader.close();
  assert.equal(checkpointer.truncate(), true);
  assert.equal(statSync(`${file}-wal`).size, 0);
  store.releaseDay('20261123');
  checkpointer.close();
  assert.ok(!existsSync(`${file}-wal`));
  assert.equal(inFile(file), 2);
  store.close();
});
