/**
 * A pool for each algorithm, mined by the built-in miner over a template daemon whose blocks are too hard
 * to find: shares are accepted at the difficulty they were asked for. Whether the hashes are right is
 * what test/vector/pow shows; here it is the way through configuration, kernel and wire. One more pool
 * has a hash function of its operator's own.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ALGORITHMS } from '../../src/pow/algorithms.ts';
import { mineShares, poolConfig } from '../support/pool-config.ts';
import { PoolProcess } from '../support/pool-process.ts';
import { eventually } from '../support/servers.ts';
import { startTemplateDaemon } from '../support/template-daemon.ts';
import type { TemplateDaemon } from '../support/template-daemon.ts';

const ADDRESS = 'mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn';
const SHARES = 3;
/** Hashes behind a share in these tests. */
const HASHES = 64;

interface CounterRow {
  readonly name: string;
  readonly total: number;
}

/** Number and difficulty of the accepted shares, once the monitor has heard of all that were told. */
async function acceptedBy(pool: PoolProcess): Promise<{ count: number; sum: number }> {
  let count = 0;
  let sum = 0;
  await eventually('the counters follow', async () => {
    const { counters } = await pool.view<{ counters: readonly CounterRow[] }>('/counters/');
    const total = (name: string): number => counters.find((row) => row.name === name)!.total;
    count = total('acc_share_count');
    sum = total('acc_share_n1');
    return count >= SHARES;
  });
  return { count, sum };
}

describe('a pool for each algorithm', () => {
  let daemon: TemplateDaemon;

  before(async () => {
    daemon = await startTemplateDaemon({ bits: 0x04000001 });
  });
  after(() => daemon.stop());

  for (const { name, hashesPerShare, headerBytes } of ALGORITHMS) {
    // Heavycoin's longer header is not built by the share path (docs/algorithms.md).
    if (headerBytes !== 80) continue;
    it(name, async () => {
      const difficulty = HASHES / hashesPerShare;
      const config = await poolConfig({
        algo: name,
        currency: 'TST',
        poolAddress: ADDRESS,
        daemons: [daemon],
        difficulty,
      });
      const pool = new PoolProcess({ config: config.text, monitorPort: config.monitorPort });
      try {
        await pool.ready();
        await mineShares(config.stratumPort, {
          shares: SHARES,
          user: `${ADDRESS}.cpu`,
          algo: name,
        });
        const { count, sum } = await acceptedBy(pool);
        assert.equal(count, SHARES, 'the miner sends no more than it was asked for');
        assert.equal(sum, count * difficulty);
      } finally {
        await pool.stop();
      }
    });
  }

  it("a function of the operator's own", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'powerpool-custom-'));
    // Single SHA-256 of the header: no built-in algorithm.
    writeFileSync(
      join(folder, 'own.ts'),
      `import { hash } from 'node:crypto';
export function once(header: Uint8Array): Uint8Array { return hash('sha256', header, 'buffer'); }\n`,
    );
    const config = await poolConfig({
      algo: 'sha256-once',
      currency: 'OWN',
      poolAddress: ADDRESS,
      daemons: [daemon],
      difficulty: 2 ** -40,
      pool: { algorithms: { 'sha256-once': { module: './own.ts#once' } } },
    });
    const pool = new PoolProcess({ config: config.text, monitorPort: config.monitorPort, folder });
    try {
      await pool.ready();
      // Every hash meets so small a difficulty, whatever the miner computes.
      await mineShares(config.stratumPort, { shares: SHARES, user: `${ADDRESS}.cpu` });
      await acceptedBy(pool);
    } finally {
      await pool.stop();
    }
  });
});
