/**
 * Reads a pool's share files by themselves, with this test's own decoder: the layout is that of
 * docs and src/ledger/record.ts, but no line of src/ is used. Files are copied first, so that reading them
 * does not do the ledger's own recovery for it.
 */
import assert from 'node:assert/strict';
import { copyFileSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const RECORD_BYTES = 48;

export interface ShareRecord {
  /** The hash's lowest 8 bytes, little-endian, as hex: the first 8 of the 32 as sha256d gives them. */
  readonly fingerprint: string;
  readonly difficulty: number;
  readonly height: number;
  readonly kind: number;
}

/** Every share record of the ledger below `folder`, in order. */
export function readShares(folder: string): ShareRecord[] {
  const copy = mkdtempSync(join(tmpdir(), 'powerpool-shares-'));
  try {
    const files = globSync(join(folder, '**', 'ledger.db.shares-*')).filter(
      (file) => !file.endsWith('-shm'),
    );
    for (const file of files) copyFileSync(file, join(copy, basename(file)));
    const days = files.filter((file) => /\.shares-\d{8}$/.test(file)).toSorted();
    return days.flatMap((file) => readFile(join(copy, basename(file))));
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function readFile(file: string): ShareRecord[] {
  const db = new DatabaseSync(file);
  try {
    // A process that was killed while it made the file leaves it empty.
    const made = db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'batches'`).get();
    if (made === undefined) return [];
    const rows = db.prepare('SELECT count, data FROM batches ORDER BY seq').all();
    return rows.flatMap((row) => {
      const data = Buffer.from(row['data'] as Uint8Array);
      assert.equal(data.length, Number(row['count']) * RECORD_BYTES);
      return recordsOf(data);
    });
  } finally {
    db.close();
  }
}

function recordsOf(data: Buffer): ShareRecord[] {
  const records: ShareRecord[] = [];
  for (let at = 0; at < data.length; at += RECORD_BYTES) {
    records.push({
      fingerprint: data.toString('hex', at + 32, at + 40),
      difficulty: data.readDoubleLE(at + 8),
      height: data.readUInt32LE(at + 28),
      kind: data[at + 46]!,
    });
  }
  return records;
}
