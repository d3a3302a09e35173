/**
 * One JSON line of a benchmark, whichever of the three shapes it has (report.ts, harness.ts, the
 * latencies of ledger.ts), as figures and checks. Entry points: parseResult, resultText.
 */
import { reportText } from './report.ts';
import type { Check, Figure, ReportData } from './report.ts';

export type Result = ReportData;

/** harness.ts. */
interface Answers {
  readonly name: string;
  readonly answers: readonly {
    readonly title: string;
    readonly unit: string;
    readonly timings: readonly {
      readonly name: string;
      readonly minUs: number;
      readonly medianUs: number;
    }[];
    readonly ratios: readonly {
      readonly fast: string;
      readonly slow: string;
      readonly times: number;
      readonly ratio: number;
      readonly reached: boolean;
    }[];
  }[];
}

/** ledger.ts. */
interface Latencies {
  readonly name: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly sharesPerSecond: number;
}

function ofAnswers({ name, answers }: Answers): Result {
  const figures = answers.flatMap(({ title, unit, timings }) =>
    timings.map((timing): Figure => ({
      what: `${title}: ${timing.name}`,
      value: timing.minUs,
      unit: `µs per ${unit}`,
    })),
  );
  const checks = answers.flatMap(({ title, ratios }) =>
    ratios.map(({ fast, slow, times, ratio, reached }): Check => ({
      what: `${title}: ${fast}, faster than ${slow}: goal ${times} ×`,
      ok: reached,
      seen: `${ratio.toFixed(2)} ×`,
    })),
  );
  return { name, figures, checks };
}

function ofLatencies({ name, p50Ms, p99Ms, maxMs, sharesPerSecond }: Latencies): Result {
  const figures = [
    { what: `${name}: p50`, value: p50Ms, unit: 'ms' },
    { what: `${name}: p99`, value: p99Ms, unit: 'ms' },
    { what: `${name}: longest`, value: maxMs, unit: 'ms' },
    { what: `${name}: load`, value: sharesPerSecond, unit: 'shares/s' },
  ];
  return { name: 'ledger', figures, checks: [] };
}

export function parseResult(line: string): Result {
  const value = JSON.parse(line) as ReportData | Answers | Latencies;
  if ('figures' in value) return value;
  return 'answers' in value ? ofAnswers(value) : ofLatencies(value);
}

export function resultText(result: Result): string {
  return reportText(result);
}
