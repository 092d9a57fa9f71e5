/** Imports go one way: docs/architecture.md, Layout. A line may import from the lines below it, never from its own. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import t from 'tap'
import { projectRoot } from './support/root.js'

const lines = [
  ['index.ts'],
  ['cli'],
  ['pages'],
  ['server-bench'],
  ['queue', 'slurm'],
  ['units'],
  ['epochs'],
  ['recipe'],
  ['training'],
  ['run', 'publish', 'report'],
  ['kun'],
  ['sources', 'workers', 'dedup', 'llm', 'sinks'],
  ['hub', 'parquet', 'objects'],
  ['storage', 'text', 'http'],
  ['core', 'simulator'],
  ['language'],
  ['listen.ts'],
  ['errors.ts', 'caught-error.ts'],
  ['reject-reasons.ts'],
]
const lib = join(projectRoot, 'lib')

/** File → the files of lib it imports, by static or dynamic import, types too. */
const imports = new Map<string, string[]>()
for (const entry of readdirSync(lib, { recursive: true, withFileTypes: true })) {
  const file = join(entry.parentPath, entry.name)
  if (!entry.isFile() || !entry.name.endsWith('.ts') || file.includes('/assembly/')) continue
  const text = readFileSync(file, 'utf8')
  const targets = [...text.matchAll(/(?:from|import|import\()\s*'(\.[^']+)'/g)].map((match) =>
    relative(lib, join(dirname(file), (match[1] as string).replace(/\.js$/, '.ts'))),
  )
  imports.set(relative(lib, file), targets)
}

const folderOf = (file: string): string => file.split('/')[0] as string
const lineOf = (file: string): number => lines.findIndex((line) => line.includes(folderOf(file)))

t.test('every file imports from its own folder or from the lines below it, and nothing else', async (t) => {
  t.ok(imports.size > 10, 'the files were found')
  for (const [file, targets] of imports) {
    t.not(lineOf(file), -1, `${file} has a place in the layout`)
    for (const target of targets) {
      const allowed = folderOf(target) === folderOf(file) || lineOf(target) > lineOf(file)
      const simulated =
        folderOf(file) !== 'simulator' ||
        folderOf(target) === 'simulator' ||
        target === 'errors.ts' ||
        target === 'listen.ts' ||
        target === 'caught-error.ts' ||
        folderOf(target) === 'language'
      t.ok(allowed && simulated, `${file} imports ${target}`)
    }
  }
})

t.test('no file imports itself by a circle', async (t) => {
  const done = new Set<string>()
  const walk = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      t.fail([...path.slice(path.indexOf(file)), file].join(' → '))
      return
    }
    if (done.has(file)) return
    for (const target of imports.get(file) ?? []) walk(target, [...path, file])
    done.add(file)
  }
  for (const file of imports.keys()) walk(file, [])
  t.equal(done.size >= imports.size, true)
})
