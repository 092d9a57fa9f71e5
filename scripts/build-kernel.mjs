// Compiles the kernels (AssemblyScript, in the folder assembly/ of each) to WebAssembly with SIMD: kernel.wasm under dist/.
// One is skipped when its output is newer than every input.
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(import.meta.url)
const root = join(dirname(script), '..')
const changed = async (path) => (await stat(path).catch(() => null))?.mtimeMs ?? 0

for (const folder of ['lib/text/kernel', 'lib/text/scanner-kernel', 'lib/dedup/kernel']) {
  const sources = join(root, folder, 'assembly')
  const outFile = join(root, 'dist', folder, 'kernel.wasm')
  const inputs = [script, ...(await readdir(sources)).map((name) => join(sources, name))]
  const newest = Math.max(...(await Promise.all(inputs.map(changed))))
  if ((await changed(outFile)) < newest) await compile(sources, outFile)
}

async function compile(sources, outFile) {
  const asc = await import('assemblyscript/asc')
  let binary = null
  const { error, stderr } = await asc.main(
    [
      'index.ts',
      '--baseDir',
      sources,
      '--outFile',
      'kernel.wasm',
      '--enable',
      'simd',
      '--runtime',
      'stub',
      '--initialMemory',
      '8',
      '--optimizeLevel',
      '3',
      '--shrinkLevel',
      '0',
      '--converge',
      '--noAssert',
      '--use',
      'abort=',
    ],
    {
      writeFile: (_name, contents) => {
        binary = contents
      },
    },
  )
  if (error !== null || binary === null) {
    process.stderr.write(stderr.toString())
    throw error ?? new Error('asc wrote no output')
  }
  await mkdir(dirname(outFile), { recursive: true })
  await writeFile(outFile, binary)
}
