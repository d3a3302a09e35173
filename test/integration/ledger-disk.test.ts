/**
 * A disk that takes no more: a real ledger runs in a process whose files are limited in size
 * (`ulimit -f`, its signal ignored), so that writes fail with a real I/O error. Shares are then refused,
 * never half recorded, and taken again by themselves once the limit is lifted (`prlimit`).
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';

const available = spawnSync('prlimit', ['--version']).status === 0;
/** Of 1024 bytes: a megabyte, reached within a second. */
const LIMIT_BLOCKS = 1024;

/** Waits until the child's journal (in a file without limit: a pipe through this process) says so. */
async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`waited in vain: ${what}`);
}

test(
  'a full disk refuses shares and the ledger recovers by itself',
  { skip: !available && 'no prlimit' },
  async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'powerpool-disk-'));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const path = join(directory, 'ledger.db');
    const pipe = join(directory, 'journal.fifo');
    execFileSync('mkfifo', [pipe]);
    const journal = join(directory, 'journal');
    const reader = spawn('cp', [pipe, journal], { stdio: 'ignore' });
    const script = join(import.meta.dirname, 'ledger-child.ts');
    const child = spawn(
      'sh',
      [
        '-c',
        `trap '' XFSZ; ulimit -S -f ${LIMIT_BLOCKS}; exec "$0" "$@"`,
        process.execPath,
        script,
        path,
        '1',
        '60000',
        pipe,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const [ended, copied] = [once(child, 'close'), once(reader, 'close')];
    t.after(() => child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const lines = async () => (await readFile(journal, 'latin1').catch(() => '')).split('\n');
    await until(async () => (await lines()).some((line) => line.startsWith('f ')), 'a refusal');
    const refusedAt = (await lines()).findLastIndex((line) => line.startsWith('f '));
    execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']);
    await until(
      async () => (await lines()).slice(refusedAt).some((line) => line.startsWith('t ')),
      'shares taken again',
    );
    child.stdin.write('stop\n');
    await ended;
    await copied;
    const batches = new Map<string, [number, number]>();
    const told = new Set<number>();
    const refused = new Set<number>();
    for (const line of await lines()) {
      const [what, writer, a, b, c] = line.split(' ');
      if (what === 'b') batches.set(`${writer} ${a}`, [Number(b), Number(c)]);
      if (what !== 't' && what !== 'f') continue;
      const [first, last] = batches.get(`${writer} ${a}`)!;
      for (let n = first; n <= last; n++) (what === 't' ? told : refused).add(n);
    }
    const recorded: number[] = [];
    const day = (await readdir(directory)).find((name) => /\.shares-\d{8}$/.test(name))!;
    const db = new DatabaseSync(join(directory, day));
    for (const row of db.prepare('SELECT data FROM batches ORDER BY seq').all()) {
      const data = Buffer.from(row['data'] as Uint8Array);
      for (let at = 0; at < data.length; at += 48) recorded.push(data.readUInt32LE(at + 32));
    }
    db.close();
    t.diagnostic(`${told.size} told, ${refused.size} refused`);
    assert.ok(refused.size > 0);
    assert.equal(new Set(recorded).size, recorded.length, 'a record stands twice');
    assert.deepEqual(new Set(recorded), told);
  },
);
