/**
 * A defect on the control thread: an exception that nobody catches, in a timer or a promise. A child
 * process runs a stand-in pool by the code that runs a real one and throws; it must say what happened,
 * stop the pool (which commits and answers what was read) and exit with a status that makes a
 * supervisor start it again.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const SOURCES = new URL('../../src/', import.meta.url).href;

function run(defect: string): { status: number | null; out: string } {
  const script = `
    import { runPool } from '${SOURCES}commands/run.ts';
    import { createLog } from '${SOURCES}log.ts';
    const stay = setInterval(() => {}, 1000);
    const status = await runPool({
      log: createLog({ level: 'info', pretty: false }),
      start: async () => { setTimeout(() => { ${defect} }, 10); },
      stop: async () => { process.stdout.write('pool stopped\\n'); return true; },
      ready: new Promise(() => {}),
      failed: new Promise(() => {}),
    }, { out() {}, err() {}, color: false, exitNow: () => process.exit(9) });
    clearInterval(stay);
    process.exit(status);`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { status: child.status, out: child.stdout };
}

for (const [where, defect] of [
  ['a timer', `throw new TypeError('broken here');`],
  ['a promise', `void Promise.reject(new TypeError('broken here'));`],
] as const) {
  test(`an exception in ${where} is logged with its place, and the pool stops in order`, () => {
    const { status, out } = run(defect);
    assert.equal(status, 1);
    assert.match(out, /broken here/);
    assert.match(out, /"stack":"TypeError/);
    assert.match(out, /pool stopped/);
  });
}
