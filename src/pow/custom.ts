/**
 * A user's own hash function as an algorithm: `module: ./my-hash.ts#hash`, a function from the header
 * (80 bytes, its own copy) to the proof-of-work hash (32 bytes little-endian). Headers are built and
 * targets compared in the kernel; only the hash itself is the user's. Every thread that checks shares
 * loads it for itself, since functions do not cross threads.
 */
import { createRequire } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf } from '../errors.ts';
import { DIFF1_SHA256, type Algorithm, type HashFunction } from './algorithms.ts';
import { PowError } from './errors.ts';

/**
 * Loads `<module>#<export>`; a relative path starts at `directory` (that of the configuration file),
 * anything else is a package found from there.
 */
export async function loadCustom(
  name: string,
  module: string,
  directory: string,
): Promise<Algorithm> {
  const [path = '', exported = 'hash', ...rest] = module.split('#');
  if (path === '' || exported === '' || rest.length > 0) {
    throw new PowError(
      'custom-module',
      `algorithm ${name}: module "${module}", expected "./file.ts#function" or "package#function"`,
    );
  }
  const found = (await importFrom(name, path, directory))[exported];
  if (typeof found !== 'function') {
    throw new PowError(
      'custom-module',
      `algorithm ${name}: ${path} exports ${typeof found} as "${exported}", expected a function`,
    );
  }
  return { ...customRow(name), custom: found as HashFunction };
}

/** The row of such an algorithm without its function: the figures of sha256d until the operator's replace them. */
export function customRow(name: string): Algorithm {
  return {
    name,
    aliases: [],
    diff1: DIFF1_SHA256,
    hashesPerShare: 2 ** 32,
    minerDivisor: 1,
    kernel: 'sha256d',
    parameter: 0,
    lanes: 1,
    headerBytes: 80,
    txidKind: 'sha256d',
    // Nothing is known of its speed: a function of 100 µs takes the usual 2 ms.
    sliceShares: 16,
  };
}

async function importFrom(
  name: string,
  path: string,
  directory: string,
): Promise<Record<string, unknown>> {
  try {
    const file = path.startsWith('.') || isAbsolute(path);
    const target = file
      ? isAbsolute(path)
        ? path
        : join(directory, path)
      : createRequire(join(directory, 'package.json')).resolve(path);
    return (await import(pathToFileURL(target).href)) as Record<string, unknown>;
  } catch (error) {
    throw new PowError(
      'custom-module',
      `algorithm ${name}: module ${path} (from ${directory}) cannot be loaded: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
