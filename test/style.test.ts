/** How files look, as CONTRIBUTING.md has it, where a machine can tell. An exception says why it is one. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { projectRoot } from './support/root.js'

const fileLinesMax = 500
const functionLinesMax = 70

/** Files over `fileLinesMax`. */
const longFiles: Readonly<Record<string, string>> = {
  'test/dedup/deduplicator.test.ts': 'one promise, checked at every size and log state on the same planted texts',
  'test/publish/publish.test.ts': 'publishing is one sequence against one stand-in Hub',
  'test/sinks/verify.test.ts': 'a list of damages, each a few lines',
}

interface SourceFile {
  /** From the project's folder. */
  readonly path: string
  readonly text: string
  readonly tree: ts.SourceFile
}

/** AssemblyScript is another language, and the compiled tests see no other files than these. */
const files: readonly SourceFile[] = ['bin', 'lib', 'bench', 'fixtures', 'test'].flatMap((folder) =>
  readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts') && !path.includes('/assembly/'))
    .map((path) => {
      const text = readFileSync(join(projectRoot, path), 'utf8')
      return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) }
    }),
)
const product = files.filter(({ path }) => path.startsWith('lib/'))

t.test('the files are found', async (t) => {
  t.ok(product.length > 150, `${product.length} files in lib/`)
  for (const path of Object.keys(longFiles))
    t.ok(
      files.some((file) => file.path === path),
      `${path} is there`,
    )
})

t.test(`a file has at most ${fileLinesMax} lines`, async (t) => {
  const long = files.filter(({ path, text }) => text.split('\n').length - 1 > fileLinesMax && !(path in longFiles))
  t.strictSame(
    long.map(({ path }) => path),
    [],
    'divide it by its ideas',
  )
})

t.test(
  `a function has at most ${functionLinesMax} lines of its own: those of functions inside it are theirs`,
  async (t) => {
    const long: string[] = []
    for (const { path, tree } of product) {
      const lineOf = (place: number) => tree.getLineAndCharacterOfPosition(place).line
      /** Lines of functions in and below `node`, each counted once. */
      const linesIn = (node: ts.Node): number => {
        let inside = 0
        ts.forEachChild(node, (child) => {
          inside += linesIn(child)
        })
        if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return inside
        const lines = lineOf(node.end) - lineOf(node.getStart()) + 1
        if (lines - inside > functionLinesMax) long.push(`${path}:${lineOf(node.getStart()) + 1}`)
        return lines
      }
      linesIn(tree)
    }
    t.strictSame(long, [], 'divide it')
  },
)

t.test('a file opens with a comment that says what it owns; a test opens with its first title', async (t) => {
  const opens = /^(?:#!.*\n)?\/[*/]/
  const silent = files.filter(({ path, text }) => !path.endsWith('.test.ts') && !opens.test(text))
  t.strictSame(
    silent.map(({ path }) => path),
    [],
  )
})

t.test('file names are whole words in kebab case, and none says only that it helps', async (t) => {
  const kebab = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test|\.d)?\.ts$/
  const helping = /\b(?:utils?|helpers?|misc|common)\b/
  const wrong = files.filter(({ path }) => !kebab.test(basename(path)) || helping.test(basename(path)))
  t.strictSame(
    wrong.map(({ path }) => path),
    [],
  )
})

t.test('no test of the fast half starts a command or a run of a recipe', async (t) => {
  const runner = readFileSync(join(projectRoot, 'scripts/run-tests.mjs'), 'utf8')
  const excluded = [...(/slowFolders = \[([^\]]*)\]/.exec(runner)?.[1] ?? '').matchAll(/'([\w-]+)'/g)].map(
    ([, name]) => name,
  )
  t.ok(excluded.includes('fault'), 'scripts/run-tests.mjs says which folders are of the other half')
  const slow = files.filter(
    ({ path, text }) =>
      path.endsWith('.test.ts') &&
      !excluded.some((folder) => path.startsWith(`test/${folder}/`)) &&
      /from '(?:\.\.?\/)+support\/(?:commands|session)\.js'/.test(text),
  )
  t.same(
    slow.map(({ path }) => path),
    [],
  )
})

t.test('nothing is swallowed and nothing is put off', async (t) => {
  const found: string[] = []
  const emptyCatches = (node: ts.Node): number => {
    let count = ts.isCatchClause(node) && node.block.statements.length === 0 ? 1 : 0
    ts.forEachChild(node, (child) => {
      count += emptyCatches(child)
    })
    return count
  }
  const putOff = new RegExp(`/[/*].*\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|')})\\b`)
  for (const { path, tree, text } of files) {
    if (emptyCatches(tree) > 0) found.push(`${path}: an empty catch`)
    const lines = text.split('\n')
    for (const [index, line] of lines.entries()) {
      const place = `${path}:${index + 1}`
      if (putOff.test(line)) found.push(`${place}: do it, or write an issue`)
      if (!path.startsWith('lib/')) continue
      if (/\bconsole\.\w+\(/.test(line)) found.push(`${place}: write to stdout or stderr by name`)
      const silenced = /\.catch\(\(\) => (?:undefined|null|\{\s*\})\)/.test(line)
      if (silenced && !/\/\/ /.test(`${line}${lines[index - 1]}`)) found.push(`${place}: who hears of this failure?`)
    }
  }
  t.strictSame(found, [])
})
