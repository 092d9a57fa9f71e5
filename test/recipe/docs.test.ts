import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { recipeFields, recipeReference } from '../../lib/recipe/index.js'
import { projectRoot } from '../support/root.js'

const file = join(projectRoot, 'docs/recipe.md')
const marks = ['<!-- fields: start -->', '<!-- fields: end -->'] as const

t.test('docs/recipe.md lists every field as the schema has it', async (t) => {
  const text = await readFile(file, 'utf8')
  const [before, rest = ''] = text.split(marks[0])
  const after = rest.split(marks[1])[1]
  const made = `${before}${marks[0]}\n${recipeReference()}\n${marks[1]}${after}`
  if (process.env.KUN_UPDATE_DOCS) await writeFile(file, made)
  else t.equal(text, made, 'build, then: KUN_UPDATE_DOCS=1 node dist/test/recipe/docs.test.js')
})

t.test('every field has a description and allowed values', async (t) => {
  const fields = recipeFields()
  t.ok(fields.length > 80, `${fields.length} fields`)
  t.strictSame(
    fields.filter(({ description, allowed }) => description === '' || allowed === '').map(({ path }) => path),
    [],
  )
  t.strictSame(new Set(fields.map(({ path }) => path)).size, fields.length, 'no field twice')
})
