import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extraSlices } from '../../../src/report/extra-slices.ts';

const SOURCE = { server: 's', chain: 'ltc', currency: 'LTC', algorithm: 'scrypt' };
const settings = {
  pool_report_configs: [
    { user: 'pool', worker_format_string: '{algo}-{chain}-{server_name}', report_merge: false },
    { user: 'coins', worker_format_string: '{currency}{unknown}', report_merge: true },
  ],
  chain: 7,
  attrs: { chain: 'main' },
};
const context = { settings, serverName: 'pp_0', merged: { ltc: ['DOGE', 'PEP'] } };

test('a slice is also reported under each configured user, once more per merged currency', () => {
  assert.deepEqual(extraSlices(context)(SOURCE), [
    { user: 'pool', worker: 'scrypt-main-pp_0' },
    { user: 'coins', worker: 'LTC{unknown}' },
    { user: 'coins', worker: 'DOGE{unknown}' },
    { user: 'coins', worker: 'PEP{unknown}' },
  ]);
});

test('{chain} is attrs.chain, never the number; without a job the currency is UNKNOWN', () => {
  const [pool, coins, ...rest] = extraSlices({ ...context, settings: { ...settings, attrs: {} } })({
    server: 's',
    chain: '',
    currency: '',
    algorithm: 'scrypt',
  });
  assert.equal(pool!.worker, 'scrypt-{chain}-pp_0');
  assert.equal(coins!.worker, 'UNKNOWN{unknown}');
  assert.deepEqual(rest, []);
});
