/**
 * Vardiff against simulated miners: shares of a miner are a Poisson process whose rate follows from
 * its speed and the difficulty in force (mining-facts: hashes per share). The generator is seeded; the
 * RateBook stands between, as on the control thread, with its echo one second old.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { RateBook } from '../../../src/stratum/rates.ts';
import {
  nearestTier,
  noteChanged,
  noteChecked,
  openWindow,
  retarget,
  retargetDue,
  tiersOf,
} from '../../../src/stratum/vardiff.ts';
import type { KeyRate, RetargetInput } from '../../../src/stratum/vardiff.ts';

const rules = { spm_target: 20, interval: 30, hysteresis: 0.2 };
const defaults = { tiers: null, minimum_difficulty: 64, maximum_difficulty: 524_288 };
const noLimits = { min: undefined, max: undefined };
const tiers = tiersOf(defaults, noLimits);

/** mulberry32: a seeded generator of numbers in (0, 1). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
}

function poisson(mean: number, random: () => number): number {
  let count = -1;
  for (let sum = 0; sum <= mean; count++) sum -= Math.log(random());
  return count;
}

interface Miner {
  /** Accepted difficulty per minute, as a function of minutes since the start. */
  speed: (minute: number) => number;
  start: number;
}

interface Run {
  /** Difficulty changes of each miner: [minute, difficulty]. */
  changes: [number, number][][];
  final: number[];
  shares: number[];
}

/** Miners on one address, looked at in steps of 100 ms; a change goes out at the next full 2 s. */
function simulate(miners: Miner[], minutes: number, seed: number, withTiers = tiers): Run {
  const random = seeded(seed);
  const book = new RateBook();
  const t0 = 1_700_000_012_345;
  const sessions = miners.map((miner) => ({
    miner,
    difficulty: miner.start,
    next: undefined as number | undefined,
    window: openWindow(0),
    lastShare: 0,
    changes: [] as [number, number][],
    shares: 0,
  }));
  let echo: KeyRate | undefined;
  for (let now = 100; now <= minutes * 60_000; now += 100) {
    for (const session of sessions) {
      const mean = (session.miner.speed(now / 60_000) / session.difficulty) * (100 / 60_000);
      for (let count = poisson(mean, random); count > 0; count--) {
        book.add('a', session.difficulty, t0 + now, t0 + session.lastShare);
        session.lastShare = now;
        session.window.shares++;
        session.shares++;
      }
      if (session.next !== undefined) {
        if (now % 2000 !== 0) continue;
        session.difficulty = session.next;
        session.next = undefined;
        noteChanged(session.window, now);
        session.changes.push([now / 60_000, session.difficulty]);
      } else if (retargetDue(session.window, rules, now)) {
        session.next = retarget({
          nowMs: now,
          difficulty: session.difficulty,
          window: session.window,
          rate: echo,
          tiers: withTiers,
          rules,
        });
        if (session.next === undefined) noteChecked(session.window, now);
      }
    }
    if (now % 1000 === 0) {
      const rate = book.rate('a', t0 + now);
      echo = rate && { ...rate, connections: miners.length };
    }
  }
  return {
    changes: sessions.map((session) => session.changes),
    final: sessions.map((session) => session.difficulty),
    shares: sessions.map((session) => session.shares),
  };
}

const steady = (perMinute: number) => (): number => perMinute;
const seeds = Array.from({ length: 20 }, (_, i) => i + 1);
/** Speed at which `difficulty` brings exactly spm_target. */
const idealFor = (difficulty: number): number => difficulty * rules.spm_target;
const lastChange = (changes: [number, number][]): number => changes.at(-1)?.[0] ?? 0;

