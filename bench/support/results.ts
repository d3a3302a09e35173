/** The generated part of RESULTS.md: figures against targets and peers, and everything else measured. */
import { execFileSync } from 'node:child_process';
import { systemClock } from '../../src/clock.ts';
import { loadAverage, machineText } from './machine.ts';
import { numberText } from './report.ts';
import type { Figure } from './report.ts';
import type { Result } from './result.ts';
import { PEERS, TARGETS } from './targets.ts';
import type { Target } from './targets.ts';

const BEGIN = '<!-- figures: written by `npm run bench -- --write` -->';
const END = '<!-- end of figures -->';

/** RESULTS.md with what lies between its two marks replaced. Throws where it lacks one. */
export function resultsText(text: string, results: readonly Result[]): string {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from === -1 || to < from) throw new Error('RESULTS.md has lost the marks of its figures');
  const part = [runText(), targetTable(results), ...sections(results)].join('\n\n');
  return `${text.slice(0, from + BEGIN.length)}\n\n${part}\n\n${text.slice(to)}`;
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { encoding: 'utf8' }).trim();
}

function runText(): string {
  const day = new Date(systemClock.now()).toISOString().slice(0, 10);
  const changed = git('status', '--porcelain', '--', 'src', 'bench', 'kernels') !== '';
  const commit = `${git('rev-parse', '--short', 'HEAD')}${changed ? ' with changes' : ''}`;
  return (
    `${day}, commit ${commit}, Node ${process.versions.node}, ${machineText()}; ` +
    `load average at the end ${loadAverage()}.`
  );
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = head.map((_, index) => (index === 0 ? '---' : '---:'));
  return [row(head), row(line), ...rows.map(row)].join('\n');
}

function verdict({ better, must, aim }: Target, value: number): string {
  const reaches = (goal: number): boolean => (better === 'more' ? value >= goal : value <= goal);
  if (reaches(aim)) return 'aim reached';
  return reaches(must) ? 'reached' : '**missed**';
}

function targetTable(results: readonly Result[]): string {
  const figures = results.flatMap((result) => result.figures);
  const rows = TARGETS.map((target) => {
    const own = figures.find((figure) => figure.target === target.key);
    const unit = target.unit === '/s' ? '' : ` ${target.unit}`;
    return [
      target.what,
      ...target.peers,
      `${target.must.toLocaleString('en')}${unit}`,
      `${target.aim.toLocaleString('en')}${unit}`,
      own === undefined ? '–' : `${numberText(own.value)}${unit}`,
      own === undefined ? 'not run' : verdict(target, own.value),
    ];
  });
  return table(['', ...PEERS, 'must', 'aim', 'ours', ''], rows);
}

/** One table a benchmark; ledger.ts reports in several pieces. */
function sections(results: readonly Result[]): string[] {
  const byName = new Map<string, Figure[]>();
  for (const { name, figures } of results) {
    byName.set(name, [...(byName.get(name) ?? []), ...figures]);
  }
  return [...byName].map(([name, figures]) => {
    const rows = figures.map(({ what, value, unit }) => [what, `${numberText(value)} ${unit}`]);
    return `### ${name}\n\n${table(['', ''], rows)}`;
  });
}
