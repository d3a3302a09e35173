/**
 * A fan-out over a reporter of the operator's own (the example of docs/reporters.md, as it stands there)
 * and one whose back end is dead from start to end: the first gets every share once, undisturbed.
 */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bech32 } from '@scure/base';
import { poolConfig } from '../support/pool-config.ts';
import { readShares } from '../support/pool-ledger.ts';
import { PoolProcess } from '../support/pool-process.ts';
import { freePort } from '../support/ports.ts';
import { ScriptMiner } from '../support/script-miner.ts';
import { removeFolder, temporaryFolder } from '../support/servers.ts';
import { startTemplateDaemon } from '../support/template-daemon.ts';

const EXAMPLE = new URL('../../docs/examples/csv-sink.ts', import.meta.url);

test("the manual's own reporter gets every share once beside one that is dead", async (t) => {
  const folder = temporaryFolder('plugin');
  t.after(() => removeFolder(folder));
  const daemon = await startTemplateDaemon({ bits: 0x1d00ffff });
  t.after(() => daemon.stop());
  copyFileSync(EXAMPLE, join(folder, 'csv-sink.ts'));
  const file = join(folder, 'shares.csv');
  const { text, stratumPort, monitorPort } = await poolConfig({
    algo: 'sha256d',
    currency: 'BTC',
    poolAddress: bech32.encode('bcrt', [0, ...bech32.toWords(new Uint8Array(20))]),
    daemons: [{ port: daemon.port, user: daemon.user, password: daemon.password }],
    difficulty: 2 ** -40,
    stratum: { reporter: 'both' },
  });
  const config = JSON.stringify({
    ...(JSON.parse(text) as Record<string, unknown>),
    both: { type: 'fanout', reporters: ['csv', 'dead'] },
    csv: { type: './csv-sink.ts#CsvSink', file },
    dead: { type: 'redis', redis: { port: await freePort() } },
  });
  const pool = new PoolProcess({ config, monitorPort, folder });
  t.after(() => pool.kill('SIGKILL'));
  await pool.ready();
  const miner = await ScriptMiner.open(stratumPort, { user: 'donate.rig' });
  for (let i = 0; i < 50; i += 1) assert.equal((await miner.share(false)).answer, true);
  await miner.close();
  await pool.stop({ keep: true });
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const shares = lines.map((line) => line.split(','));
  assert.equal(readShares(folder).length, 50);
  assert.equal(shares.length, 50);
  assert.equal(new Set(shares.map(([seq]) => seq)).size, 50, 'each once');
  assert.deepEqual(
    new Set(shares.map(([, , address, worker]) => `${address}.${worker}`)),
    new Set(['donate.rig']),
  );
});