describe('vardiff tiers', () => {
  it('are the minimum doubled up to the maximum, and the maximum', () => {
    assert.deepEqual(
      tiersOf({ ...defaults, maximum_difficulty: 1000 }, noLimits),
      [64, 128, 256, 512, 1000],
    );
    assert.deepEqual(tiersOf({ ...defaults, maximum_difficulty: 256 }, noLimits), [64, 128, 256]);
  });

  it('may be fractions of one', () => {
    const small = { tiers: null, minimum_difficulty: 0.125, maximum_difficulty: 1 };
    assert.deepEqual(tiersOf(small, noLimits), [0.125, 0.25, 0.5, 1]);
  });

  it('are those listed, in order, each once', () => {
    assert.deepEqual(tiersOf({ ...defaults, tiers: [96, 8, 32, 8] }, noLimits), [8, 32, 96]);
  });

  it('are limited by the password', () => {
    assert.deepEqual(
      tiersOf({ ...defaults, maximum_difficulty: 1024 }, { min: 100, max: 512 }),
      [128, 256, 512],
    );
  });

  it('come down to the nearest one where the limits leave none', () => {
    const listed = { ...defaults, tiers: [64, 128, 256] };
    assert.deepEqual(tiersOf(listed, { min: 1000, max: undefined }), [256]);
    assert.deepEqual(tiersOf(listed, { min: undefined, max: 10 }), [64]);
    assert.deepEqual(tiersOf(listed, { min: 140, max: 150 }), [128]);
    assert.deepEqual(tiersOf(listed, { min: 240, max: 250 }), [256]);
    assert.deepEqual(tiersOf(listed, { min: 130, max: 20 }), [128]);
  });

  it('are never empty, ascending and finite in number, whatever the limits', () => {
    const limit = fc.option(fc.double({ min: 0, noNaN: true }), { nil: undefined });
    fc.assert(
      fc.property(
        limit,
        limit,
        fc.double({ min: 1e-9, max: 1e15, noNaN: true }),
        (min, max, low) => {
          const made = tiersOf(
            { tiers: null, minimum_difficulty: low, maximum_difficulty: low * 1000 },
            { min, max },
          );
          assert.ok(made.length >= 1 && made.length <= 12);
          assert.deepEqual(
            made,
            made.toSorted((a, b) => a - b),
          );
        },
      ),
    );
  });

  it('nearest means the smallest distance, of two the lower', () => {
    assert.equal(nearestTier([64, 128, 256], 97), 128);
    assert.equal(nearestTier([64, 128, 256], 96), 64);
    assert.equal(nearestTier([64, 128, 256], 1e9), 256);
    assert.equal(nearestTier([64, 128, 256], 0), 64);
  });
});

describe('a look at the rate is due', () => {
  it('after `interval` seconds', () => {
    const window = openWindow(0);
    assert.equal(retargetDue(window, rules, 29_999), false);
    assert.equal(retargetDue(window, rules, 30_000), true);
    noteChecked(window, 30_000);
    assert.equal(retargetDue(window, rules, 59_999), false);
    assert.equal(retargetDue(window, rules, 60_000), true);
  });

  it('of a new connection after a dozen shares, but not within its first second', () => {
    const window = openWindow(0);
    window.shares = 12;
    assert.equal(retargetDue(window, rules, 999), false);
    assert.equal(retargetDue(window, rules, 1000), true);
    window.shares = 11;
    assert.equal(retargetDue(window, rules, 1000), false);
  });

  it('later at four times the shares that the interval should bring', () => {
    const window = openWindow(0);
    noteChanged(window, 1000);
    window.shares = 39;
    assert.equal(retargetDue(window, rules, 3000), false);
    window.shares = 40;
    assert.equal(retargetDue(window, rules, 3000), true);
  });
});

