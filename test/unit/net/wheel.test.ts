/** The timer wheel: nothing fires early, nothing later than a tick, however far away its time is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TimerWheel } from '../../../src/net/wheel.ts';
import type { WheelEntry } from '../../../src/net/wheel.ts';

class Entry implements WheelEntry {
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;
  wheelTick = -1;
  readonly fired: number[] = [];
  again: (() => void) | undefined = undefined;

  onTimer(nowMs: number): void {
    this.fired.push(nowMs);
    this.again?.();
  }
}

test('every entry fires once, not early and at most a tick late, also beyond the wheel', () => {
  const times = fc.array(fc.integer({ min: 1000, max: 30_000 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(times, (due) => {
      const wheel = new TimerWheel(1000, 100, 16);
      const entries = due.map(() => new Entry());
      for (const [i, entry] of entries.entries()) wheel.schedule(entry, due[i]!);
      for (let now = 1000; now <= 30_100; now += 50) wheel.advance(now);
      for (const [i, entry] of entries.entries()) {
        assert.equal(entry.fired.length, 1);
        assert.ok(entry.fired[0]! >= due[i]!, `${entry.fired[0]} is before ${due[i]}`);
        assert.ok(entry.fired[0]! < due[i]! + 150, `${entry.fired[0]} is long after ${due[i]}`);
      }
    }),
  );
});

test('a moved entry fires at its new time only, a cancelled one never', () => {
  const wheel = new TimerWheel(0, 100, 16);
  const moved = new Entry();
  const cancelled = new Entry();
  wheel.schedule(moved, 200);
  wheel.schedule(cancelled, 200);
  wheel.schedule(moved, 900);
  wheel.cancel(cancelled);
  for (let now = 0; now < 2000; now += 100) wheel.advance(now);
  assert.deepEqual(moved.fired, [900]);
  assert.deepEqual(cancelled.fired, []);
});

test('after a long pause of the loop everything due fires, once', () => {
  const wheel = new TimerWheel(0, 100, 16);
  const entries = [150, 1700, 5000].map((at) => {
    const entry = new Entry();
    wheel.schedule(entry, at);
    return entry;
  });
  wheel.advance(100_000);
  assert.deepEqual(
    entries.map((entry) => entry.fired),
    [[100_000], [100_000], [100_000]],
  );
});

test('an entry may schedule itself and cancel a neighbour while it fires', () => {
  const wheel = new TimerWheel(0, 100, 16);
  const first = new Entry();
  const second = new Entry();
  wheel.schedule(first, 100);
  wheel.schedule(second, 100);
  second.again = (): void => {
    wheel.cancel(first);
    if (second.fired.length < 3) wheel.schedule(second, 100 * (second.fired.length + 1));
  };
  for (let now = 0; now < 1000; now += 100) wheel.advance(now);
  assert.deepEqual(first.fired, []);
  assert.deepEqual(second.fired, [100, 200, 300]);
});
