/** Problems as text for a terminal: a line each, in the order of the file, errors and warnings mixed. */
import type { Problem } from './problem.ts';

/** One line: `config.yml:12:5 error: LTC.coinservs[0].prot: unknown key, found 3, expected …`. */
function formatProblem(problem: Problem, file: string): string {
  const place = problem.line === 0 ? file : `${file}:${problem.line}:${problem.column}`;
  const subject = problem.path === '' ? '' : `${problem.path}: `;
  const parts = [problem.message];
  if (problem.found !== undefined) parts.push(`found ${problem.found}`);
  if (problem.expected !== undefined) parts.push(`expected ${problem.expected}`);
  if (problem.nearest !== undefined) parts.push(`did you mean "${problem.nearest}"?`);
  return `${place} ${problem.severity}: ${subject}${parts.join(', ')}`;
}

/** What the command line prints; empty for no problems, else with a newline after each line. */
export function formatProblems(problems: readonly Problem[], file: string): string {
  return problems
    .toSorted((a, b) => a.line - b.line || a.column - b.column)
    .map((problem) => `${formatProblem(problem, file)}\n`)
    .join('');
}
