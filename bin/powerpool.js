#!/usr/bin/env node
// Plain JavaScript that any Node can read: finds a Node new enough for PowerPool (the one that runs this,
// else the one that npm installed beside it) and hands over to src/cli.ts (a checkout) or dist/cli.js
// (the packed package).
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
const source = new URL('../src/cli.ts', import.meta.url);
const entry = existsSync(source) ? source : new URL('../dist/cli.js', import.meta.url);

if (Number.parseInt(process.versions.node, 10) >= NEEDED) {
  await cacheCompiledCode();
  await import(entry.href);
} else {
  const node = packagedNode();
  if (node === undefined) {
    process.stderr.write(
      `powerpool needs Node.js ${NEEDED} or newer, this is ${process.version}; ` +
        `install it, or reinstall with optional dependencies on Linux x64/arm64 (npm ci --include=optional)\n`,
    );
    process.exitCode = 1;
  } else {
    runWith(node);
  }
}

// Compiled code and stripped types are kept beside the packages: half the CPU time of a start, and no
// thread holds the type stripper in memory. Where the folder cannot be written, nothing is kept. The
// variable is how worker threads learn of it.
async function cacheCompiledCode() {
  const { enableCompileCache } = await import('node:module');
  const folder = new URL('../node_modules/.cache/powerpool', import.meta.url);
  const { directory } = enableCompileCache(fileURLToPath(folder));
  if (directory !== undefined) process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(folder);
}

function packagedNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve(
      `node-${process.platform}-${process.arch}/package.json`,
    );
    const path = fileURLToPath(new URL('bin/node', `file://${manifest}`));
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

function runWith(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => {
    process.stderr.write(`powerpool: cannot run ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}
