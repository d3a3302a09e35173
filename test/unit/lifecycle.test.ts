/** Start in order, stop in reverse, name what hangs. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Lifecycle, withDeadline } from '../../src/lifecycle.ts';

describe('lifecycle', () => {
  it('starts in order and stops in reverse, also after a failed start', async () => {
    const seen: string[] = [];
    const part = (key: string, fail = false) => ({
      key,
      start: async () => {
        seen.push(`start ${key}`);
        if (fail) throw new Error('no port');
      },
      stop: async () => {
        seen.push(`stop ${key}`);
      },
    });
    const lifecycle = new Lifecycle([part('a'), part('b', true), part('c')], () => {});
    await assert.rejects(lifecycle.start(1000), /no port/);
    await lifecycle.stop(1000);
    assert.deepEqual(seen, ['start a', 'start b', 'stop b', 'stop a']);
  });

  it('a part that hangs or fails at its stop is named and the others still stop', async () => {
    const problems: string[] = [];
    let stopped = false;
    const idle = async (): Promise<void> => {};
    const lifecycle = new Lifecycle(
      [
        {
          key: 'ledger',
          start: idle,
          stop: async () => {
            stopped = true;
          },
        },
        { key: 'hung', start: idle, stop: () => new Promise(() => {}) },
        { key: 'broken', start: idle, stop: () => Promise.reject(new Error('disk full')) },
      ],
      (problem) => problems.push(problem),
    );
    await lifecycle.start(1000);
    await lifecycle.stop(50);
    assert.ok(stopped);
    assert.equal(problems[0], 'disk full');
    assert.match(problems[1]!, /^stop of hung did not finish within/);
  });

  it('a deadline names its step', async () => {
    await assert.rejects(
      withDeadline('daemon LTC', 10, () => new Promise(() => {})),
      /daemon LTC did not finish within 0.01 s/,
    );
    assert.equal(await withDeadline('quick', 1000, async () => 7), 7);
  });
});
