import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openStore, rowsOf, slices, START_MS, tempLedger } from './support.ts';

const MINUTE = START_MS / 60_000;
const KEEP_ALL = { sharesHours: 24, slicesDays: null, blocksDays: null };

function batches(path: string, day: string): unknown[][] {
  return rowsOf(`${path}.shares-${day}`, 'SELECT seq, time_ms, count FROM batches ORDER BY seq');
}

test('a batch is one row under the sequence number of its first record', (t) => {
  const path = tempLedger(t);
  const { store, take } = openStore(path);
  take({}, {}, {});
  take({});
  store.close();
  assert.deepEqual(batches(path, '20261123'), [
    [1, START_MS, 3],
    [4, START_MS, 1],
  ]);
});

test('a minute becomes slices one second after its end, with the sums of its shares', (t) => {
  const path = tempLedger(t);
  const { store, clock, take, settle } = openStore(path);
  take({ worker: 1, difficulty: 8 }, { worker: 2, difficulty: 16 });
  take({ worker: 1, difficulty: 8 }, { worker: 1, kind: 3, difficulty: 4, count: 5 });
  clock.advance(60_999);
  store.tick();
  settle();
  assert.deepEqual(slices(path), []);
  clock.advance(1);
  store.tick();
  settle();
  assert.deepEqual(slices(path), [
    [1, MINUTE, 0, 16, 2],
    [1, MINUTE, 3, 4, 5],
    [2, MINUTE, 0, 16, 1],
  ]);
  store.close();
});

test('a minute that goes on after a restart adds to what was written of it', (t) => {
  const path = tempLedger(t);
  const first = openStore(path);
  first.take({ difficulty: 2 });
  first.store.close();
  const second = openStore(path, first.clock);
  second.take({ difficulty: 4 });
  second.clock.advance(61_000);
  second.store.tick();
  second.settle();
  second.store.close();
  assert.deepEqual(slices(path), [[1, MINUTE, 0, 6, 2]]);
  assert.deepEqual(rowsOf(path, 'SELECT minute, next_seq FROM slice_groups ORDER BY id'), [
    [MINUTE, 2],
    [MINUTE, 3],
  ]);
});

test('after a crash the open minutes are made again from the shares, each share in its own minute', (t) => {
  const path = tempLedger(t);
  const first = openStore(path);
  first.take({ difficulty: 2 });
  first.clock.advance(60_000);
  first.take({ difficulty: 4 });
  const second = openStore(path, first.clock);
  second.clock.advance(60_000);
  second.take({ difficulty: 8 });
  second.clock.advance(1000);
  second.store.tick();
  assert.equal(rowsOf(path, 'SELECT * FROM slice_groups').length, 2);
  const third = openStore(path, first.clock);
  third.clock.advance(60_000);
  third.store.tick();
  third.settle();
  assert.deepEqual(slices(path), [
    [1, MINUTE, 0, 2, 1],
    [1, MINUTE + 1, 0, 4, 1],
    [1, MINUTE + 2, 0, 8, 1],
  ]);
  third.store.close();
});

test('a group that was half in the index when the process died is finished, nothing twice', (t) => {
  const path = tempLedger(t);
  const first = openStore(path);
  const names = Array.from({ length: 1000 }, (_, i) => ({ address: 'many', worker: `m${i}` }));
  first.store.insertNames(names, []);
  first.take(...names.map((_, i) => ({ worker: i + 4, difficulty: 2 })));
  first.clock.advance(61_000);
  first.store.tick();
  for (let i = 0; i < 3; i++) assert.ok(first.store.idle());
  const half = slices(path).length;
  assert.ok(half > 0 && half < 1000, `${half} rows`);
  const second = openStore(path, first.clock);
  second.settle();
  second.store.close();
  assert.deepEqual(
    slices(path),
    names.map((_, i) => [i + 4, MINUTE, 0, 2, 1]),
  );
  assert.deepEqual(rowsOf(path, 'SELECT minute, kind, difficulty, count FROM totals'), [
    [MINUTE, 0, 2000, 1000],
  ]);
});

test('shares of a new UTC day go to a file of their own; the sequence goes on', (t) => {
  const path = tempLedger(t);
  const { store, clock, take, rolled } = openStore(path);
  take({});
  clock.advance(599_999);
  take({});
  clock.advance(1);
  take({}, {});
  store.close();
  assert.deepEqual(rolled, ['20261123', '20261124']);
  assert.deepEqual(
    batches(path, '20261123').map(([seq]) => seq),
    [1, 2],
  );
  assert.deepEqual(batches(path, '20261124'), [[3, START_MS + 600_000, 2]]);
  assert.deepEqual(rowsOf(path, 'SELECT day, first_seq FROM days ORDER BY day'), [
    ['20261123', 1],
    ['20261124', 3],
  ]);
});

