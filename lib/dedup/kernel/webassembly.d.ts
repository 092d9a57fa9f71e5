/** What lib/dedup/kept-rows.ts uses of WebAssembly beyond lib/text/kernel/webassembly.d.ts: made at once, for an index is. */
declare namespace WebAssembly {
  const Module: new (bytes: Uint8Array) => Module
  const Instance: new (module: Module) => Instance
}
