import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parseRecipe } from '../../lib/recipe/index.js'
import { proposePreset } from '../../lib/sources/preset-proposal.js'
import { type FieldOptions, mappingOf, presetNames, presets } from '../../lib/sources/presets.js'
import { textAt } from '../../lib/text/columns.js'
import { planPreparation, prepareOptions } from '../../lib/text/plan.js'
import { createPreparer, prepareBlock } from '../../lib/text/prepare.js'
import { projectRoot } from '../support/root.js'

const folder = join(projectRoot, 'fixtures/presets')
const plan = await planPreparation(prepareOptions.parse({}), '.', { ngram: 5, signatureLength: 64, seed: 1 })
const preparer = await createPreparer(plan)

function prepare(bytes: Buffer, options: FieldOptions) {
  return prepareBlock(
    {
      ...{ number: 0, split: 'a', shard: 'a.jsonl', offset: 0, offsetUnit: 'byte', rejected: [] },
      ...{ bytes, mapping: mappingOf(options) },
    },
    preparer,
  )
}

t.test('each preset reads the text, the id and the title of a record of its corpus', async (t) => {
  t.strictSame(
    (await readdir(folder)).sort(),
    presetNames.map((name) => `${name}.jsonl`).sort(),
    'a fixture for each preset, and no other',
  )
  for (const preset of presetNames) {
    const bytes = await readFile(join(folder, `${preset}.jsonl`))
    const records = bytes
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>)
    const { chunks, rejects, documents } = prepare(bytes, { preset })
    t.strictSame([documents, chunks.document.length, rejects], [records.length, records.length, []], preset)
    const { text, id, title } = presets[preset]
    for (const [row, record] of records.entries()) {
      const expected = record[text] ?? `${record.q_main}\nA. ${record.option_a}`
      t.ok(textAt(chunks.text, row).startsWith(expected.slice(0, 20)), `${preset}: text`)
      t.equal(textAt(chunks.key, row), id === undefined ? '' : record[id], `${preset}: id`)
      t.equal(textAt(chunks.title, row), title === undefined ? '' : record[title], `${preset}: title`)
    }
  }
})

t.test('each preset is proposed for a record of its corpus under its usual name', async (t) => {
  for (const preset of presetNames) {
    const [first = ''] = (await readFile(join(folder, `${preset}.jsonl`), 'utf8')).split('\n')
    t.equal(proposePreset([JSON.parse(first)], [`data/${preset}/part-0.jsonl`]), preset)
  }
  t.equal(proposePreset([{ text: '一' }], ['notes.jsonl']), null)
})

t.test('a field that the recipe states replaces that of the preset', (t) => {
  t.strictSame(mappingOf({ preset: 'wikipedia', text: 'body' }), { text: 'body', id: 'id', title: 'title' })
  const sources = presetNames.map((preset) => `{ split: s, name: ${preset}, preset: ${preset}, files: a }`)
  const recipe = `name: a\nsources: [${sources.join(', ')}]\nmodels: { m: { endpoints: builtin } }\nkun: { label: { model: m } }\noutput: { dir: a }`
  t.equal(parseRecipe(recipe.replace('builtin', '[builtin]'), 'a.yaml').sources.length, presetNames.length)
  t.end()
})

t.test('a wrong preset is rejected with the fields that the records have', async (t) => {
  const { rejects } = prepare(await readFile(join(folder, 'telechat-ptd.jsonl')), { preset: 'ultra-fineweb' })
  t.match(rejects[0], { reason: 'no-text', detail: 'field "content" is missing; fields: "data"' })
})

t.test('docs/sources.md lists every preset with its fields', (t) => {
  const rows = readFileSync(join(projectRoot, 'docs/sources.md'), 'utf8').matchAll(/^\| `([\w-]+)` \|(.+)\|$/gm)
  const listed = [...rows].map(([, name, cells = '']) => {
    const [, text, id, title, from] = cells.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('`', ''))
    t.ok((from ?? '').length > 5, `${name}: where the names come from`)
    return [name, text, id, title]
  })
  t.strictSame(
    listed,
    presetNames.map((name) => [name, presets[name].text, presets[name].id ?? '', presets[name].title ?? '']),
  )
  t.end()
})
