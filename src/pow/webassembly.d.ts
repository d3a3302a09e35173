/**
 * The part of the WebAssembly JavaScript interface that this room uses: TypeScript declares it only in
 * its DOM library, which this project does not include.
 */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
    readonly [Symbol.toStringTag]: string;
  }
  class Instance {
    constructor(module: Module, imports: Record<string, never>);
    readonly exports: Readonly<Record<string, unknown>>;
  }
  class Global {
    readonly value: unknown;
  }
  class Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
}
