/** The recipe page in Chinese; the language is set before anything that has messages is loaded. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { projectRoot } from '../support/root.js'

process.env.KUN_STREAM_LANG = 'zh'
const { recipeFields, recipeReference } = await import('../../lib/recipe/index.js')

const file = join(projectRoot, 'docs/recipe.zh.md')
const marks = ['<!-- fields: start -->', '<!-- fields: end -->'] as const

t.test('docs/recipe.zh.md lists every field as the schema has it', async (t) => {
  const text = await readFile(file, 'utf8')
  const [before, rest = ''] = text.split(marks[0])
  const after = rest.split(marks[1])[1]
  const made = `${before}${marks[0]}\n${recipeReference()}\n${marks[1]}${after}`
  if (process.env.KUN_UPDATE_DOCS) await writeFile(file, made)
  else t.equal(text, made, 'build, then: KUN_UPDATE_DOCS=1 node dist/test/recipe/docs-zh.test.js')
})

t.test('every meaning and every allowed value in words is Chinese', async (t) => {
  const rows = recipeReference()
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  t.equal(rows.length, recipeFields().length)
  const prose = /(?<![-\w./<[{])(?:[a-z]{2,} ){3,}[a-z]{2,}/
  t.strictSame(
    rows.filter((row) => !/\p{Script=Han}/u.test(row.split(/(?<!\\)\|/)[2] ?? '') || prose.test(row)),
    [],
  )
})
