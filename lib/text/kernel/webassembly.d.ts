/** As much of WebAssembly as lib/text/signature.ts uses: the types of Node 20 leave the global out without the DOM. */
declare namespace WebAssembly {
  interface Module {
    readonly [Symbol.toStringTag]: string
  }
  interface Memory {
    readonly buffer: ArrayBuffer
    /** Pages of 64 KiB; answers the pages before. */
    grow(pages: number): number
  }
  interface Global {
    readonly value: number
  }
  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>
  }
  function compile(bytes: Uint8Array): Promise<Module>
  function instantiate(module: Module): Promise<Instance>
}
