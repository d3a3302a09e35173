/**
 * argv → command. The only file that ends the process. What each command does is in commands/, loaded
 * when it is asked for.
 */
import { readFileSync } from 'node:fs';
import { UsageError } from './commands/usage.ts';
import type { Terminal } from './commands/usage.ts';
import { PoolError, messageOf } from './errors.ts';

const HELP = `PowerPool, a Stratum mining-pool server

usage:
  powerpool CONFIG.yml [-s N]     run the pool
  powerpool CONFIG.yml -d         print the effective configuration and exit
  powerpool check CONFIG.yml      validate a configuration, all errors at once
  powerpool report CONFIG.yml     shares, hashrate and blocks per address, from the ledger
  powerpool demo                  a whole pool on an embedded regtest chain, with a miner
  powerpool mine                  a CPU test miner
  powerpool hash --algo A HEADER  the proof-of-work hash of a header
  powerpool bench                 what this machine checks per second, by algorithm
  powerpool COMMAND --help        the options of a command

options:
  -s, --server-number N   added to the configured server_number; every port shifts by it
  -d, --dump-config       print the effective configuration, secrets redacted
      --show-secrets      with -d: secrets as they are
      --version           print the version
  -h, --help              print this
`;

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}

async function main(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [first, ...rest] = argv;
  switch (first) {
    case undefined:
      terminal.err(HELP);
      return 2;
    case '-h':
    case '--help':
    case 'help':
      terminal.out(HELP);
      return 0;
    case '--version':
      terminal.out(`${version()}\n`);
      return 0;
    case 'check':
      return (await import('./commands/check.ts')).checkCommand(rest, terminal);
    case 'hash':
      return (await import('./commands/hash.ts')).hashCommand(rest, terminal);
    case 'bench':
      return (await import('./commands/bench.ts')).benchCommand(rest, terminal);
    case 'demo':
      return (await import('./commands/demo.ts')).demoCommand(rest, terminal);
    case 'mine':
      return (await import('./commands/mine.ts')).mineCommand(rest, terminal);
    case 'report':
      return (await import('./commands/report.ts')).reportCommand(rest, terminal);
    default:
      return (await import('./commands/run.ts')).runCommand(argv, terminal);
  }
}

const terminal: Terminal = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  color: process.stdout.isTTY,
  // process.exit would wait for every thread, and one may be what hangs (a ledger that is locked).
  exitNow: () => process.kill(process.pid, 'SIGKILL'),
};

// A reader that has seen enough (`powerpool report | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
});

try {
  process.exitCode = await main(process.argv.slice(2), terminal);
} catch (error) {
  const known = error instanceof PoolError;
  terminal.err(
    `powerpool: ${known ? messageOf(error) : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
// A pipe takes what was written at its reader's pace.
for (const stream of [process.stdout, process.stderr]) {
  await new Promise<void>((resolve) => {
    stream.write('', () => resolve());
  });
}
// Worker threads and keep-alive sockets that a command left behind hold nothing that matters.
process.exit(process.exitCode);
