/** Runs whose recipes have optional stages: the account, the columns and the bytes follow the recipe. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { AbortedError } from '../../lib/errors.js'
import type { Phase } from '../../lib/kun/stage-ranks.js'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import type { Counters } from '../../lib/run/accounting.js'
import { verifyDirectory } from '../../lib/run/verify.js'
import { type SimulatorOptions, startSimulator } from '../../lib/simulator/vllm/index.js'
import { bytesOf, runTiny, startTiny, type TinyRun } from '../support/session.js'

const screened = ['kun.screen={model: judge, keepAtLeast: 0.9}']

async function serverFor(t: Test, options: Partial<SimulatorOptions> = {}) {
  const server = await startSimulator(options)
  t.teardown(() => server.close())
  return server
}

type Cells = Readonly<Record<string, unknown>>

/** All rows of a folder of a run, by file name. */
async function rowsIn(directory: string, folder: 'data' | 'rejects'): Promise<Cells[]> {
  const rows: Cells[] = []
  for (const name of readdirSync(join(directory, folder)).sort()) {
    const part = await openPart(join(directory, folder, name))
    for await (const row of rowsOf(part)) rows.push(row)
    await part.close()
  }
  return rows
}

function countersOf(directory: string): Counters {
  return (JSON.parse(readFileSync(join(directory, 'stats.json'), 'utf8')) as { splits: Counters }).splits
}

t.test('a screen drops chunks before an instruction is written for them, and counts them as chunks', async (t) => {
  const server = await serverFor(t)
  const directory = join(t.testdir(), 'run')
  t.equal(await runTiny({ directory, endpoint: server.url, set: screened }), 'input')
  const own = countersOf(directory).skypile
  const { screen, label, dedup } = own?.stages ?? {}
  t.ok(screen && label && dedup && screen.in === dedup.out, 'every chunk that is no duplicate is graded')
  const low = screen?.dropped['screen-low'] ?? 0
  t.ok(low > 5 && (screen?.out ?? 0) > 20, `${low} of ${screen?.in} are dropped`)
  t.equal(own?.chunkRejects.screen?.['screen-low'], low)
  t.equal(own?.candidates, screen?.out)
  t.equal(label?.in, 2 * (screen?.out ?? 0), 'two variants of each of the others')
  for (const row of await rowsIn(directory, 'data')) {
    if (!((row.screen as number) >= 0.9)) t.fail(`a row has the grade ${row.screen}`)
  }
  const rejects = (await rowsIn(directory, 'rejects')).filter(({ stage }) => stage === 'screen')
  t.match(rejects[0], { reason: 'screen-low', variant: -1, detail: /^0\.\d+ < 0\.9 \(logprob\)$/ })
  t.match(await verifyDirectory(directory), { findings: [] })
})

t.test('without the option a run has neither the stage nor its column', async (t) => {
  const server = await serverFor(t)
  const directory = join(t.testdir(), 'run')
  await runTiny({ directory, endpoint: server.url, small: true })
  t.notOk(Object.hasOwn((await rowsIn(directory, 'data'))[0] ?? {}, 'screen'))
  t.notOk(Object.hasOwn(countersOf(directory).skypile?.stages ?? {}, 'screen'))
})

/** Runs the recipe in one go, and again with other requests in flight, stops and phases; compares the bytes. */
async function sameBytes(t: Test, set: readonly string[], phases: readonly Phase[]) {
  const root = t.testdir()
  const slow = await serverFor(t, { preset: 'delay', latencyMs: { min: 0, max: 40 } })
  const run = (name: string, inFlight: number): TinyRun => ({
    directory: join(root, name),
    endpoint: slow.url,
    set: [...set, `models.writer.inFlightMax=${inFlight}`, `models.judge.inFlightMax=${inFlight}`],
    small: true,
  })
  await runTiny(run('wide', 64))
  const expected = bytesOf(join(root, 'wide'))
  t.ok(Object.keys(expected).length > 10, `${Object.keys(expected).length} files`)

  await runTiny({ ...run('narrow', 1), endpoint: (await serverFor(t)).url })
  t.strictSame(bytesOf(join(root, 'narrow')), expected, '1 in flight')

  for (const through of phases) await runTiny({ ...run('phases', 64), session: { through } })
  await runTiny(run('phases', 64))
  t.strictSame(bytesOf(join(root, 'phases')), expected, `in phases: ${phases.join(', ')}`)

  for (let stops = 0; stops < 3; stops++) {
    let reached = (): void => {}
    const cut = new Promise<void>((resolve) => {
      reached = resolve
    })
    const onStep = (step: string, when: string): void => {
      if (step === 'manifest-fsync' && when === 'after') reached()
    }
    const started = await startTiny({ ...run('stopped', 64), session: { onStep } })
    await Promise.race([cut, started.done])
    started.abort(new AbortedError('at once'))
    await t.rejects(started.done, { code: 'KUN_ABORTED' })
  }
  // All is spilled that waits for an earlier record.
  await runTiny({ ...run('stopped', 64), set: [...(run('stopped', 64).set ?? []), 'memory.reorderBytesMax=0'] })
  t.strictSame(bytesOf(join(root, 'stopped')), expected, 'stopped three times, and resumed with every record spilled')
}

