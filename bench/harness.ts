/**
 * What every benchmark here shares: candidates of one question run interleaved, round by round, so that
 * a busy machine slows all of them; the result is the least and the median time per unit, and ratios are
 * taken between minima of the same run. `--check` runs shortened and fails where a ratio misses half of
 * its goal; `--json` prints one JSON object instead of a table. Assert the answers before timing.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/clock.ts';

export interface Candidate {
  readonly name: string;
  /** Units of work (shares, hashes …) that one call of `run` does. */
  readonly units: number;
  run(): void;
}

export interface Timing {
  readonly name: string;
  /** Microseconds per unit. */
  readonly minUs: number;
  readonly medianUs: number;
}

export interface Goal {
  /** `slow` takes at least `times` as long as `fast`. */
  readonly fast: string;
  readonly slow: string;
  readonly times: number;
}

interface Settings {
  readonly rounds: number;
  /** Calls of a candidate are repeated within a round until they take this long. */
  readonly sliceMs: number;
}

function timeSlice(candidate: Candidate, calls: number): number {
  const start = systemClock.monotonic();
  for (let i = 0; i < calls; i++) candidate.run();
  return systemClock.monotonic() - start;
}

/** Calls that fill a slice, found by doubling; this is the warm-up too. */
function callsPerSlice(candidate: Candidate, sliceMs: number): number {
  let calls = 1;
  while (timeSlice(candidate, calls) < sliceMs) calls *= 2;
  return calls;
}

/** Times all candidates, interleaved. */
export function measure(candidates: readonly Candidate[], settings: Settings): Timing[] {
  const calls = candidates.map((candidate) => callsPerSlice(candidate, settings.sliceMs));
  const samples: number[][] = candidates.map(() => []);
  for (let round = 0; round < settings.rounds; round++) {
    candidates.forEach((candidate, i) => {
      const count = calls[i]!;
      samples[i]!.push((timeSlice(candidate, count) * 1000) / (count * candidate.units));
    });
  }
  return candidates.map(({ name }, i) => {
    const sorted = samples[i]!.toSorted((a, b) => a - b);
    return { name, minUs: sorted[0]!, medianUs: sorted[sorted.length >> 1]! };
  });
}

export interface Question {
  readonly title: string;
  readonly unit: string;
  readonly candidates: readonly Candidate[];
  readonly goals: readonly Goal[];
}

/** Runs the questions of one benchmark and prints the answers; returns the exit code. */
export function runBenchmark(name: string, questions: readonly Question[]): number {
  const { values } = parseArgs({
    options: { check: { type: 'boolean' }, json: { type: 'boolean' } },
  });
  const check = values.check === true;
  const settings = check ? { rounds: 15, sliceMs: 1 } : { rounds: 60, sliceMs: 5 };
  const print = (line: string): void => {
    if (values.json !== true) process.stdout.write(`${line}\n`);
  };
  let missed = 0;
  const answers = questions.map(({ title, unit, candidates, goals }) => {
    const timings = measure(candidates, settings);
    print(`${title} (µs per ${unit}: least, median)`);
    for (const { name: candidate, minUs, medianUs } of timings) {
      print(`  ${candidate.padEnd(40)} ${minUs.toFixed(3)}  ${medianUs.toFixed(3)}`);
    }
    const least = (candidate: string): number =>
      timings.find((timing) => timing.name === candidate)!.minUs;
    const ratios = goals.map((goal) => {
      const ratio = least(goal.slow) / least(goal.fast);
      // A shared machine in CI is noisy: there a factor of two is kept in hand.
      const reached = ratio >= (check ? goal.times / 2 : goal.times);
      if (!reached) missed++;
      print(
        `  ${goal.fast}: ${ratio.toFixed(2)} × ${goal.slow}, goal ${goal.times}${reached ? '' : ' MISSED'}`,
      );
      return { ...goal, ratio, reached };
    });
    return { title, unit, timings, ratios };
  });
  if (values.json === true) {
    const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length };
    process.stdout.write(`${JSON.stringify({ name, node: process.version, machine, answers })}\n`);
  }
  return missed === 0 ? 0 : 1;
}