describe('a retarget', () => {
  const input = (over: Partial<RetargetInput>): RetargetInput => ({
    nowMs: 60_000,
    difficulty: 128,
    window: { sinceMs: 0, checkedMs: 0, shares: 20, first: false },
    rate: { perMinute: idealFor(128), minutes: 10, connections: 1 },
    tiers,
    rules,
    ...over,
  });
  const shares = (n: number): RetargetInput['window'] => ({ ...input({}).window, shares: n });

  it('takes the tier nearest to rate / spm_target', () => {
    const rate = { perMinute: idealFor(900), minutes: 10, connections: 1 };
    assert.equal(retarget(input({ rate, window: shares(141) })), 1024);
  });

  it('keeps the difficulty while the ideal is within the hysteresis of a border', () => {
    const at = (ideal: number): number | undefined =>
      retarget(
        input({
          rate: { perMinute: idealFor(ideal), minutes: 1e6, connections: 1 },
          window: shares(Math.floor((20 * ideal) / 128)),
        }),
      );
    // Border 192, plus 0.2 of the step of 128; border 96, less 0.2 of the step of 64.
    assert.equal(at(217), undefined);
    assert.equal(at(218.5), 256);
    assert.equal(at(84), undefined);
    assert.equal(at(82.5), 64);
  });

  it('needs more than one deviation of a rate that was measured on few shares', () => {
    const over = (minutes: number): number | undefined =>
      retarget(
        input({
          rate: { perMinute: idealFor(256), minutes, connections: 1 },
          window: shares(40),
        }),
      );
    assert.equal(over(0.2), undefined);
    assert.equal(over(10), 256);
  });

  it('goes into the range of the tiers at once', () => {
    assert.equal(retarget(input({ difficulty: 1, window: shares(0) })), 64);
    assert.equal(retarget(input({ difficulty: 1e9, window: shares(0) })), 524_288);
  });

  it('goes down when the miner is silent too long, though its address had shares', () => {
    assert.equal(retarget(input({ nowMs: 15_000, window: shares(0) })), undefined);
    assert.equal(retarget(input({ nowMs: 60_000, window: shares(0) })), 64);
  });

  it('goes down in silence also where nothing is known of the address', () => {
    assert.equal(retarget(input({ difficulty: 65_536, window: shares(0), rate: undefined })), 8192);
  });

  it('never goes up on silence', () => {
    const silent = input({ nowMs: 1000, window: shares(0), rate: undefined, difficulty: 64 });
    assert.equal(retarget(silent), undefined);
  });

  it('waits longer for each of several connections of an address', () => {
    const rate = { perMinute: idealFor(128), minutes: 10, connections: 4 };
    assert.equal(retarget(input({ nowMs: 60_000, window: shares(0), rate })), undefined);
    assert.equal(retarget(input({ nowMs: 240_000, window: shares(0), rate })), 64);
  });

  it('answers with a tier or nothing, whatever it is told', () => {
    const number = fc.double({ min: 0, max: 1e18, noNaN: true });
    fc.assert(
      fc.property(
        fc.record({ now: number, difficulty: fc.double({ min: 1e-9, max: 1e12, noNaN: true }) }),
        fc.option(fc.record({ perMinute: number, minutes: number, connections: fc.nat() }), {
          nil: undefined,
        }),
        fc.nat(),
        ({ now, difficulty }, rate, count) => {
          const next = retarget(input({ nowMs: now, difficulty, rate, window: shares(count) }));
          assert.ok(next === undefined || tiers.includes(next));
        },
      ),
    );
  });
});

