/**
 * One ledger, one writer: a second process on the same path gets LedgerError LOCKED naming the lock's
 * file, a report reads without it (also what a killed pool left), and the lock goes with its process however that dies. Two real
 * processes: this one and ledger-child.ts.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { LedgerOptions } from '../../src/ledger/options.ts';
import { ledgerReport } from '../../src/ledger/report.ts';
import { silentLog } from '../../src/log.ts';

function options(path: string): LedgerOptions {
  return {
    path,
    synchronous: 'normal',
    serverNumber: 0,
    retention: { sharesHours: 24, slicesDays: 365, blocksDays: null },
    log: silentLog,
  };
}

async function openAndStop(path: string): Promise<void> {
  const ledger = await Ledger.open(options(path));
  await ledger.stop();
}

test('a second process is refused, a report is not; the lock dies with its process', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'powerpool-lock-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'ledger.db');
  const script = join(import.meta.dirname, 'ledger-child.ts');
  const journal = join(directory, 'journal');
  const child = spawn(process.execPath, [script, path, '1', '60000', journal], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  await assert.rejects(openAndStop(path), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'LOCKED');
    assert.ok(error.message.includes(`${path}.lock`));
    return true;
  });
  const reportNow = () =>
    ledgerReport({ path, now: systemClock.now(), hashesPerDifficulty1: () => 2 ** 32 });
  const report = reportNow();
  assert.equal(report.ledgerId.length, 36);
  while (!/^t /m.test(await readFile(journal, 'latin1'))) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill('SIGKILL');
  await ended;
  assert.ok(reportNow().addresses[0]!.accepted24h > 0, 'what a killed pool left can be read');
  const ledger = await Ledger.open(options(path));
  await assert.rejects(openAndStop(path), { code: 'LOCKED' });
  assert.equal(ledger.id, report.ledgerId);
  await ledger.stop();
  const again = await Ledger.open(options(path));
  await again.stop();
  const left = await readdir(directory);
  assert.deepEqual(
    left.filter((name) => name.endsWith('-wal')),
    [],
    'a stopped ledger leaves no write-ahead log',
  );
});
