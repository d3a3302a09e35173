/** Which algorithm a configuration means: the table, the operator's figures, scrypt of any N. */
import assert from 'node:assert/strict';
import { scryptSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';
import { algorithmFor } from '../../src/pool-algorithms.ts';
import { hashHeader } from '../../src/pow/checker.ts';

function configWith(algorithms: Record<string, unknown>, algo: string) {
  const loaded = loadConfig(
    JSON.stringify({
      manager: { type: 'pool', algorithms },
      VTC: {
        type: 'main_chain',
        algo,
        currency: 'VTC',
        pool_address: 'x',
        coinservs: [{ port: 5888 }],
      },
      stratum: { type: 'stratum', algo },
    }),
    'config.yml',
  );
  assert.deepEqual(loaded.errors, []);
  return loaded.settings!;
}

describe('the algorithm of a configuration', () => {
  it('is the built-in one, under its old module name too', () => {
    const config = configWith({ old: { module: 'drk_hash.getPoWHash' } }, 'old');
    assert.equal(algorithmFor(config, 'old').kernel, 'x11');
    assert.equal(algorithmFor(config, 'scrypt').parameter, 1024);
    assert.throws(() => algorithmFor(config, 'sha1'), /there is no such algorithm/);
  });

  it('has the figures that the operator set', () => {
    const config = configWith({ blake256: { hashes_per_share: 65_536, diff1: 255 } }, 'blake256');
    const row = algorithmFor(config, 'blake256');
    assert.equal(row.hashesPerShare, 65_536);
    assert.equal(row.diff1, 0xffn);
  });

  it('is scrypt with N = 2^(nfactor + 1) where an nfactor is set', () => {
    const config = configWith({ 'scrypt-n': { nfactor: 11 } }, 'scrypt-n');
    const header = Buffer.alloc(80, 7);
    assert.deepEqual(
      Buffer.from(hashHeader(algorithmFor(config, 'scrypt-n'), header)),
      scryptSync(header, header, 32, { N: 4096, r: 1, p: 1 }),
    );
  });
});
