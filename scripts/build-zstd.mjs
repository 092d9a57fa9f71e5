// Inlines the calls in the zstd of @bokuweb/zstd-wasm, which was compiled for size: level 3 is 1.6 times as fast then and writes
// the same bytes (test/parquet/zstd.test.ts). Takes 10 s; skipped when its output is newer than its inputs.
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(import.meta.url)
const root = join(dirname(script), '..')
const folder = dirname(createRequire(import.meta.url).resolve('@bokuweb/zstd-wasm'))
const [input, loader] = ['zstd.wasm', 'zstd.js'].map((name) => join(folder, name))
const outFile = join(root, 'dist/lib/parquet/encoders/zstd.wasm')

/** Exports that lib/parquet/encoders/zstd.ts uses, by their name in the package's own loader. */
const used = {
  _ZSTD_isError: 'h',
  _ZSTD_compressBound: 'i',
  _ZSTD_createCCtx: 'j',
  _ZSTD_compress_usingDict: 'l',
  _malloc: 's',
  _free: 't',
  ___wasm_call_ctors: 'g',
}
const memory = 'f'

const changed = async (path) => (await stat(path).catch(() => null))?.mtimeMs ?? 0
const newest = Math.max(...(await Promise.all([script, input, join(root, 'package-lock.json')].map(changed))))
if ((await changed(outFile)) < newest) await build()

async function build() {
  const text = await readFile(loader, 'utf8')
  for (const [name, letter] of Object.entries(used)) {
    const found = new RegExp(`\\b${name} = .*wasmExports\\['(\\w)'\\]`).exec(text)?.[1]
    if (found !== letter)
      throw new Error(`${loader} exports ${name} as ${found}, not ${letter}: change lib/parquet/encoders/zstd.ts`)
  }
  const { default: binaryen } = await import('binaryen')
  const module = binaryen.readBinary(await readFile(input))
  module.setFeatures(binaryen.Features.SignExt | binaryen.Features.MutableGlobals)
  const kept = [memory, ...Object.values(used)]
  for (let i = module.getNumExports() - 1; i >= 0; i--) {
    const { name } = binaryen.getExportInfo(module.getExportByIndex(i))
    if (!kept.includes(name)) module.removeExport(name)
  }
  binaryen.setOptimizeLevel(3)
  binaryen.setShrinkLevel(0)
  binaryen.setAlwaysInlineMaxSize(20)
  binaryen.setFlexibleInlineMaxSize(120)
  binaryen.setAllowInliningFunctionsWithLoops(true) // ZSTD_count
  module.optimize()
  if (!module.validate()) throw new Error(`the module made of ${input} is not valid`)
  await mkdir(dirname(outFile), { recursive: true })
  await writeFile(outFile, module.emitBinary())
}
