/** `powerpool hash`: the proof-of-work hash of one header, in display order, and nothing else. */
import { fromHex, reversed, toHex } from '../coin/bytes.ts';
import { ALGORITHMS, algorithm } from '../pow/algorithms.ts';
import { hashHeader } from '../pow/checker.ts';
import { UsageError, readOptions } from './usage.ts';
import type { Terminal } from './usage.ts';

const HELP = `usage: powerpool hash --algo NAME HEADER

Prints the proof-of-work hash of a block header (hex) in display order.
algorithms: ${ALGORITHMS.map(({ name }) => name).join(', ')}
`;

export function hashCommand(argv: readonly string[], terminal: Terminal): number {
  const { values, positionals } = readOptions('hash', argv, {
    algo: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (values.help) {
    terminal.out(HELP);
    return 0;
  }
  const [header, extra] = positionals;
  if (values.algo === undefined || header === undefined || extra !== undefined) {
    throw new UsageError(`hash takes an algorithm and one header; see 'powerpool hash --help'`);
  }
  const found = algorithm(values.algo);
  if (found === undefined) {
    const known = ALGORITHMS.map(({ name }) => name).join(', ');
    throw new UsageError(`--algo: found "${values.algo}", expected one of ${known}`);
  }
  const { headerBytes } = found;
  if (!/^(?:[0-9a-f]{2})*$/i.test(header) || header.length !== 2 * headerBytes) {
    throw new UsageError(
      `header: found ${header.length} characters, expected ${2 * headerBytes} hex digits`,
    );
  }
  terminal.out(`${toHex(reversed(hashHeader(found, fromHex(header))))}\n`);
  return 0;
}
