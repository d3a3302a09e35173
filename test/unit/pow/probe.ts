/**
 * Inner functions of the kernels, for tests: compiles kernels/lib and kernels/gen as the tool does, with
 * an entry that exports what a test asks for. `at` is memory that no table of the kernels uses.
 */
import { compile } from '../../../tools/build-kernels.ts';

export interface Probe {
  /** 64 KiB from here are free. */
  readonly at: number;
  readonly bytes: Uint8Array;
  call(name: string, ...args: number[]): number;
}

/** `exports`: AssemblyScript export statements, with paths as from kernels/. */
export async function probe(exports: string): Promise<Probe> {
  const wasm = await compile(
    'probe',
    `${exports}\nexport const FREE: usize = memory.data(65536, 64);\n`,
  );
  const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm), {});
  const at = Number((instance.exports['FREE'] as WebAssembly.Global).value);
  const memory = instance.exports['memory'] as WebAssembly.Memory;
  return {
    at,
    bytes: new Uint8Array(memory.buffer),
    call: (name, ...args) => (instance.exports[name] as (...values: number[]) => number)(...args),
  };
}
