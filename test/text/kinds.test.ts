import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type DocumentExample, exampleOf } from '../../bench/filters-examples.js'
import { parseRecipe } from '../../lib/recipe/index.js'
import { boundsOf } from '../../lib/sources/presets.js'
import { kindBounds, textKinds } from '../../lib/text/filters/kinds.js'
import { planPreparation, prepareOptions } from '../../lib/text/plan.js'
import { createPreparer, prepareBlock } from '../../lib/text/prepare.js'
import type { QualityOptions } from '../../lib/text/quality-options.js'
import { projectRoot } from '../support/root.js'

const examples = readFileSync(join(projectRoot, 'fixtures/labelled/source-kinds.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line, index) => exampleOf(JSON.parse(line), `${index}`, '') as DocumentExample)
const plan = await planPreparation(prepareOptions.parse({}), '.', { ngram: 5, signatureLength: 64, seed: 1 })
const preparer = await createPreparer(plan)

/** Ids of the documents that are dropped. */
function dropped(documents: readonly DocumentExample[], quality?: Partial<QualityOptions>): string[] {
  const lines = documents.map(({ id, title, text }) => JSON.stringify({ id, title, text }))
  const { rejects } = prepareBlock(
    {
      ...{ number: 0, split: 'a', shard: 'a.jsonl', offset: 0, offsetUnit: 'byte', rejected: [] },
      ...{ bytes: Buffer.from(lines.join('\n')), mapping: { text: 'text', id: 'id', ...(quality && { quality }) } },
    },
    preparer,
  )
  return rejects.filter(({ chunk }) => chunk === null).map(({ key }) => key)
}

const of = (kind: string | undefined, label: string) =>
  examples.filter((example) => example.source === kind && example.label === label)
const ids = (documents: readonly DocumentExample[]) => documents.map(({ id }) => id)

t.test('each bound of a kind keeps a good text of it, and no page around such texts', (t) => {
  for (const kind of textKinds.filter((each) => each !== 'web')) {
    const bounds = kindBounds[kind]
    t.strictSame(dropped(of(kind, 'keep'), bounds), [], kind)
    t.strictSame(dropped(of(kind, 'drop'), bounds), ids(of(kind, 'drop')), kind)
    t.ok(of(kind, 'drop').length >= 1 && of(kind, 'keep').length >= 2, kind)
    for (const name of Object.keys(bounds) as (keyof QualityOptions)[]) {
      const { [name]: _without, ...others } = bounds
      t.not(dropped(of(kind, 'keep'), others).length, 0, `${kind} needs ${name}`)
    }
  }
  t.end()
})

t.test('laws and poems need no kind', (t) => {
  t.ok(of(undefined, 'keep').length >= 8)
  t.strictSame(dropped(of(undefined, 'keep')), [])
  t.strictSame(dropped(of(undefined, 'drop')), ids(of(undefined, 'drop')))
  t.end()
})

t.test('bounds are those of one block: the next block has its own', (t) => {
  const [example] = of('patent', 'keep').filter(({ id }) => dropped(of('patent', 'keep')).includes(id))
  t.ok(example)
  const documents = example === undefined ? [] : [example]
  t.strictSame(
    [dropped(documents).length, dropped(documents, kindBounds.patent).length, dropped(documents).length],
    [1, 0, 1],
  )
  t.end()
})

t.test('a source overrides the bounds of its kind, and the preset wikipedia has one', (t) => {
  t.strictSame(boundsOf('wanjuan', undefined), undefined)
  t.strictSame(boundsOf('wikipedia', undefined), kindBounds.encyclopedia)
  t.strictSame(boundsOf('wikipedia', 'web'), undefined)
  t.strictSame(boundsOf(undefined, 'patent', { digitShareMax: 0.2 }), { ...kindBounds.patent, digitShareMax: 0.2 })
  const recipe = (source: string) =>
    parseRecipe(
      `name: a\nsources: [{ split: s, preset: wanjuan, files: a, ${source} }]\nmodels: { m: { endpoints: [builtin] } }\nkun: { label: { model: m } }\noutput: { dir: a }`,
      'a.yaml',
    ).sources[0]
  t.match(recipe('kind: exam, quality: { digitShareMax: false }'), { kind: 'exam', quality: { digitShareMax: false } })
  t.strictSame(Object.keys(recipe('quality: {}')?.quality ?? {}), [], 'without defaults')
  t.throws(() => recipe('kind: exams'), { message: /did you mean exam\?/ })
  t.throws(() => recipe('quality: { digitShareMax: 2 }'), { code: 'KUN_RECIPE' })
  t.end()
})