const graph = [
  'kun.label.variants=3',
  'kun.screen={model: judge, keepAtLeast: 0.6}',
  'kun.pair={model: judge, followsAtLeast: 0.6}',
  'kun.perplexity={model: judge, keepAtMost: 15}',
  'kun.ifd={model: writer, keepAtMost: 0.995, keepAtLeast: 0.98, answerPerplexityMax: 15}',
  `kun.columns=${JSON.stringify([
    {
      name: 'domain',
      after: 'screen',
      model: 'judge',
      prompt: { text: '这段文字属于哪个领域？\n{text}' },
      type: 'enum',
      values: ['科学', '历史', '生活', '其他'],
      keepIf: { notIn: ['其他'] },
    },
    {
      name: 'difficulty',
      after: 'label',
      model: 'judge',
      prompt: { text: '领域是{domain}。这条指令有多难？\n{instruction}' },
      type: 'number',
      min: 1,
      max: 5,
      keepIf: { min: 2 },
    },
    {
      name: 'notes',
      after: 'pair',
      model: 'writer',
      prompt: { text: '难度 {difficulty}。评论这个回答。\n{output}' },
      type: 'json',
    },
  ])}`,
]

t.test('columns of a recipe are stages: typed cells, bounds, an exact account', async (t) => {
  const server = await serverFor(t)
  const root = t.testdir()
  const directory = join(root, 'run')
  await runTiny({ directory, endpoint: server.url, set: graph })
  t.match(await verifyDirectory(directory), { findings: [] })
  const { stages } = countersOf(directory).skypile as Counters[string]
  const order = [
    'dedup',
    'perplexity',
    'screen',
    'domain',
    'label',
    'difficulty',
    'score',
    'polish',
    'pair',
    'notes',
    'ifd',
  ]
  for (const [index, name] of order.entries()) {
    const before = stages[order[index - 1] ?? 'chunks']
    const factor = name === 'label' ? 3 : 1
    t.equal(stages[name]?.in, factor * (before?.out ?? 0), `${name} has what the stage before it let through`)
  }
  t.ok((stages.domain?.dropped['column-value'] ?? 0) > 5 && (stages.difficulty?.dropped['column-low'] ?? 0) > 5)
  t.ok((stages.pair?.dropped['pair-low'] ?? 0) > 0)
  t.ok((stages.perplexity?.dropped['perplexity-high'] ?? 0) > 0)
  const ifdReasons = ['ifd-low', 'ifd-high', 'answer-perplexity-high']
  t.strictSame(Object.keys(stages.ifd?.dropped ?? {}).sort(), ifdReasons.sort())
  const rows = await rowsIn(directory, 'data')
  t.ok(rows.length > 20, `${rows.length} rows`)
  for (const row of rows) {
    const { domain, difficulty, notes, pair_answers, pair_follows, support, copied, length_ratio } = row
    const { perplexity, ifd, answer_perplexity } = row as Readonly<
      Record<'perplexity' | 'ifd' | 'answer_perplexity', number>
    >
    const isMeasured = perplexity <= 15 && ifd <= 0.995 && ifd >= 0.98 && answer_perplexity <= 15
    const isTyped = domain !== '其他' && typeof domain === 'string' && (difficulty as number) >= 2
    const isGraded = (pair_answers as number) >= 0.5 && (pair_follows as number) >= 0.6
    const isCompared = [support, copied, length_ratio].every((share) => typeof share === 'number')
    if (!isTyped || !isGraded || !isCompared || !isMeasured || !('drawn' in JSON.parse(notes as string)))
      t.fail(String(notes))
  }
  const names = Object.keys(rows[0] ?? {})
  t.strictSame(names.slice(names.indexOf('raw') + 1), [
    ...['perplexity', 'screen', 'domain', 'kind', 'route', 'difficulty', 'score', 'score_kind', 'score_mass'],
    ...['support', 'support_facts', 'copied', 'length_ratio', 'pair_answers', 'pair_follows', 'notes'],
    ...['ifd', 'answer_perplexity'],
    ...['model', 'prompt_version'],
  ])

  const plain = join(root, 'plain')
  await runTiny({ directory: plain, endpoint: server.url, set: ['kun.label.variants=3'] })
  const byId = new Map((await rowsIn(plain, 'data')).map((row) => [row.id, row]))
  const twins = rows.filter(({ id }) => byId.has(id))
  t.equal(twins.length, rows.length, 'every row has the id that it has without the stages')
  t.ok(
    twins.every(({ id, instruction, output }) => {
      const other = byId.get(id)
      return other?.instruction === instruction && other?.output === output
    }),
    'and the same pair',
  )
})

