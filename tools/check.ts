/**
 * `npm run check`: everything about the sources that can be checked without running the product. All
 * steps run; the exit status says whether one failed.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const tool = (name: string): string =>
  fileURLToPath(new URL(`../node_modules/.bin/${name}`, import.meta.url));

const STEPS: readonly { name: string; command: string; args: readonly string[] }[] = [
  { name: 'types', command: tool('tsc'), args: ['--noEmit', '-p', '.'] },
  {
    name: 'lint, direction of imports, cycles',
    command: tool('oxlint'),
    args: ['--type-aware', 'src', 'test', 'bench', 'tools', 'bin'],
  },
  { name: 'format', command: tool('prettier'), args: ['--check', '--log-level', 'warn', '.'] },
  { name: 'unused code', command: tool('knip'), args: [] },
  {
    name: 'configuration reference and manual',
    command: process.execPath,
    args: ['tools/gen-config-docs.ts', '--check'],
  },
  {
    name: 'kernels rebuild byte for byte',
    command: process.execPath,
    args: ['tools/build-kernels.ts', '--check'],
  },
];

let failed = 0;
for (const { name, command, args } of STEPS) {
  const from = performance.now();
  const run = spawnSync(command, [...args], { encoding: 'utf8' });
  const ok = run.status === 0;
  console.log(
    `${ok ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - from) / 1000).toFixed(1)} s)`,
  );
  if (!ok) {
    failed += 1;
    console.log(`${run.stdout ?? ''}${run.stderr ?? ''}${run.error?.message ?? ''}`);
  }
}
process.exitCode = failed === 0 ? 0 : 1;
