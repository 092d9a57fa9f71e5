import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import t from 'tap'
import { parse } from 'yaml'
import { recipeFields } from '../../lib/recipe/index.js'
import { recipeJsonSchema } from '../../lib/recipe/json-schema.js'
import { parseRecipe } from '../../lib/recipe/load.js'
import { projectRoot } from '../support/root.js'

const schema = recipeJsonSchema()
const validate = new Ajv({ strict: false, allErrors: true, formats: { uri: true } }).compile(schema)
const base = () => parse(readFileSync(join(projectRoot, 'recipes/demo.yaml'), 'utf8')) as Record<string, object>

t.test('recipes/recipe.schema.json is the schema of this version', async (t) => {
  const file = join(projectRoot, 'recipes/recipe.schema.json')
  const text = `${JSON.stringify(schema, null, 2)}\n`
  if (process.env.KUN_UPDATE_DOCS) writeFileSync(file, text)
  else
    t.strictSame(
      JSON.parse(readFileSync(file, 'utf8')),
      schema,
      'build, then: KUN_UPDATE_DOCS=1 node dist/test/recipe/json-schema.test.js',
    )
})

t.test('every packaged recipe is valid and names the schema in its first line', async (t) => {
  const recipes = readdirSync(join(projectRoot, 'recipes')).filter((name) => name.endsWith('.yaml'))
  t.ok(recipes.length >= 3)
  for (const name of recipes) {
    const text = readFileSync(join(projectRoot, 'recipes', name), 'utf8')
    t.ok(text.startsWith('# yaml-language-server: $schema=recipe.schema.json\n'), name)
    t.ok(validate(parse(text)), `${name}: ${JSON.stringify(validate.errors)}`)
  }
})

t.test('the loader and the schema agree: short forms, units, nulls, presets, and what is wrong', async (t) => {
  const changes: readonly (readonly [string, object, boolean])[] = [
    ['one file in place of a list', { sources: [{ split: 'a', text: 'b', files: 'c.jsonl' }] }, true],
    ['a list of files', { sources: [{ split: 'a', text: 'b', files: ['c.jsonl', '!d*'] }] }, true],
    ['a run without files', { sources: [{ split: 'a', run: 'out/x' }] }, true],
    ['no files and no run', { sources: [{ split: 'a', text: 'b' }] }, false],
    ['replies: discard', { replies: 'discard' }, true],
    ['replies: burn', { replies: 'burn' }, false],
    ['a size with a unit', { read: { blockBytes: '2MiB' } }, true],
    ['a size as a number', { read: { blockBytes: 2097152 } }, true],
    ['a size with a blank', { read: { blockBytes: '1.5 MiB' } }, true],
    ['a size in an unknown unit', { read: { blockBytes: '2Mb' } }, false],
    ['a duration', { hub: { idleMs: '2min' } }, true],
    ['a size as a duration', { hub: { idleMs: '2MiB' } }, false],
    ['a section without a value', { limits: null }, true],
    ['brakes: false', { brakes: false }, true],
    ['brakes: true', { brakes: true }, false],
    ['an unknown key', { wrokers: {} }, false],
    ['an unknown key inside', { prepare: { chunk: { tokenMax: 12 } } }, false],
    ['a filter that is off', { prepare: { quality: { charsMin: false } } }, true],
    ['a number too large', { read: { shardsOpenMax: 65 } }, false],
    ['a model with a name that is not allowed', { models: { 'a b': { endpoints: ['builtin'] } } }, false],
  ]
  for (const [what, change, valid] of changes) {
    const recipe = { ...base(), ...change }
    t.equal(validate(recipe), valid, `${what}, by the schema: ${JSON.stringify(validate.errors)}`)
    const load = () => parseRecipe(JSON.stringify(recipe), 'x.yaml')
    if (valid) t.doesNotThrow(load, `${what}, by the loader`)
    else t.throws(load, { code: 'KUN_RECIPE' }, `${what}, by the loader`)
  }
})

t.test(
  'every field with a description has it in the schema, with its allowed values where it has a unit',
  async (t) => {
    const text = JSON.stringify(schema)
    const fields = recipeFields()
    for (const { path, description } of fields) {
      t.ok(text.includes(JSON.stringify(description).slice(1, -1)), path)
    }
    t.match(text, /a size such as 64MiB from 1B to 256MiB/)
    t.notMatch(text, /altersOutput|"allowed"|"unit"/, 'no metadata of our own')
  },
)
