import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { bench } from '../../bench/filters.js'
import type { DocumentExample } from '../../bench/filters-examples.js'
import { readLabelled } from '../../bench/filters-read.js'
import type { BenchRow } from '../../bench/types.js'
import { UsageError } from '../../lib/errors.js'
import { projectRoot } from '../support/root.js'

const prose =
  '竹子一生只开一次花。开花之后养分耗尽，整片竹林便会枯死，所以养竹的人总要提前几年移栽新鞭，让老竹和新竹错开年份。' +
  '移栽多在早春，挖起的竹鞭要带三四节，埋入土中一拃深，踩实浇透，当年就能出笋。'
const question = '竹子开花之后为什么会枯死？'
const answer = '竹子开花时把养分全部用在花和种子上，叶子停止生长，根也不再更新，所以花谢以后整株枯死。'

/** Right whatever the filters are: prose and plain replies pass, an empty reply and four letters do not. */
const lines = [
  { id: 'd1', kind: 'prose', label: 'keep', text: prose, has: ['早春'], lacks: ['盛夏'] },
  { id: 'd2', kind: 'prose', label: 'drop', text: prose },
  { id: 'd3', kind: 'short', label: 'drop', text: '太短' },
  { id: 'd4', kind: 'short', label: 'keep', text: '更短' },
  { id: 'i1', kind: 'plain', label: 'good', instruction: question },
  { id: 'i2', kind: 'plain', label: 'bad', instruction: question },
  { id: 'i3', kind: 'empty', label: 'bad', instruction: '' },
  { id: 'r1', kind: 'plain', stage: 'label', text: prose, reply: question, expect: 'row' },
  { id: 'r2', kind: 'plain', stage: 'label', text: prose, reply: question, expect: 'row', rows: ['别的问题？'] },
  { id: 'r3', kind: 'plain', stage: 'label', text: prose, reply: question, expect: 'drop' },
  { id: 'r4', kind: 'empty', stage: 'label', text: prose, reply: ' ', expect: 'row' },
  { id: 'r5', kind: 'empty', stage: 'label', text: prose, reply: ' ', expect: 'open' },
  {
    id: 'r6',
    kind: 'plain',
    stage: 'label',
    text: prose,
    reply: question,
    expect: 'row',
    rows: 'any',
    lacks: ['开花'],
  },
  { id: 'p1', kind: 'plain', stage: 'polish', text: prose, instruction: question, reply: answer, expect: 'row' },
  {
    id: 'p2',
    kind: 'cut-off',
    stage: 'polish',
    text: prose,
    instruction: question,
    reply: { text: answer, finish: 'length' },
    expect: 'drop',
  },
  { id: 's1', kind: 'word', stage: 'score', instruction: question, reply: '【好】', expect: 'row', score: [1, 1] },
  { id: 's2', kind: 'word', stage: 'score', instruction: question, reply: '【差】', expect: 'row' },
  {
    id: 's3',
    kind: 'logprobs',
    stage: 'score',
    instruction: question,
    reply: { text: '好', finish: 'length', top: { 好: -0.1, 差: -2.35 } },
    expect: 'row',
    score: [0.9, 0.91],
  },
]

/** The other known shape: an object of replies by key. */
const keyed = {
  K1: { note: 'plain', label: question, expect: `row:${question}` },
  K2: { note: 'another text', label: question, expect: 'row:竹子会开花吗？' },
  K3: { note: 'several', label: `${question}\n`, expect: 'drop or first only' },
  K4: { note: 'open', label: question, expect: '? (a matter of taste)' },
  K6: { note: 'contact', label: '怎样用邮箱 a123@example.com 注册账号？', expect: 'drop/mask' },
  K5: { note: 'no row', label: question, expect: 'drop (dangling)' },
}

async function measure(folder: string) {
  const { tables, aims } = await bench.run({ size: 'smoke', say: () => undefined, labelled: [folder] })
  const rows = (title: string) => tables.find((table) => table.title === title)?.rows ?? []
  return { rows, aims, first: (title: string) => rows(title)[0] as BenchRow }
}

t.test('examples of both formats are read, run through the filters and counted', async (t) => {
  const folder = t.testdir({
    'a.jsonl': lines.map((line) => `${JSON.stringify(line)}\n\n`).join(''),
    'b.json': JSON.stringify(keyed),
    'readme.md': 'not an example',
  })
  const { rows, first, aims } = await measure(folder)
  t.match(first('Documents: dropping, by kind'), {
    kind: 'all',
    documents: 4,
    drop: 2,
    dropped: 2,
    rightly: 1,
    wrongly: 1,
    recall: 0.5,
    precision: 0.5,
  })
  const shown = (title: string) => rows(title).map(({ id }) => id)
  t.strictSame(shown('Documents that are kept and should not be'), ['d2'])
  t.match(rows('Documents that are dropped and should not be'), [{ id: 'd4', kind: 'short', reason: 'too-short' }])
  t.match(rows('Documents: by reason'), [
    { reason: 'too-short', dropped: 2, rightly: 1, wrongly: 1, recall: 0.5, precision: 0.5 },
  ])
  t.match(first('Label replies'), { replies: 10, right: 4, wrongRows: 2, rowsWithJunk: 3, goodDropped: 1 })
  t.strictSame(shown('Label replies that are wrong'), ['r2', 'r3', 'r4', 'r6', 'b:K2', 'b:K5'])
  t.strictSame(shown('Label replies that are not counted'), ['r5', 'b:K4'])
  t.match(first('Polish replies'), { replies: 2, right: 2 })
  t.match(first('Verdicts'), { replies: 3, right: 2, goodDropped: 1 })
  t.match(first('Instructions'), { good: 1, goodDropped: 0, goodShare: 0, bad: 2, badDropped: 1, badShare: 0.5 })
  t.strictSame(shown('Instructions that are judged wrongly'), ['i2'])
  t.strictSame(
    aims.map(({ figure }) => figure),
    [0.5, 0.5, 4 / 10, 1, 2 / 3, 0, 0.5],
  )
})

