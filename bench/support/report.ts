/**
 * What the benchmarks of a whole pool report: figures (some with a target, targets.ts) and checks. Only
 * checks decide whether a benchmark passes: that nothing was lost or wrong, and ratios within the run.
 * Absolute figures are judged by a reader, on a machine that was quiet. `--check` shortens the run and
 * halves what is asked of ratios; `--json` prints one JSON object for bench/run.ts.
 */
import { parseArgs } from 'node:util';

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Row of TARGETS it answers. */
  readonly target?: string;
}

export interface Check {
  readonly what: string;
  readonly ok: boolean;
  readonly seen: string;
}

export interface ReportData {
  readonly name: string;
  readonly figures: readonly Figure[];
  readonly checks: readonly Check[];
}

/** Of a ratio's goal, what a shortened run on a busy machine has to reach. */
const IN_HAND = 2;

export class Report {
  readonly name: string;
  /** Whether this is the shortened run. */
  readonly short: boolean;
  readonly #json: boolean;
  readonly #figures: Figure[] = [];
  readonly #checks: Check[] = [];

  constructor(name: string) {
    const { values } = parseArgs({
      options: { check: { type: 'boolean' }, json: { type: 'boolean' } },
    });
    this.name = name;
    this.short = values.check === true;
    this.#json = values.json === true;
  }

  figure(what: string, value: number, unit: string, target?: string): void {
    this.#figures.push({ what, value, unit, ...(target !== undefined && { target }) });
  }

  check(what: string, ok: boolean, seen: string): void {
    this.#checks.push({ what, ok, seen });
  }

  /** `more` is at least `times` `less`. */
  ratio(what: string, more: number, less: number, times: number): void {
    const ratio = more / less;
    const goal = this.short ? times / IN_HAND : times;
    this.check(`${what}: at least ${goal} ×`, ratio >= goal, `${ratio.toFixed(2)} ×`);
  }

  /** Prints everything; the exit code. */
  finish(): number {
    const data: ReportData = { name: this.name, figures: this.#figures, checks: this.#checks };
    process.stdout.write(this.#json ? `${JSON.stringify(data)}\n` : reportText(data));
    return this.#checks.every(({ ok }) => ok) ? 0 : 1;
  }
}

export function numberText(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

export function reportText({ name, figures, checks }: ReportData): string {
  const width = Math.max(0, ...figures.map(({ what }) => what.length));
  return [
    name,
    ...figures.map(
      ({ what, value, unit }) =>
        `  ${what.padEnd(width)}  ${numberText(value).padStart(9)} ${unit}`,
    ),
    ...checks.map(({ what, ok, seen }) => `  ${ok ? 'ok    ' : 'FAILED'} ${what} (${seen})`),
    '',
  ].join('\n');
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
