/** The monitor's JSON as contract §6 has it, and its routes over a real socket. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ManualClock } from '../../../src/clock.ts';
import { silentLog } from '../../../src/log.ts';
import { MonitorServer } from '../../../src/monitor/server.ts';
import { durationText, jsonText } from '../../../src/monitor/views.ts';
import type { ClientInfo } from '../../../src/ports.ts';

const CLIENT: ClientInfo = {
  id: 'c0ffee',
  server: 'stratum',
  address: 'LVg2kJoFNg45Nbpy53h7Fe1wKyeXVRhMH9',
  worker: 'rig1',
  connectedAt: 1_000_000,
  lastSubmitAt: 1_060_500,
  idle: false,
  difficulty: 128,
  acceptedShares: 7,
  jobCount: 3,
  ip: '192.0.2.1',
  userAgent: 'minerd/2.5',
};

describe('durations', () => {
  it('are written as Python writes a timedelta', () => {
    // python3 -c 'import datetime; print(datetime.timedelta(seconds=83.456789))' and so on
    const cases: readonly [number, string][] = [
      [83_456.789, '0:01:23.456789'],
      [0, '0:00:00'],
      [3_600_000, '1:00:00'],
      [86_400_000 + 61_000, '1 day, 0:01:01'],
      [2 * 86_400_000 + 0.5, '2 days, 0:00:00.000500'],
    ];
    for (const [ms, text] of cases) assert.equal(durationText(ms), text);
  });
});

describe('JSON of the monitor', () => {
  it('keeps 256-bit integers exact, sorts and indents where told', () => {
    const value = { b: 2n ** 255n, a: 5n };
    assert.equal(jsonText(value, { sortKeys: true, pretty: false }), `{"a":5,"b":"${2n ** 255n}"}`);
    assert.match(jsonText(value, { sortKeys: false, pretty: true }), /^\{\n {2}"b"/);
  });
});

describe('routes', () => {
  const clock = new ManualClock(1_100_000);
  let waiting: string | undefined = 'a block template of LTC';
  const monitor = new MonitorServer({
    key: 'monitor',
    address: '127.0.0.1',
    port: 0,
    sortKeys: false,
    pretty: false,
    sources: [
      {
        key: 'manager',
        className: 'PowerPool',
        settings: { procname: 'pp' },
        status: () => ({ version: 'x' }),
      },
      {
        key: 'stratum',
        className: 'StratumServer',
        settings: { password: 'hunter2' },
        status: () => ({ client_count: 1 }),
      },
    ],
    servers: ['stratum'],
    directory: {
      clients: () => [CLIENT],
      named: (_server, name) => (name === 'nobody' ? [] : [CLIENT]),
    },
    counters: () => [
      { name: 'acc_share_n1', owner: 'stratum', total: 1, min_total: 1, hour_total: 1, min_avg: 0 },
    ],
    readiness: [{ key: 'LTC', waitingFor: () => waiting }],
    redact: (settings) => ({ ...settings, password: '<redacted>' }),
    debug: () => ({ pid: 1 }),
    log: silentLog,
    clock,
  });
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${monitor.port}${path}`, { headers, redirect: 'manual' });
  const json = async (path: string, headers: Record<string, string> = {}): Promise<unknown> =>
    (await get(path, headers)).json();

  before(() => monitor.start());
  after(() => monitor.stop());

  it('/ names every component by class and key, with links', async () => {
    assert.deepEqual(await json('/'), {
      PowerPool_manager: { version: 'x', config_view: '/manager/config' },
      StratumServer_stratum: {
        client_count: 1,
        config_view: '/stratum/config',
        clients: '/stratum/clients/',
      },
      debug_view: '/debug/',
      counter_view: '/counters/',
    });
  });

  it('links carry the prefix that a reverse proxy names', async () => {
    const view = (await json('/', { 'x-script-name': '/pool' })) as Record<string, string>;
    assert.equal(view['counter_view'], '/pool/counters/');
    const hostile = (await json('/', { 'x-script-name': '"><script>' })) as Record<string, string>;
    assert.equal(hostile['counter_view'], '/counters/');
  });

  it('a client is shown with the fields of the original', async () => {
    assert.deepEqual(await json('/stratum/client/LVg2.rig1'), {
      username: [
        {
          alltime_accepted_shares: 7,
          difficulty: 128,
          type: 'stratum',
          worker: 'rig1',
          id: 'c0ffee',
          jobmapper_size: 3,
          last_share_submit: '0:00:39.500000',
          idle: false,
          address: CLIENT.address,
          ip_address: '192.0.2.1',
          connection_time: '0:01:40',
          user_agent: 'minerd/2.5',
        },
      ],
    });
    assert.equal((await get('/stratum/client/nobody')).status, 404);
  });

  it('clients by address, and the legacy views', async () => {
    assert.deepEqual(await json('/stratum/clients/'), {
      clients: {
        [CLIENT.address]: {
          details_view: `/stratum/client/${CLIENT.address}`,
          c0ffee: { worker: 'rig1', idle: false },
        },
      },
    });
    assert.deepEqual(await json('/05/clients/'), {
      clients: { [CLIENT.address]: [{ worker: 'rig1', idle: false }] },
    });
    assert.deepEqual(await json('/05/'), {
      server: { version: 'x' },
      stratum_manager: { client_count: 1 },
    });
  });

  it('settings are shown without secrets', async () => {
    assert.deepEqual(await json('/stratum/config'), { password: '<redacted>' });
  });

  it('a path without its trailing slash redirects', async () => {
    for (const path of ['/05/clients', '/counters', '/stratum', '/stratum/clients']) {
      const answer = await get(path);
      assert.equal(answer.status, 302, path);
      assert.equal(answer.headers.get('location'), `${path}/`);
    }
    assert.equal((await get('/nothing')).status, 404);
    assert.equal((await get('//evil.example/x')).status, 404);
  });

  it('/healthz says what the pool waits for, then that it is ready', async () => {
    const not = await get('/healthz');
    assert.equal(not.status, 503);
    assert.deepEqual(await not.json(), {
      status: 'not ready',
      waiting: [{ component: 'LTC', waiting_for: 'a block template of LTC' }],
    });
    waiting = undefined;
    assert.equal((await get('/healthz')).status, 200);
  });
});