t.test('a text that is cut wrongly is listed with the part that is gone or left', async (t) => {
  const example = { id: 'd1', kind: 'prose', label: 'keep', text: prose, has: ['盛夏'], lacks: ['早春'] }
  const { rows } = await measure(t.testdir({ 'a.jsonl': JSON.stringify(example) }))
  t.match(rows('Documents whose text is cut wrongly'), [{ id: 'd1', lost: '盛夏', left: '早春', keptShare: 1 }])
})

t.test('a file that cannot be read or has another shape is refused with its place', async (t) => {
  const folder = t.testdir()
  const refused = async (path: string, message: RegExp) => {
    const found = await bench.run({ size: 'smoke', say: () => undefined, labelled: [path] }).catch((error) => error)
    t.ok(found instanceof UsageError, path)
    t.match(String(found), message)
  }
  await refused(join(folder, 'absent.jsonl'), /cannot read --labelled .*absent\.jsonl/)
  await refused(folder, /has no \*\.jsonl or \*\.json file/)
  await writeFile(join(folder, 'a.jsonl'), `${JSON.stringify(lines[0])}\n{"kind":"x","label":"maybe","text":"甲"}\n`)
  await refused(join(folder, 'a.jsonl'), /a\.jsonl:2 is not a labelled example: .*label/)
  await writeFile(join(folder, 'empty.jsonl'), '\n\n')
  await refused(join(folder, 'empty.jsonl'), /no example in --labelled .*empty\.jsonl/)
  await writeFile(join(folder, 'b.jsonl'), 'no JSON')
  await refused(join(folder, 'b.jsonl'), /b\.jsonl:1 is not a labelled example/)
  await mkdir(join(folder, 'c'))
  await writeFile(join(folder, 'c', 'c.json'), '{"K":{"note":"x"}}')
  await refused(join(folder, 'c'), /c\.json is not a labelled example/)
})

t.test('the examples of the repository are many, of many kinds, and none is there twice', async (t) => {
  const examples = await readLabelled([join(projectRoot, 'fixtures', 'labelled')])
  const documents = examples.filter((example): example is DocumentExample => example.of === 'document')
  const labelled = (label: string) => documents.filter((document) => document.label === label)
  t.ok(labelled('keep').length >= 150, `${labelled('keep').length} documents to keep`)
  t.ok(labelled('drop').length >= 150, `${labelled('drop').length} documents to drop`)
  t.ok(new Set(documents.map(({ kind }) => kind)).size >= 50, 'kinds of documents')
  t.equal(new Set(documents.map(({ text }) => text)).size, documents.length)
  for (const [of, least] of [
    ['instruction', 100],
    ['label', 80],
    ['polish', 60],
    ['score', 40],
  ] as const) {
    const count = examples.filter((example) => example.of === of).length
    t.ok(count >= least, `${count} of ${of}`)
  }
  t.equal(new Set(examples.map(({ id }) => id)).size, examples.length)
  for (const { id, text, has } of documents) for (const part of has) t.ok(text.includes(part), id)
})

/** Figures under which a change of a filter or check is a step back. Raise them when the filters become better. */
const bounds: Readonly<Record<string, number>> = {
  'documents: recall of dropping': 0.72,
  'documents: precision of dropping': 0.95,
  'label replies: share that is right': 0.95,
  'polish replies: share that is right': 0.95,
  'verdicts: share that is right': 0.95,
  'instructions: share of good ones dropped': 0.02,
  'instructions: share of bad ones caught': 0.95,
}

t.test('the filters do not become worse on the examples of the repository', async (t) => {
  const { aims } = await bench.run({ size: 'smoke', say: () => undefined })
  t.strictSame(
    aims.map(({ what }) => what),
    Object.keys(bounds),
  )
  for (const { what, figure } of aims) {
    const bound = bounds[what] as number
    t.ok(what.includes('good ones dropped') ? figure <= bound : figure >= bound, `${what}: ${figure}, bound ${bound}`)
  }
})

t.test('documents that the classifier is not trained on are dropped and kept rightly', async (t) => {
  const labelled = [join(projectRoot, 'fixtures', 'held-out')]
  const { aims } = await bench.run({ size: 'smoke', say: () => undefined, labelled })
  const [recall = 0, precision = 0] = aims.map(({ figure }) => figure)
  t.ok(recall >= 0.85, `recall ${recall}`)
  t.ok(precision >= 0.93, `precision ${precision}`)
})
