import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { describe, it } from 'node:test';

import { ManualClock } from '../../../src/clock.ts';
import { singleFlightLookup } from '../../../src/daemon/resolve.ts';

type Done = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

function setUp(): {
  clock: ManualClock;
  pending: Done[];
  ask: () => Promise<string>;
} {
  const clock = new ManualClock();
  const pending: Done[] = [];
  const lookup = singleFlightLookup(clock, (_name, _options, done) => pending.push(done));
  const ask = (): Promise<string> =>
    new Promise((resolve, reject) => {
      lookup('daemon.example', {}, (error, address) => {
        if (error === null) resolve(String(address));
        else reject(error);
      });
    });
  return { clock, pending, ask };
}

describe('name look-ups of one daemon', () => {
  it('there is one at a time, however many connections wait for it', async () => {
    const { pending, ask } = setUp();
    const answers = [ask(), ask(), ask()];
    assert.equal(pending.length, 1);
    pending[0]?.(null, [{ address: '10.0.0.1', family: 4 }]);
    assert.deepEqual(await Promise.all(answers), ['10.0.0.1', '10.0.0.1', '10.0.0.1']);
  });

  it('the answer is kept for a minute', async () => {
    const { clock, pending, ask } = setUp();
    const first = ask();
    pending[0]?.(null, [{ address: '10.0.0.1', family: 4 }]);
    await first;
    clock.advance(59_999);
    assert.equal(await ask(), '10.0.0.1');
    assert.equal(pending.length, 1);
    clock.advance(1);
    void ask();
    assert.equal(pending.length, 2);
  });

  it('a name server that fails later does not take a known address away', async () => {
    const { clock, pending, ask } = setUp();
    const first = ask();
    pending[0]?.(null, [{ address: '10.0.0.1', family: 4 }]);
    await first;
    clock.advance(60_000);
    const second = ask();
    pending[1]?.(Object.assign(new Error('no'), { code: 'EAI_AGAIN' }), []);
    assert.equal(await second, '10.0.0.1');
  });

  it('a failure without a known address is a failure, and the next one asks again', async () => {
    const { pending, ask } = setUp();
    const first = ask();
    pending[0]?.(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), []);
    await assert.rejects(first, { code: 'ENOTFOUND' });
    void ask();
    assert.equal(pending.length, 2);
  });

  it('waiting connections are bounded', async () => {
    const { ask } = setUp();
    for (let index = 0; index < 256; index += 1) void ask();
    await assert.rejects(ask(), { code: 'EAI_AGAIN' });
  });
});