test('a crash after midnight replays the open minute out of both files', (t) => {
  const path = tempLedger(t);
  const first = openStore(path);
  first.clock.advance(590_000);
  first.take({ difficulty: 2 });
  first.clock.advance(20_000);
  first.take({ difficulty: 4 });
  const second = openStore(path, first.clock);
  second.store.close();
  const third = openStore(path, first.clock);
  third.settle();
  third.store.close();
  assert.deepEqual(slices(path), [
    [1, MINUTE + 9, 0, 2, 1],
    [1, MINUTE + 10, 0, 4, 1],
  ]);
});

test('a clock that steps back a little does not make minutes go back; by hours, it is followed', (t) => {
  const path = tempLedger(t);
  const { store, clock, take } = openStore(path);
  clock.advance(120_000);
  take({});
  clock.advance(-60_000);
  take({});
  clock.advance(-7_200_000);
  take({});
  store.close();
  assert.deepEqual(
    batches(path, '20261123').map(([, time]) => time),
    [START_MS + 120_000, START_MS + 120_000, START_MS - 7_140_000],
  );
});

test('a sequence number is never given out again after a run that did not close the ledger', (t) => {
  const path = tempLedger(t);
  const first = openStore(path);
  first.take({}, {});
  const second = openStore(path, first.clock);
  assert.equal(second.store.nextSeq, 3 + 2 ** 32);
  second.store.close();
  const third = openStore(path, first.clock);
  assert.equal(third.store.nextSeq, 3 + 2 ** 32);
  third.store.close();
});

test('a cursor beyond the shares that survived keeps its place', (t) => {
  const path = tempLedger(t);
  const first = openStore(path);
  first.take({});
  first.store.applyCursor({ op: 'open', name: 'sink', from: 'newest' });
  first.store.applyCursor({
    op: 'move',
    name: 'sink',
    position: { seq: 900, minute: 0, block: 0 },
  });
  first.store.close();
  const second = openStore(path, first.clock);
  assert.ok(second.store.nextSeq >= 900);
  second.store.close();
});

test('retention drops a day only when it is old, in groups, and every cursor has passed it', (t) => {
  const path = tempLedger(t);
  const { store, clock, take, settle, unlinked } = openStore(path);
  take({}, {});
  store.applyCursor({ op: 'open', name: 'slow', from: 'oldest' });
  store.applyCursor({ op: 'open', name: 'fast', from: 'newest' });
  clock.advance(86_400_000);
  take({});
  const expire = () => {
    store.tick();
    settle();
    store.expire(KEEP_ALL);
    settle();
  };
  clock.advance(61_000);
  store.applyCursor({ op: 'move', name: 'slow', position: { seq: 3, minute: 1, block: 0 } });
  store.applyCursor({ op: 'move', name: 'fast', position: { seq: 4, minute: 1, block: 0 } });
  expire();
  assert.deepEqual(unlinked, [], 'not 24 h old');
  clock.advance(86_400_000);
  store.applyCursor({ op: 'open', name: 'late', from: 'oldest' });
  store.applyCursor({ op: 'move', name: 'late', position: { seq: 2, minute: 0, block: 0 } });
  expire();
  assert.deepEqual(unlinked, [], 'a cursor stands in it');
  store.applyCursor({ op: 'move', name: 'late', position: { seq: 3, minute: 1, block: 0 } });
  expire();
  assert.deepEqual(unlinked, ['20261123']);
  clock.advance(10 * 86_400_000);
  expire();
  assert.deepEqual(unlinked, ['20261123'], 'the day being written stays');
  store.close();
});

test('retention of slices deletes the old ones and leaves the rest', (t) => {
  const path = tempLedger(t);
  const { store, clock, take, settle } = openStore(path);
  for (let day = 0; day < 4; day++) {
    take({ worker: 1 }, { worker: 3 });
    clock.advance(86_400_000);
    store.tick();
    settle();
  }
  store.expire({ sharesHours: 24, slicesDays: 2, blocksDays: null });
  settle();
  store.close();
  const left = [1, 3].flatMap((worker) =>
    [2, 3].map((day) => [worker, MINUTE + day * 1440, 0, 1, 1]),
  );
  assert.deepEqual(slices(path), left);
  assert.equal(rowsOf(path, 'SELECT * FROM totals').length, 2);
});

