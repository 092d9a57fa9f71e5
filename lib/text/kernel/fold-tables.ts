/**
 * Tables by which the kernel folds a code unit independently of its neighbours. They are computed at start from the definition
 * (`comparisonForm`), so that they match the Unicode version of the running Node.
 */
import { Buffer } from 'node:buffer'
import { comparisonLines } from './reference-kernel.js'

/** What the kernel has for it; lib/text/kernel/assembly/fold-tables.ts. */
export interface FoldKernel {
  readonly memory: WebAssembly.Memory
  readonly foldBase: WebAssembly.Global
  readonly expansionBase: WebAssembly.Global
  readonly pictureBase: WebAssembly.Global
  readonly keyBase: WebAssembly.Global
  readonly inputBase: WebAssembly.Global
  resetFold(): void
  writeUnits(first: number, end: number): void
  writePictures(): void
  foldUnits(first: number, end: number, forms: number, joining: number): void
  foldPictures(forms: number, joining: number): void
}

const pictures = 3 * 1024
const pageBytes = 65536

/** Everything between the blocks of ideographs and Hangul, which fold to themselves, and surrogates and private use. */
const mixedRanges = [
  [0, 0x3400],
  [0x4dc0, 0x4e00],
  [0xa000, 0xac00],
  [0xd7a4, 0xd800],
  [0xf900, 0x10000],
] as const

/** Fills the tables in the memory of a kernel, and returns a copy for others. Call it once per thread: it takes a few milliseconds. */
export function makeFoldTables(kernel: FoldKernel): Uint8Array {
  const { memory, inputBase, foldBase, keyBase } = kernel
  kernel.resetFold()
  for (const [first, end] of mixedRanges) {
    kernel.writeUnits(first, end)
    const [forms, joining] = writeForms(kernel, textAt(memory, inputBase.value, 4 * (end - first)))
    kernel.foldUnits(first, end, forms, joining)
  }
  kernel.writePictures()
  const [forms, joining] = writeForms(kernel, textAt(memory, inputBase.value, 6 * pictures))
  kernel.foldPictures(forms, joining)
  return new Uint8Array(memory.buffer.slice(foldBase.value, keyBase.value))
}

/** Puts the tables that `makeFoldTables` returned into the memory of another kernel. */
export function setFoldTables({ memory, foldBase }: FoldKernel, tables: Uint8Array): void {
  new Uint8Array(memory.buffer).set(tables, foldBase.value)
}

function textAt(memory: WebAssembly.Memory, from: number, bytes: number): string {
  return Buffer.from(memory.buffer).toString('utf16le', from, from + bytes)
}

/** Writes the comparison form of each line, and which lines are `joining`, over what is at `inputBase`. @returns both addresses */
function writeForms({ memory, inputBase }: FoldKernel, lines: string): readonly [number, number] {
  const forms = comparisonLines(lines)
  const joining = joiningOf(lines)
  const from = inputBase.value
  const between = from + 2 * forms.length
  const missing = Math.ceil((between + 2 * joining.length - memory.buffer.byteLength) / pageBytes)
  if (missing > 0) memory.grow(missing)
  const bytes = Buffer.from(memory.buffer)
  bytes.write(forms, from, 'utf16le')
  bytes.write(joining, between, 'utf16le')
  return [from, between]
}

/**
 * Marks, by a carriage return at its begin, each line where NFKC of a text may differ from that of its parts around the line: its
 * character, or the first of its decomposition, may compose with the characters before it or be reordered among them.
 *
 * Composition partners are marks and the Hangul vowels and finals (all of NFC_Quick_Check=Maybe, UAX 15); enclosing
 * marks and variation selectors are marks of combining class 0 that compose with nothing.
 */
function joiningOf(lines: string): string {
  return lines
    .normalize('NFKD')
    .replace(/^(?:[\u{1161}-\u{1175}\u{11a8}-\u{11c2}]|(?!\p{Me}|[\u{fe00}-\u{fe0f}])\p{M})/gmu, '\r')
}
