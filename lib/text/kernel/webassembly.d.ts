/** The part of WebAssembly that lib/text uses: without the DOM, the types of Node 20 lack the global. */
declare namespace WebAssembly {
  interface Module {
    readonly [Symbol.toStringTag]: string
  }
  interface Memory {
    readonly buffer: ArrayBuffer
    /** Grows by pages of 64 KiB; returns the number of pages before. */
    grow(pages: number): number
  }
  interface Global {
    readonly value: number
  }
  interface Instance<Exports> {
    readonly exports: Exports
  }
  function compile(bytes: Uint8Array): Promise<Module>
  /** `Exports` is what the module is known to export: it is compiled from this repository. */
  function instantiate<Exports>(module: Module): Promise<Instance<Exports>>
}
