/** Modules with imports, in addition to lib/text/kernel/webassembly.d.ts. */
declare namespace WebAssembly {
  type Imports = Readonly<Record<string, Readonly<Record<string, (value: number) => number>>>>
  function instantiate<Exports>(module: Module, imports: Imports): Promise<Instance<Exports>>
}
