// The part of the WebAssembly interface that the engines here use: TypeScript has it in its browser library only.
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
  }

  class Instance {
    constructor(module: Module)
    readonly exports: Readonly<Record<string, unknown>>
  }

  interface Memory {
    /** Detached, and another one in its place, after each `grow`. */
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }

  class CompileError extends Error {}
}
