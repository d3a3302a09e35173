import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { createLog } from '../../src/log.ts';

test('a log that cannot be written stops nobody, and says afterwards what was lost', () => {
  const lines: string[] = [];
  let isFull = false;
  const log = createLog({
    level: 'info',
    pretty: false,
    write: (line) => {
      if (isFull) throw new Error('ENOSPC: no space left on device, write');
      lines.push(line);
    },
  });
  log.info('before');
  isFull = true;
  log.error('a block was found');
  log.child('main').warn('another line');
  isFull = false;
  log.info('after');
  const said = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    said.map(({ msg, level }) => [level, msg]),
    [
      ['info', 'before'],
      ['warn', '2 lines of the log could not be written'],
      ['info', 'after'],
    ],
  );
});

test(
  'standard output on a full disk does not stop the process',
  { skip: process.platform !== 'linux' },
  () => {
    const full = openSync('/dev/full', 'w');
    const script = `
    import { createLog } from '${new URL('../../src/log.ts', import.meta.url).href}';
    const log = createLog({ level: 'info', pretty: false });
    for (let line = 0; line < 100; line += 1) log.info('a line');
    process.stderr.write('went on');`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(full);
    assert.equal(child.status, 0, child.stderr);
    assert.match(child.stderr, /went on/);
  },
);
