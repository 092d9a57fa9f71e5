import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { loadCustomFilter } from '../../lib/text/custom.js'
import { moduleGraph } from '../../lib/text/module-graph.js'
import { planOf } from './support.js'

/** Each form in which a module can name another one. */
const files: Readonly<Record<string, string>> = {
  'filter.mjs': `
    import words from './lib/words.mjs'
    import table from './table.json' with { type: 'json' }
    import { createRequire } from 'node:module'
    import fs from 'fs'
    import { shared } from '#shared'
    import pad from 'padding/left.js'
    export { rule } from "./lib/\\u0072ule.mjs"
    export * from './star.mjs'
    const require = createRequire(import.meta.url)
    const old = require('./old.cjs')
    const lazy = () => import('./lazy.mjs')
    const query = () => import('./query.mjs?v=1')
    const computed = (name) => import('./computed-' + name + '.mjs')
    export default () => true`,
  'lib/words.mjs': `import '../deep.mjs'; import '../filter.mjs'; export default []`,
  'lib/rule.mjs': 'export const rule = 1',
  'deep.mjs': 'export {}',
  'star.mjs': `import scoped from '@scope/name'; export const star = 1`,
  'table.json': '{}',
  'old.cjs': `const { more } = require('./folder'); module.exports = more`,
  'folder/index.js': `module.exports = { more: require("./more") }`,
  'folder/more.js': 'module.exports = 1',
  'lazy.mjs': 'export {}',
  'query.mjs': 'export {}',
  'shared.mjs': 'export const shared = 1',
  'computed-a.mjs': 'export {}',
  'not-imported.mjs': 'export {}',
  'package.json': '{ "imports": { "#shared": "./shared.mjs" } }',
  'node_modules/padding/package.json': '{ "name": "padding", "version": "1.2.3" }',
  'node_modules/padding/left.js': 'module.exports = 1',
  'node_modules/@scope/name/package.json':
    '{ "name": "@scope/name", "version": "4.5.6", "exports": { "import": "./i.js" } }',
  'node_modules/@scope/name/i.js': 'export default 1',
}

function written(root: string): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), content)
  }
  return join(root, 'filter.mjs')
}

const pinned = [
  'deep.mjs',
  'folder/index.js',
  'folder/more.js',
  'lazy.mjs',
  'lib/rule.mjs',
  'lib/words.mjs',
  'npm:@scope/name',
  'npm:padding',
  'old.cjs',
  'query.mjs',
  'shared.mjs',
  'star.mjs',
  'table.json',
]

t.test('every module that a filter imports by a literal name is found, however it is named', async (t) => {
  const graph = await moduleGraph(written(t.testdir()))
  t.strictSame(Object.keys(graph), pinned)
  t.match(graph['npm:padding'], /^1\.2\.3 [0-9a-f]{64}$/)
})

t.test('the pinned hashes change with any of these modules, and only with them', async (t) => {
  const root = t.testdir()
  const entry = written(root)
  const before = await moduleGraph(entry)
  for (const [name, content] of Object.entries(files)) {
    if (name === 'filter.mjs') continue
    writeFileSync(join(root, name), name.endsWith('.json') ? `${content} ` : `${content}\n// changed`)
    const after = await moduleGraph(entry)
    const changed = pinned.filter((key) => after[key] !== before[key])
    const key = name.replace(/^node_modules\/(.*)\/package\.json$/, 'npm:$1')
    t.strictSame(changed, pinned.includes(key) ? [key] : [], name)
    writeFileSync(join(root, name), content)
  }
  rmSync(join(root, 'deep.mjs'))
  t.notOk('deep.mjs' in (await moduleGraph(entry)), 'one that is gone is left to the loader')
})

t.test('a module that changes between the start of a run and that of a thread is named', async (t) => {
  const directory = t.testdir({ 'mine.mjs': `import './words.mjs'; export default () => true`, 'words.mjs': '' })
  const [file] = (await planOf({ filters: ['mine.mjs'] }, { directory })).filters
  t.ok(file)
  if (file === undefined) return
  t.equal((await loadCustomFilter(file)).filter({ text: '', title: '', id: '' }), true)
  writeFileSync(join(directory, 'words.mjs'), 'export const changed = 1')
  await t.rejects(loadCustomFilter(file), { code: 'KUN_CUSTOM_FILTER', message: /words\.mjs was/ })
})
