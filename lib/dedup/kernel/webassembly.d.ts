/** Synchronous constructors of WebAssembly, in addition to lib/text/kernel/webassembly.d.ts. */
declare namespace WebAssembly {
  const Module: new (bytes: Uint8Array) => Module
  const Instance: new <Exports>(module: Module) => Instance<Exports>
}