describe('simulated miners', () => {
  it('of constant speed at a tier are left alone', () => {
    for (const seed of seeds) {
      const run = simulate([{ speed: steady(idealFor(1024)), start: 1024 }], 60, seed);
      assert.ok(run.changes[0]!.length <= 2, `seed ${seed}: ${run.changes[0]!.join(' ')}`);
      assert.equal(run.final[0], 1024, `seed ${seed}`);
    }
  });

  it('exactly between two tiers do not oscillate', () => {
    for (const start of [128, 256]) {
      const counts = seeds.map(
        (seed) => simulate([{ speed: steady(idealFor(192)), start }], 120, seed).changes[0]!.length,
      );
      const total = counts.reduce((sum, count) => sum + count, 0);
      // Forty hours of the worst case: less than a change in five hours.
      assert.ok(total <= 8, `from ${start}: ${counts.join(' ')}`);
    }
  });

  it('oscillate there without hysteresis and its allowance for noise', () => {
    // The same miner decided by the bare contract rule: the nearest tier to the mean of the minutes.
    const random = seeded(1);
    let difficulty = 128;
    let changes = 0;
    const minutes: number[] = [];
    for (let half = 0; half < 240; half++) {
      const count = poisson((idealFor(192) / difficulty) * 0.5, random);
      minutes.push(count * difficulty * 2);
      const mean = minutes.slice(-20).reduce((a, b) => a + b, 0) / Math.min(minutes.length, 20);
      const nearest = nearestTier(tiers, mean / rules.spm_target);
      if (nearest !== difficulty) changes++;
      difficulty = nearest;
    }
    assert.ok(changes > 8, `${changes} changes in two hours`);
  });

  it('a thousand times faster than their start settle within two retargets and a minute', () => {
    for (const seed of seeds) {
      const run = simulate([{ speed: steady(idealFor(131_072)), start: 128 }], 60, seed);
      const early = run.changes[0]!.filter(([minute]) => minute < 2);
      assert.ok(early.length <= 2 && (early[0]?.[0] ?? 9) < 0.1, `seed ${seed}`);
      assert.equal(run.final[0], 131_072, `seed ${seed}: ${run.changes[0]!.join(' ')}`);
    }
  });

  it('a thousand times slower than their start come near it in minutes and settle', () => {
    for (const seed of seeds) {
      const run = simulate([{ speed: steady(idealFor(128)), start: 131_072 }], 90, seed);
      const changes = run.changes[0]!;
      assert.ok(changes.filter(([minute]) => minute < 30).length <= 7, `seed ${seed}`);
      assert.equal(run.final[0], 128, `seed ${seed}: ${changes.join(' ')}`);
      assert.ok(lastChange(changes) < 45, `seed ${seed}: ${changes.join(' ')}`);
    }
  });

  it('whose speed drops or rises 64 times are followed near enough in ten minutes', () => {
    for (const seed of seeds) {
      for (const factor of [1 / 64, 64]) {
        const speed = (minute: number): number => idealFor(4096) * (minute < 20 ? 1 : factor);
        const run = simulate([{ speed, start: 4096 }], 60, seed);
        const at30 = run.changes[0]!.filter(([minute]) => minute < 30).at(-1)?.[1] ?? 4096;
        const ratio = at30 / (4096 * factor);
        assert.ok(
          ratio >= 0.25 && ratio <= 4,
          `seed ${seed}, ${factor}: ${run.changes[0]!.join(' ')}`,
        );
      }
    }
  });

  it('that became faster are not sent back by the slow minutes before', () => {
    for (const seed of seeds) {
      const speed = (minute: number): number => idealFor(1024) * (minute < 20 ? 1 : 100);
      const { changes } = simulate([{ speed, start: 1024 }], 35, seed);
      const after = changes[0]!
        .filter(([minute]) => minute >= 20)
        .map(([, difficulty]) => difficulty);
      assert.ok(after.length > 0, `seed ${seed}`);
      assert.deepEqual(
        after,
        after.toSorted((a, b) => a - b),
        `seed ${seed}`,
      );
    }
  });

  it('that fall silent end at the lowest tier', () => {
    const speed = (minute: number): number => (minute < 10 ? idealFor(65_536) : 0);
    for (const seed of seeds) {
      const run = simulate([{ speed, start: 65_536 }], 40, seed);
      assert.equal(run.final[0], 64, `seed ${seed}`);
      assert.ok(run.changes[0]!.length <= 8, `seed ${seed}`);
    }
  });

  it('two on one address together send spm_target, at the difficulty of their sum', () => {
    for (const seed of seeds) {
      const miner = { speed: steady(idealFor(512)), start: 128 };
      const run = simulate([miner, miner], 60, seed);
      assert.deepEqual(run.final, [1024, 1024], `seed ${seed}`);
      assert.ok(
        run.changes.every((changes) => changes.length <= 4),
        `seed ${seed}`,
      );
    }
  });

  it('a small one beside a large one on the same address is not silenced', () => {
    for (const seed of seeds.slice(0, 5)) {
      const small = { speed: steady(idealFor(128)), start: 128 };
      const large = { speed: steady(idealFor(131_072)), start: 128 };
      const run = simulate([small, large], 60, seed);
      assert.equal(run.final[1], 131_072, `seed ${seed}`);
      assert.ok(run.shares[0]! > 60, `seed ${seed}: ${run.shares[0]} shares in an hour`);
      assert.ok(run.changes[0]!.length <= 12, `seed ${seed}: ${run.changes[0]!.join(' ')}`);
    }
  });
});
