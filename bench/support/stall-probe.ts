/**
 * Loaded into the pool's process ahead of everything (`--import`), once in each of its threads: how long
 * the thread's event loop was held up. A timer of one millisecond notes by how much it was late, and how
 * much CPU time the thread used meanwhile: the first is what a miner would feel, on this machine with its
 * other load; the second is what the thread itself did in one go. A line a second goes to a file of the
 * thread's own in the folder STALL_PROBE names. Read by stalls.ts.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread, threadId, threadName } from 'node:worker_threads';

/** One second of one thread, ms. */
export interface StallLine {
  readonly thread: string;
  readonly longestMs: number;
  readonly longestCpuMs: number;
}

const TICK_MS = 1;
const LINE_MS = 1000;

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function watch(folder: string): void {
  const thread = isMainThread ? 'control' : (threadName ?? '');
  const file = join(folder, `${threadId}.jsonl`);
  let at = performance.now();
  let cpu = cpuMs();
  let writtenAt = at;
  let longestMs = 0;
  let longestCpuMs = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    const used = cpuMs();
    longestMs = Math.max(longestMs, now - at - TICK_MS);
    longestCpuMs = Math.max(longestCpuMs, used - cpu);
    at = now;
    cpu = used;
    if (now - writtenAt < LINE_MS) return;
    const line: StallLine = { thread, longestMs, longestCpuMs };
    appendFileSync(file, `${JSON.stringify(line)}\n`);
    longestMs = 0;
    longestCpuMs = 0;
    // What the line took is not the pool's.
    at = performance.now();
    cpu = cpuMs();
    writtenAt = at;
  }, TICK_MS);
  timer.unref();
}

const folder = process.env['STALL_PROBE'];
if (folder !== undefined) watch(folder);
