/**
 * Retention through the real threads: a ledger written three days ago (under a clock of its own) is
 * opened by a real Ledger; the writer decides, the reader thread unlinks the day's files, and a cursor
 * that has not passed a day keeps it.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { ManualClock, systemClock } from '../../src/clock.ts';
import { dayOf } from '../../src/ledger/day-file.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { silentLog } from '../../src/log.ts';
import { openStore, tempLedger } from '../unit/ledger/support.ts';

const DAY_MS = 86_400_000;

function openLedger(path: string): Promise<Ledger> {
  return Ledger.open({
    path,
    synchronous: 'normal',
    serverNumber: 0,
    retention: { sharesHours: 24, slicesDays: 365, blocksDays: null },
    log: silentLog,
  });
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 300 && !condition(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.ok(condition(), what);
}

test('days that everybody has passed are unlinked at a start, a day with a cursor in it is not', async (t) => {
  const path = tempLedger(t);
  const clock = new ManualClock(systemClock.now() - 4 * DAY_MS);
  const days: string[] = [];
  const { store, take } = openStore(path, clock);
  for (let i = 0; i < 3; i++) {
    days.push(dayOf(clock.now()));
    take({ fingerprint: i });
    clock.advance(DAY_MS);
  }
  store.applyCursor({ op: 'open', name: 'sink', from: 'oldest' });
  store.applyCursor({ op: 'move', name: 'sink', position: { seq: 2, minute: 3, block: 0 } });
  store.close();
  const files = days.map((day) => `${path}.shares-${day}`);
  assert.ok(files.every((file) => existsSync(file)));

  const first = await openLedger(path);
  await until(() => !existsSync(files[0]!), 'the first day is gone');
  assert.ok(existsSync(files[1]!), 'the day in which the cursor stands stays');
  assert.deepEqual(
    await first.cursor({ op: 'move', name: 'sink', position: { seq: 3, minute: 3, block: 0 } }),
    {
      seq: 3,
      minute: 3,
      block: 0,
    },
  );
  const page = await first.query.batchesSince(0, 1_000_000);
  assert.deepEqual(
    page.batches.map(({ seq }) => seq),
    [2, 3],
  );
  await first.stop();

  const second = await openLedger(path);
  await until(() => !existsSync(files[1]!), 'passed, it goes at the next start');
  assert.ok(existsSync(files[2]!), 'the newest stays');
  const totals = await second.query.sourceTotals({ fromMs: 0, toMs: systemClock.now() });
  assert.equal(totals[0]?.accepted.count, 3, 'slices outlive the shares');
  await second.stop();
});
