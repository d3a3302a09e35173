/** `powerpool check config.yml`: everything that can be known without starting. */
import { readConfigFile } from './config-file.ts';
import { configFileOf, readOptions, serverNumberOption } from './usage.ts';
import type { Terminal } from './usage.ts';

const HELP = `usage: powerpool check CONFIG.yml [-s N]

Validates the file: syntax, every key and value, references between components, addresses, ports that
collide. Prints every problem with its line and column; exit status 1 if one of them is an error.
`;

export function checkCommand(argv: readonly string[], terminal: Terminal): number {
  const { values, positionals } = readOptions('check', argv, {
    'server-number': { type: 'string', short: 's' },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (values.help) {
    terminal.out(HELP);
    return 0;
  }
  const file = configFileOf('check', positionals);
  const number = serverNumberOption(values['server-number']);
  const { config, warnings } = readConfigFile(file, number, terminal);
  if (config === undefined) return 1;
  const noted = warnings.length === 0 ? '' : `, ${warnings.length} warning(s) above`;
  terminal.out(`${file}: ok, ${config.components.length} components${noted}\n`);
  return 0;
}
