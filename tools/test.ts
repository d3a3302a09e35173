/**
 * `npm test`: runs every suite and prints the time of each. System services that integration tests
 * name in a `needs:` line of their header are installed here when missing (apt, as root); without root
 * the suites that need them are skipped and named, which is a failure under CI=true.
 *
 * usage: node tools/test.ts [suite …] [-- file filter …]
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Service name → the program (or file) that shows it is there, and Debian's packages that bring it. */
const SERVICES: Readonly<Record<string, { program: string; packages: readonly string[] }>> = {
  litecoind: { program: 'litecoind', packages: ['litecoind'] },
  python3: { program: 'python3', packages: ['python3'] },
  'systemd-notify': { program: 'systemd-notify', packages: ['systemd'] },
  'rabbitmq-server': { program: '/usr/sbin/rabbitmq-server', packages: ['rabbitmq-server'] },
  'python3-celery': {
    program: '/usr/lib/python3/dist-packages/celery/__init__.py',
    packages: ['python3-celery', 'python3-redis'],
  },
  openssl: { program: 'openssl', packages: ['openssl'] },
  postgresql: { program: '/usr/lib/postgresql', packages: ['postgresql'] },
  'redis-server': { program: 'redis-server', packages: ['redis-server'] },
};

const SUITES: readonly { name: string; glob: string; concurrency: number }[] = [
  { name: 'unit', glob: 'test/unit/**/*.test.ts', concurrency: 2 },
  { name: 'vector', glob: 'test/vector/**/*.test.ts', concurrency: 2 },
  { name: 'contract', glob: 'test/contract/**/*.test.ts', concurrency: 2 },
  { name: 'integration', glob: 'test/integration/**/*.test.ts', concurrency: 1 },
  { name: 'fuzz', glob: 'test/fuzz/**/*.test.ts', concurrency: 2 },
];

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** While it stands there, packages that bring a service do not start it. */
const POLICY = '/usr/sbin/policy-rc.d';

function has(program: string): boolean {
  if (program.startsWith('/')) return existsSync(program);
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
}

function needsOf(file: string): string[] {
  const line = /^\s*(?:\*|\/\/)\s*needs:\s*(.+)$/m.exec(readFileSync(file, 'utf8'));
  return line === null ? [] : line[1]!.split(/[\s,]+/).filter((name) => name !== '');
}

/** Installs what is missing where that is possible; returns the services that stay missing. */
function provide(services: ReadonlySet<string>): Set<string> {
  const unknown = [...services].filter((name) => SERVICES[name] === undefined);
  if (unknown.length > 0) throw new Error(`no such service: ${unknown.join(', ')} (tools/test.ts)`);
  const missing = [...services].filter((name) => !has(SERVICES[name]!.program));
  if (missing.length > 0 && process.getuid?.() === 0 && has('apt-get')) {
    const packages = missing.flatMap((name) => SERVICES[name]!.packages);
    console.log(`installing ${packages.join(' ')}`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const isOurs = !existsSync(POLICY);
    if (isOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
      const run = spawnSync('apt-get', ['-q', ...args], { env, encoding: 'utf8' });
      if (run.status !== 0) console.log(`apt-get ${args[0]} failed:\n${run.stdout}${run.stderr}`);
    }
    if (isOurs) rmSync(POLICY);
  }
  return new Set(missing.filter((name) => !has(SERVICES[name]!.program)));
}

function runFiles(files: readonly string[], concurrency: number): Promise<Tally> {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  if (files.length === 0) return Promise.resolve(tally);
  const args = ['--test', `--test-concurrency=${concurrency}`, '--test-reporter=spec', ...files];
  const env = { FUZZ_SECONDS: process.env['CI'] === 'true' ? '60' : '3', ...process.env };
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  /** Closing lines of the reporter ("ℹ pass 12"), which stand before the failures in full. */
  const counts = new Map<string, number>();
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    process.stdout.write(chunk);
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const match = /^\S+ (pass|fail|cancelled|skipped) (\d+)$/.exec(line);
      if (match !== null) counts.set(match[1]!, Number(match[2]));
    }
  });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      const count = (word: string): number => counts.get(word) ?? 0;
      tally.passed = count('pass');
      tally.failed = count('fail') + count('cancelled');
      tally.skipped = count('skipped');
      if (code !== 0 && tally.failed === 0) tally.failed = 1;
      resolve(tally);
    });
  });
}

async function main(argv: readonly string[]): Promise<number> {
  const divider = argv.indexOf('--');
  const names = divider < 0 ? argv : argv.slice(0, divider);
  const filters = divider < 0 ? [] : argv.slice(divider + 1);
  const suites = SUITES.filter(({ name }) => names.length === 0 || names.includes(name)).map(
    (suite) => ({
      ...suite,
      files: globSync(suite.glob)
        .filter((file) => filters.length === 0 || filters.some((word) => file.includes(word)))
        .sort(),
    }),
  );
  const missing = provide(new Set(suites.flatMap(({ files }) => files.flatMap(needsOf))));
  const total: Tally = { passed: 0, failed: 0, skipped: 0 };
  const lines: string[] = [];
  const left: string[] = [];
  for (const { name, files, concurrency } of suites) {
    const runnable = files.filter((file) => !needsOf(file).some((need) => missing.has(need)));
    left.push(...files.filter((file) => !runnable.includes(file)));
    const from = performance.now();
    console.log(`\n== ${name}: ${runnable.length} files`);
    const tally = await runFiles(runnable, concurrency);
    const seconds = ((performance.now() - from) / 1000).toFixed(1);
    lines.push(
      `${name.padEnd(12)} ${seconds.padStart(7)} s   ${tally.passed} passed, ${tally.failed} failed`,
    );
    total.passed += tally.passed;
    total.failed += tally.failed;
    total.skipped += tally.skipped;
  }
  console.log(`\n== suites\n${lines.join('\n')}`);
  if (left.length > 0) {
    const packages = [...missing].flatMap((name) => SERVICES[name]!.packages);
    console.log(`not run: ${left.join(', ')}\nto run them: apt-get install ${packages.join(' ')}`);
  }
  // What CI skips, nobody has seen pass.
  if (process.env['CI'] === 'true') total.failed += left.length + total.skipped;
  console.log(
    `${total.passed} passed, ${total.failed} failed, ${total.skipped + left.length} skipped`,
  );
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
