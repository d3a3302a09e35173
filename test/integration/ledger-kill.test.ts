/**
 * Acknowledged means recorded (design rule 3): a process that feeds a real ledger is killed with SIGKILL
 * at random moments, 100 times over two ledgers, some of them while it starts; every tenth run ends
 * gracefully instead. After each run the share files are read with this test's own decoder and compared:
 * told ⊆ ledger, ledger ∖ told ⊆ sent and unanswered, nothing twice, every record as it was sent. After
 * each graceful run the minute slices equal the sums over all shares. Moments come from a printed seed.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { CHILD_SOURCE, expectedRecord } from './ledger-child.ts';

const KILLS = Number(process.env['LEDGER_KILLS'] ?? 100);
const SEED = Number(process.env['LEDGER_SEED'] ?? 20261123);
const MINUTE_MS = 100;

/** mulberry32 */
function random(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Journal {
  readonly sent: Set<number>;
  readonly told: Set<number>;
  readonly refused: Set<number>;
  readonly stopped: boolean;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** What the child knew when it ended; a torn last line is not counted. */
async function readJournal(file: string): Promise<Journal> {
  const text = await readFile(file, 'latin1').catch(() => '');
  const lines = text.split('\n').slice(0, -1);
  const batches = new Map<string, number[]>();
  const journal = { sent: new Set<number>(), told: new Set<number>(), refused: new Set<number>() };
  for (const line of lines) {
    const [what, writer, a, b, c] = line.split(' ');
    if (what === 's') for (const n of range(Number(a), Number(b))) journal.sent.add(n);
    else if (what === 'b') batches.set(`${writer} ${a}`, range(Number(b), Number(c)));
    else if (what === 't' || what === 'f') {
      const into = what === 't' ? journal.told : journal.refused;
      for (const n of batches.get(`${writer} ${a}`)!) into.add(n);
    }
  }
  return { ...journal, stopped: lines.at(-1) === 'stopped' };
}

interface Run {
  readonly child: ChildProcess;
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
}

function start(path: string, run: number, journal: string): Run {
  const script = join(import.meta.dirname, 'ledger-child.ts');
  const args = [script, path, String(run), String(MINUTE_MS), journal];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const ready = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  return { child, ready: Promise.race([ready, ended]), ended };
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Copies databases and their logs: reading them here must not do the ledger's own recovery for it. */
async function copyOf(directory: string, copy: string): Promise<string> {
  await rm(copy, { recursive: true, force: true });
  await mkdir(copy);
  for (const name of await readdir(directory)) {
    if (/^ledger\.db(\.shares-\d{8})?(-wal)?$/.test(name)) {
      await copyFile(join(directory, name), join(copy, name));
    }
  }
  return copy;
}

/** What the test has read from the share files so far. */
class Shares {
  readonly #path: string;
  #nextSeq = 0;
  readonly all = new Set<string>();
  /** `minute worker kind` → difficulty and count. */
  readonly sums = new Map<string, { difficulty: number; count: number }>();

  constructor(path: string) {
    this.#path = path;
  }

  /** Reads what is new from copies of the files; returns the record numbers of `run`. */
  async read(copy: string, run: number): Promise<Set<number>> {
    const found = new Set<number>();
    const directory = await copyOf(dirname(this.#path), copy);
    const files = (await readdir(directory)).filter((name) => /\.shares-\d{8}$/.test(name));
    for (const file of files.toSorted()) {
      const db = new DatabaseSync(join(directory, file));
      // A process killed while it made the file leaves it empty.
      const made = db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'batches'`).get();
      const select = `SELECT * FROM batches WHERE seq >= ${this.#nextSeq} ORDER BY seq`;
      const rows = made === undefined ? [] : db.prepare(select).all();
      db.close();
      const names = this.#workerNames(directory);
      for (const row of rows) {
        const seq = Number(row['seq']);
        assert.ok(seq >= this.#nextSeq, 'sequence numbers overlap');
        this.#nextSeq = seq + Number(row['count']);
        this.#batch(row, names, run, found);
      }
    }
    return found;
  }

  #batch(
    row: Record<string, unknown>,
    names: ReadonlyMap<number, string>,
    run: number,
    found: Set<number>,
  ): void {
    const data = Buffer.from(row['data'] as Uint8Array);
    assert.equal(data.length, Number(row['count']) * 48);
    const minute = Math.floor(Number(row['time_ms']) / MINUTE_MS);
    for (let at = 0; at < data.length; at += 48) {
      const n = data.readUInt32LE(at + 32);
      assert.equal(data.readUInt32LE(at + 36), run, 'a record of another run appeared');
      const key = `${run} ${n}`;
      assert.ok(!this.all.has(key), `record ${key} stands in the ledger twice`);
      this.all.add(key);
      found.add(n);
      const expected = expectedRecord(n);
      const worker = names.get(data.readUInt32LE(at + 24));
      assert.equal(worker, expected.worker);
      assert.equal(data.readDoubleLE(at + 8), expected.difficulty);
      assert.equal(data[at + 46], expected.kind);
      const sumKey = `${minute} ${worker} ${expected.kind}`;
      const sum = this.sums.get(sumKey) ?? { difficulty: 0, count: 0 };
      sum.difficulty += expected.difficulty;
      sum.count += 1;
      this.sums.set(sumKey, sum);
    }
  }

  #workerNames(directory: string): Map<number, string> {
    const db = new DatabaseSync(join(directory, basename(this.#path)));
    const rows = db.prepare('SELECT id, worker FROM workers').all();
    db.close();
    return new Map(rows.map((row) => [Number(row['id']), String(row['worker'])]));
  }
}

/** Slices and totals as they stand in the file. */
function compareSlices(path: string, shares: Shares): void {
  const db = new DatabaseSync(path);
  const slices = db
    .prepare(
      `SELECT minute || ' ' || w.worker || ' ' || kind AS key, difficulty, count
       FROM slices JOIN workers w ON w.id = worker_id`,
    )
    .all();
  const totals = db
    .prepare('SELECT sum(difficulty) AS difficulty, sum(count) AS count FROM totals')
    .get();
  const sources = db.prepare('SELECT server, chain, currency, algorithm FROM sources').all();
  db.close();
  const found = new Map(
    slices.map((row) => [row['key'], { difficulty: row['difficulty'], count: row['count'] }]),
  );
  assert.deepEqual(found, shares.sums);
  const sum = (of: 'difficulty' | 'count') =>
    [...shares.sums.values()].reduce((total, slice) => total + slice[of], 0);
  assert.deepEqual({ ...totals }, { difficulty: sum('difficulty'), count: sum('count') });
  assert.deepEqual(
    sources.map((row) => ({ ...row })),
    [CHILD_SOURCE],
  );
}

interface Outcome {
  readonly kills: number;
  readonly recorded: number;
  readonly unanswered: number;
  readonly slices: number;
}

/** Told ⊆ ledger; what is in the ledger and was not told was sent and not refused. */
function compareRun(run: number, heard: Journal, found: ReadonlySet<number>): number {
  for (const n of heard.told) assert.ok(found.has(n), `run ${run}: ${n} was told, is not recorded`);
  const untold = [...found].filter((n) => !heard.told.has(n));
  for (const n of untold) {
    assert.ok(heard.sent.has(n), `run ${run}: ${n} was never sent`);
    assert.ok(!heard.refused.has(n), `run ${run}: ${n} was refused, is recorded`);
  }
  return untold.length;
}

/** Runs and kills over one ledger until `kills` are reached, ending with a graceful run. */
async function killOver(directory: string, seed: number, kills: number): Promise<Outcome> {
  const next = random(seed);
  const path = join(directory, 'ledger.db');
  const shares = new Shares(path);
  let killed = 0;
  let unanswered = 0;
  for (let run = 1; killed < kills || run % 10 !== 1; run++) {
    const graceful = run % 10 === 0;
    const journal = join(directory, `journal-${run}`);
    const { child, ready, ended } = start(path, run, journal);
    if (!graceful && next() < 0.15) await after(60 + next() * 250);
    else {
      await ready;
      await after(next() < 0.6 ? next() * 80 : 200 + next() * 250);
    }
    if (graceful) child.stdin!.write('stop\n');
    else {
      killed++;
      child.kill('SIGKILL');
    }
    await ended;
    const heard = await readJournal(journal);
    const found = await shares.read(join(directory, 'copy'), run);
    unanswered += compareRun(run, heard, found);
    if (graceful) {
      assert.ok(heard.stopped, `run ${run} did not stop`);
      compareSlices(path, shares);
    }
  }
  return { kills: killed, recorded: shares.all.size, unanswered, slices: shares.sums.size };
}

test(`told is recorded, nothing twice, slices add up over ${KILLS} kills`, async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const directory = await mkdtemp(join(tmpdir(), 'powerpool-kill-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const ledgers = await Promise.allSettled(
    [1, 2].map(async (number) => {
      const own = join(directory, String(number));
      await mkdir(own);
      return killOver(own, SEED + number, Math.ceil(KILLS / 2));
    }),
  );
  for (const ledger of ledgers) {
    if (ledger.status === 'rejected') throw ledger.reason;
    const outcome = ledger.value;
    t.diagnostic(JSON.stringify(outcome));
    assert.ok(outcome.recorded > outcome.kills * 50, 'hardly any load');
    assert.ok(outcome.slices > 1000, 'hardly any minutes');
  }
});
