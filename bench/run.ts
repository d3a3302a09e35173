/**
 * `npm run bench`: every benchmark in turn, each in a process of its own. `-- --check` is the shortened
 * run of CI: it fails where something was wrong or lost, or a ratio within the run misses half of its
 * goal, never for an absolute figure. `-- NAME …` runs some; `-- --write` puts the figures of a full run
 * into RESULTS.md. Prints tables as they come and `N passed, N failed` (checks and ratios) at the end.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { machineMs } from './support/machine.ts';
import { resultsText } from './support/results.ts';
import { parseResult, resultText } from './support/result.ts';
import type { Result } from './support/result.ts';

/** In this order: the rooms alone first, then the whole pool. */
const BENCHMARKS = [
  'pow',
  'template',
  'aux',
  'ledger',
  'fanout',
  'connections',
  'shares',
  'notify',
  'scrypt-flood',
  'solve',
  'stalls',
];
const RESULTS = new URL('./RESULTS.md', import.meta.url);

interface Run {
  readonly name: string;
  readonly results: readonly Result[];
  /** Why it did not end well though no check says so. */
  readonly broken: string | undefined;
  readonly seconds: number;
}

function runOne(name: string, short: boolean): Promise<Run> {
  const startedAt = machineMs();
  const file = new URL(`./${name}.ts`, import.meta.url).pathname;
  const child = spawn(process.execPath, [file, '--json', ...(short ? ['--check'] : [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      const results = output.split('\n').filter(isObjectText).map(parseResult);
      const checks = results.flatMap((result) => result.checks);
      const told = checks.some(({ ok }) => !ok);
      const broken =
        code === 0 || told ? undefined : `ended with ${code}: ${errors.trim().slice(-2000)}`;
      resolve({ name, results, broken, seconds: (machineMs() - startedAt) / 1000 });
    });
  });
}

function isObjectText(line: string): boolean {
  return line.startsWith('{');
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { check: { type: 'boolean' }, write: { type: 'boolean' } },
    allowPositionals: true,
  });
  const names = positionals.length === 0 ? BENCHMARKS : positionals;
  const unknown = names.filter((name) => !BENCHMARKS.includes(name));
  if (unknown.length > 0) {
    process.stderr.write(
      `no benchmark ${unknown.join(', ')}; there are ${BENCHMARKS.join(', ')}\n`,
    );
    return 2;
  }
  const runs: Run[] = [];
  for (const name of names) {
    const run = await runOne(name, values.check === true);
    runs.push(run);
    for (const result of run.results) process.stdout.write(resultText(result));
    if (run.broken !== undefined) process.stdout.write(`${name} FAILED: ${run.broken}\n`);
    process.stdout.write(`  (${run.seconds.toFixed(0)} s)\n\n`);
  }
  if (values.write === true && values.check !== true) {
    const results = runs.flatMap((run) => run.results);
    writeFileSync(RESULTS, resultsText(readFileSync(RESULTS, 'utf8'), results));
  }
  const checks = runs.flatMap((run) => run.results.flatMap((result) => result.checks));
  const broken = runs.filter((run) => run.broken !== undefined).length;
  const failed = checks.filter(({ ok }) => !ok).length + broken;
  process.stdout.write(`${checks.length + broken - failed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