t.test('three variants, a screen, grades and columns give the same bytes in one go, in phases and after stops', (t) =>
  sameBytes(t, graph, ['perplexity', 'screen', 'label', 'polish', 'ifd']),
)

const lists = [
  'kun.label.severalInstructions=variants',
  'kun.label.severalInstructionsMax=3',
  `kun.label.prompt=${JSON.stringify({ text: '为下面的文字写出4条指令，每行一条。\n【文本】\n{text}\n【/文本】' })}`,
]

t.test('each instruction of a reply is a variant: the account is exact, the first ones keep their ids', async (t) => {
  const server = await serverFor(t)
  const root = t.testdir()
  const [first, several] = [join(root, 'first'), join(root, 'several')]
  await runTiny({
    directory: first,
    endpoint: server.url,
    set: [...lists.slice(2), 'kun.label.variants=2'],
    small: true,
  })
  await runTiny({ directory: several, endpoint: server.url, set: [...lists, 'kun.label.variants=2'], small: true })
  t.match(await verifyDirectory(several), { findings: [] })

  const own = countersOf(several).skypile as Counters[string]
  const surplus = own.stages.label?.dropped['surplus-instructions'] ?? 0
  t.ok(surplus > 20, `${surplus} replies with a fourth instruction`)
  t.equal(
    own.attempts,
    own.rows +
      Object.values(own.attemptRejects)
        .flatMap(Object.values)
        .reduce((a, b) => a + b, 0),
  )
  t.ok(own.attempts >= 4 * surplus && own.attempts <= 8 * own.candidates, 'three instructions of a reply, and the rest')
  t.ok(own.rows > 1.5 * ((countersOf(first).skypile as Counters[string]).rows ?? 0), `${own.rows} rows`)

  const rows = await rowsIn(several, 'data')
  const rejects = (await rowsIn(several, 'rejects')).filter(({ variant }) => (variant as number) >= 0)
  const ids = [...rows, ...rejects].map(({ id }) => id)
  t.equal(new Set(ids).size, ids.length, 'no id twice')
  t.ok(rows.some(({ variant }) => (variant as number) > 1))
  const byId = new Map([...rows, ...rejects].map((row) => [row.id, row]))
  // A reply whose first instruction is faulty is requested again only where that one alone counts.
  const firstRows = await rowsIn(first, 'data')
  t.ok(firstRows.every(({ id, variant }) => byId.get(id)?.variant === variant))
  const same = firstRows.filter(({ id, instruction }) => byId.get(id)?.instruction === instruction).length
  t.ok(same > 0.8 * firstRows.length, `${same} of ${firstRows.length} pairs are equal`)
  const dropped = rejects.find(({ reason }) => reason === 'surplus-instructions')
  t.match(dropped, { stage: 'label', detail: '1 beyond the first 3' })
})

t.test('several instructions of a reply give the same bytes in one go, in phases and after stops', (t) =>
  sameBytes(t, lists, ['label', 'polish']),
)
