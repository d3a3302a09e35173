/** contrib/alertblock: a .push file's lines as datagrams, as the coin daemon's blocknotify runs it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, removeFolder, temporaryFolder } from '../support/servers.ts';

const SCRIPT = fileURLToPath(new URL('../../contrib/alertblock', import.meta.url));

it('alertblock sends each line of the .push file to its host and port', async () => {
  const folder = temporaryFolder('alertblock');
  const socket = createSocket('udp4');
  const seen: string[] = [];
  socket.on('message', (message) => seen.push(message.toString()));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const file = join(folder, 'coins.push');
  writeFileSync(
    file,
    `# main chain, then the merge-mined one\n` +
      `127.0.0.1 ${port} VTC getblocktemplate signal=1 __spawn=1\n\n` +
      `127.0.0.1 ${port} DOGE _check_new_jobs signal=1 _single_exec=True __spawn=1\n`,
  );
  try {
    const run = spawnSync(SCRIPT, [file], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    await eventually('two datagrams', () => seen.length === 2);
    assert.deepEqual(seen.toSorted(), [
      'DOGE _check_new_jobs signal=1 _single_exec=True __spawn=1',
      'VTC getblocktemplate signal=1 __spawn=1',
    ]);
    const missing = spawnSync(SCRIPT, [join(folder, 'none.push')], { encoding: 'utf8' });
    assert.equal(missing.status, 2);
    assert.match(missing.stderr, /usage: alertblock/);
  } finally {
    socket.close();
    removeFolder(folder);
  }
});
