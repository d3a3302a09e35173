/** Contract §4 and §6: counters by second and minute, as `/counters/` shows them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Counters } from '../../../src/stats/counters.ts';

/** A full minute of unix time. */
const T0 = 28_400_000 * 60_000;

function run(counters: Counters, fromSecond: number, seconds: number, each: () => void): void {
  for (let s = fromSecond; s < fromSecond + seconds; s++) {
    each();
    counters.tick(T0 + (s + 1) * 1000);
  }
}

describe('a counter', () => {
  it('is shown with name, owner, total, last full minute, hour and mean per minute', () => {
    const counters = new Counters(T0);
    run(counters, 0, 60, () => counters.count('stratum', 'acc_share_n1', 2));
    counters.count('stratum', 'acc_share_n1', 5);
    assert.deepEqual(counters.snapshot(), [
      {
        name: 'acc_share_n1',
        owner: 'stratum',
        total: 125,
        min_total: 120,
        hour_total: 120,
        min_avg: 2,
      },
    ]);
  });

  it('keeps sixty minutes and no more', () => {
    const counters = new Counters(T0);
    for (let minute = 0; minute < 61; minute++) {
      counters.count('s', 'n', minute === 0 ? 1000 : 1);
      counters.tick(T0 + (minute + 1) * 60_000);
    }
    const view = counters.view('s', 'n');
    assert.equal(view.hour_total, 60);
    assert.equal(view.min_avg, 1);
    assert.equal(view.total, 1060);
  });

  it('of one-second precision shows the last sixty seconds, across minutes', () => {
    const counters = new Counters(T0);
    counters.declare('reporter', ['queued'], 'second');
    run(counters, 0, 30, () => counters.count('reporter', 'queued'));
    assert.equal(counters.view('reporter', 'queued').min_total, 30);
    run(counters, 30, 60, () => counters.count('reporter', 'queued'));
    assert.equal(counters.view('reporter', 'queued').min_total, 60);
    run(counters, 90, 20, () => {});
    assert.equal(counters.view('reporter', 'queued').min_total, 40);
  });

  it('that was declared is shown at zero', () => {
    const counters = new Counters(T0);
    counters.declare('stratum', ['unk_err', 'not_authed_err']);
    assert.deepEqual(
      counters.snapshot().map((view) => [view.name, view.total]),
      [
        ['not_authed_err', 0],
        ['unk_err', 0],
      ],
    );
  });

  it('of one owner is apart from that of another', () => {
    const counters = new Counters(T0);
    counters.count('a', 'n');
    counters.count('b', 'n', 2);
    assert.equal(counters.view('a', 'n').total, 1);
    assert.equal(counters.view('b', 'n').total, 2);
    assert.equal(counters.view('c', 'n').total, 0);
  });

  it('catches up over late ticks, and takes a long gap in one step', () => {
    const counters = new Counters(T0);
    counters.count('s', 'n', 7);
    counters.tick(T0 + 150_000);
    assert.equal(counters.view('s', 'n').min_total, 0);
    assert.equal(counters.view('s', 'n').hour_total, 7);
    counters.tick(T0 + 1e12);
    assert.equal(counters.view('s', 'n').hour_total, 0);
    counters.count('s', 'n', 3);
    counters.tick(T0 + 1e12 + 60_000);
    assert.equal(counters.view('s', 'n').hour_total, 3);
  });

  it('loses nothing to a clock that goes back', () => {
    const counters = new Counters(T0);
    counters.count('s', 'n', 3);
    counters.tick(T0 + 60_000);
    counters.tick(T0);
    counters.tick(T0 + 60_000);
    assert.equal(counters.view('s', 'n').hour_total, 3);
  });

  it('beyond the bound of the table is not counted', () => {
    const counters = new Counters(T0, 2);
    for (const name of ['a', 'b', 'c']) counters.count('s', name);
    assert.equal(counters.size, 2);
    assert.equal(counters.view('s', 'c').total, 0);
  });
});
