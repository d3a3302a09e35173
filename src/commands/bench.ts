/** `powerpool bench`: what this machine checks per second and core, by algorithm. */
import { ALGORITHMS, algorithm } from '../pow/algorithms.ts';
import { ShareChecker } from '../pow/checker.ts';
import { selfTest } from '../pow/self-test.ts';
import { UsageError, readOptions } from './usage.ts';
import type { Terminal } from './usage.ts';

const HELP = `usage: powerpool bench [--algo NAME …]

Checks known answers and times whole shares (coinbase to target) on one core: one at a time, and as many
together as a busy listener thread has.
`;
const BUDGET_MS = 500;

export function benchCommand(argv: readonly string[], terminal: Terminal): number {
  const { values, positionals } = readOptions('bench', argv, {
    algo: { type: 'string', multiple: true },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (values.help || positionals.length > 0) {
    if (values.help) terminal.out(HELP);
    else terminal.err(HELP);
    return values.help ? 0 : 2;
  }
  const wanted = (values.algo ?? ALGORITHMS.map(({ name }) => name)).map((name) => {
    const found = algorithm(name);
    if (found === undefined) throw new UsageError(`--algo: there is no algorithm "${name}"`);
    return found;
  });
  const cell = (text: string): string => text.padStart(12);
  terminal.out(
    `${'algorithm'.padEnd(12)}${['one, µs', 'batch, µs', 'shares/s', 'memory'].map(cell).join('')}\n`,
  );
  for (const one of wanted) {
    const checker = ShareChecker.load(one);
    const { singleUs, batchUs } = selfTest(checker, BUDGET_MS);
    const cells = [
      singleUs.toFixed(2),
      batchUs.toFixed(2),
      Math.round(1e6 / batchUs).toLocaleString('en'),
      `${(checker.memoryBytes / 2 ** 20).toFixed(1)} MiB`,
    ];
    terminal.out(`${one.name.padEnd(12)}${cells.map(cell).join('')}\n`);
  }
  return 0;
}