test('a full share file refuses batches without losing any, and the next day takes shares again', (t) => {
  const path = tempLedger(t);
  const { store, clock, take, settle } = openStore(path, undefined, { maxShareFileBytes: 65_536 });
  let taken = 0;
  const fill = () => {
    for (;;) {
      take(...Array.from({ length: 100 }, () => ({ difficulty: 2 })));
      taken += 100;
    }
  };
  assert.throws(fill, /full/);
  assert.throws(fill, /full/);
  assert.ok(taken > 500);
  clock.advance(600_000);
  take({ difficulty: 2 });
  store.finishMinutes();
  settle();
  store.close();
  const rows = ['20261123', '20261124'].flatMap((day) => batches(path, day));
  assert.equal(
    rows.reduce((sum, [, , count]) => sum + Number(count), 0),
    taken + 1,
  );
  assert.deepEqual(
    slices(path).map(([, , , difficulty]) => difficulty),
    [taken * 2, 2],
  );
});

test('a file that is no database is refused with advice and left as it is', (t) => {
  const path = tempLedger(t);
  writeFileSync(path, 'this is not a database, but somebody wants to keep it'.repeat(100));
  const before = readFileSync(path);
  assert.throws(() => openStore(path), { code: 'CORRUPT', message: /Move it aside/ });
  assert.deepEqual(readFileSync(path), before);
});

test('a damaged share file is refused by its name and left as it is', (t) => {
  const path = tempLedger(t);
  const { store, take, clock } = openStore(path);
  take({});
  store.close();
  const file = `${path}.shares-20261123`;
  const bytes = readFileSync(file);
  bytes.fill(0xaa, 0, 200);
  writeFileSync(file, bytes);
  assert.throws(() => openStore(path, clock), { code: 'CORRUPT', message: /shares-20261123/ });
  assert.deepEqual(readFileSync(file), bytes);
});

test("another program's database is refused and not even its journal mode changed", (t) => {
  const path = tempLedger(t);
  const db = new DatabaseSync(path);
  db.exec('CREATE TABLE theirs(x)');
  db.close();
  const before = readFileSync(path);
  assert.throws(() => openStore(path), { code: 'FOREIGN' });
  assert.deepEqual(readFileSync(path), before);
});

test('share files of a ledger whose main file is gone are not mixed into a new one', (t) => {
  const path = tempLedger(t);
  const { store, take, clock } = openStore(path);
  take({});
  store.close();
  renameSync(path, `${path}.away`);
  assert.throws(() => openStore(path, clock), {
    code: 'FOREIGN',
    message: /belongs to the ledger/,
  });
  assert.ok(existsSync(`${path}.shares-20261123`));
});

test('a share file that was moved aside is missed aloud and the ledger goes on', (t) => {
  const path = tempLedger(t);
  const first = openStore(path);
  first.take({});
  first.clock.advance(86_400_000);
  first.take({});
  first.store.close();
  renameSync(`${path}.shares-20261123`, `${path}.away`);
  const second = openStore(path, first.clock);
  assert.match(second.warnings.join(), /20261123 is gone/);
  second.take({});
  second.store.close();
  assert.equal(batches(path, '20261124').length, 2);
});

test('a cursor that no configured sink has holds nothing; the limit of the backlog wins over all', (t) => {
  const path = tempLedger(t);
  const { store, clock, take, settle, unlinked, warnings } = openStore(path);
  take({}, {});
  store.applyCursor({ op: 'open', name: 'slow', from: 'oldest' });
  store.applyCursor({ op: 'open', name: 'gone', from: 'oldest' });
  clock.advance(86_400_000);
  take({});
  clock.advance(86_461_000);
  const expire = (backlogHours: number | null) => {
    store.tick();
    settle();
    store.expire({ ...KEEP_ALL, backlogHours });
    settle();
  };
  expire(null);
  expire(48);
  assert.deepEqual(unlinked, []);
  store.applyCursor({ op: 'hold', names: ['other'] });
  store.applyCursor({ op: 'hold', names: ['slow'] });
  expire(null);
  assert.deepEqual(unlinked, [], 'slow holds again');
  expire(24);
  assert.deepEqual(unlinked, ['20261123']);
  assert.match(warnings.join(), /20261123 are older than ledger.retention.backlog allows/);
  store.close();
});

test('a batch under way is noted with the cursor and gone with the next move', (t) => {
  const { store } = openStore(tempLedger(t));
  const at = (seq: number) => ({ seq, minute: 0, block: 0 });
  store.applyCursor({ op: 'open', name: 'sink', from: 'oldest' });
  const begun = { op: 'move', name: 'sink', position: at(5), until: at(9) } as const;
  assert.deepEqual(store.applyCursor(begun), { ...at(5), until: at(9) });
  assert.deepEqual(store.applyCursor({ op: 'move', name: 'sink', position: at(9) }), at(9));
  store.close();
});
