/**
 * Builds assets/kernels/*.wasm from kernels/*.ts: one module per algorithm file, each with the shared
 * share-building code (kernels/lib) and with unrolled functions written by kernels/gen, which exist in
 * memory only. Usage: node tools/build-kernels.ts [--check] [--print <generated module>] [name …]
 * `--check` builds again and fails where a committed module is not byte-identical.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { main as asc } from 'assemblyscript/asc';
import * as blake256 from '../kernels/gen/blake256.ts';
import * as blake512 from '../kernels/gen/blake512.ts';
import * as bmw from '../kernels/gen/bmw.ts';
import * as cubehash from '../kernels/gen/cubehash.ts';
import * as echo from '../kernels/gen/echo.ts';
import * as groestl from '../kernels/gen/groestl.ts';
import * as groestl256 from '../kernels/gen/groestl256.ts';
import * as hefty1 from '../kernels/gen/hefty1.ts';
import * as jh from '../kernels/gen/jh.ts';
import * as keccak from '../kernels/gen/keccak.ts';
import * as lyra2 from '../kernels/gen/lyra2.ts';
import * as luffa from '../kernels/gen/luffa.ts';
import * as romix from '../kernels/gen/romix.ts';
import * as sha256 from '../kernels/gen/sha256.ts';
import * as shavite from '../kernels/gen/shavite.ts';
import * as simd from '../kernels/gen/simd.ts';
import * as skein from '../kernels/gen/skein.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = join(ROOT, 'kernels');
const OUTPUT = join(ROOT, 'assets', 'kernels');

const GENERATED: Readonly<Record<string, string>> = {
  ...sha256.sources,
  ...blake256.sources,
  ...romix.sources,
  ...blake512.sources,
  ...bmw.sources,
  ...skein.sources,
  ...keccak.sources,
  ...groestl.sources,
  ...jh.sources,
  ...luffa.sources,
  ...shavite.sources,
  ...simd.sources,
  ...echo.sources,
  ...groestl256.sources,
  ...lyra2.sources,
  ...hefty1.sources,
  ...cubehash.sources,
};

/** What a module exports: the shared part, and the algorithm's own `prepare` and `hash`. */
function entrySource(name: string): string {
  return `
import { JOB_BYTES, JOB_SLOTS, MAX_HEADER_BYTES, setLayout } from './lib/layout';
import { build, judge } from './lib/share';
import { hash, prepare } from './${name}';
export {
  CAPACITY, COINB_BYTES, EXTRANONCES, FLAGS, HASHES, HEADERS, IN_AUX_TARGET, IN_BRANCH, IN_COINB1, IN_COINB2,
  IN_MAIN_TARGET, IN_PREV_HASH, JOB_BYTES, JOB_SLOTS, MAX_LEVELS, NONCES, NTIMES, SHARE_TARGETS, VERSIONS,
} from './lib/layout';
export { build, judge, merkleBranch, setJob } from './lib/share';
export { hash } from './${name}';
export const HEAP: usize = __heap_base;

export function init(headerBytes: i32, parameter: i32, jobs: usize): i32 {
  if (headerBytes < 80 || headerBytes > MAX_HEADER_BYTES) return -1;
  setLayout(headerBytes, jobs);
  return prepare(headerBytes, parameter, jobs + <usize>JOB_SLOTS * <usize>JOB_BYTES);
}

export function run(slot: i32, from: i32, to: i32): void {
  build(slot, from, to);
  hash(from, to);
  judge(slot, from, to);
}
`;
}

function readSource(path: string): string | null {
  const file = path.replaceAll('\\', '/').replace(/^\.\//, '');
  const generated = /^kernels\/generated\/(.+)\.ts$/.exec(file);
  if (generated !== null) return GENERATED[generated[1]!] ?? null;
  try {
    return readFileSync(join(ROOT, file), 'utf8');
  } catch {
    return null;
  }
}

/** Compiles the kernel of that name, or for tests any other `entry`, whose imports start at kernels/. */
export async function compile(name: string, entry = entrySource(name)): Promise<Uint8Array> {
  let wasm: Uint8Array | undefined;
  const features = ['--enable', 'simd', '--enable', 'relaxed-simd'];
  const options = ['-O3', ...features, '--runtime', 'stub', '--noAssert'];
  const { error, stderr } = await asc(
    [`kernels/entry-${name}.ts`, ...options, '--outFile', `${name}.wasm`],
    {
      readFile: (path: string) => (path.endsWith(`entry-${name}.ts`) ? entry : readSource(path)),
      writeFile: (_path: string, contents: Uint8Array | string) => {
        if (typeof contents !== 'string') wasm = contents;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || wasm === undefined) {
    throw new Error(`kernel ${name} does not compile:\n${stderr.toString()}`, { cause: error });
  }
  return wasm;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { check: { type: 'boolean' }, print: { type: 'string' } },
    allowPositionals: true,
  });
  if (values.print !== undefined) {
    process.stdout.write(GENERATED[values.print] ?? `${Object.keys(GENERATED).join('\n')}\n`);
    return 0;
  }
  const all = readdirSync(SOURCES)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => basename(file, '.ts'));
  mkdirSync(OUTPUT, { recursive: true });
  let different = 0;
  for (const name of positionals.length > 0 ? positionals : all) {
    const path = join(OUTPUT, `${name}.wasm`);
    const wasm = await compile(name);
    if (values.check !== true) writeFileSync(path, wasm);
    const same = Buffer.compare(readFileSync(path), wasm) === 0;
    if (!same) different++;
    const verdict = same ? 'as built' : 'DIFFERS from a rebuild: run node tools/build-kernels.ts';
    process.stdout.write(`${relative(ROOT, path)}: ${wasm.length} bytes, ${verdict}\n`);
  }
  return different === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();
