import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { RecordTrace } from '../../../lib/run/trace/trace.js'
import { startSimulator } from '../../../lib/simulator/vllm/index.js'
import { command } from '../../support/commands.js'
import { runTiny, tinyRecipe } from '../../support/session.js'

const kunStream = (...args: string[]) => command('bin/kun-stream.js', args, { NO_COLOR: '1' }).ended
const bodiesOf = (bodies: readonly string[]) => new Set(bodies.map((body) => JSON.stringify(JSON.parse(body))))

interface Explained {
  readonly outcome: {
    readonly cut: number | null
    readonly rows: readonly { readonly id: string; readonly output: string }[]
  }
  readonly trace: RecordTrace
}

t.test('explain repeats the way of a row and of rejects from the replies; preview shows what is sent', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir()
  const directory = join(root, 'run')
  const recipe = join(root, 'recipe.yaml')
  writeFileSync(recipe, tinyRecipe(server.url, true))

  const previewed = await kunStream('preview', recipe, '--out', directory, '--record', '2', '--json')
  t.equal(previewed.code, 0, previewed.err)
  t.equal(server.requests().length, 0, 'nothing was sent')
  const preview = JSON.parse(previewed.out) as RecordTrace
  const stages = preview.chunks.flatMap((chunk) => chunk.stages.map(({ stage }) => stage))
  t.strictSame([...new Set(stages)], ['label', 'score', 'polish'])

  await runTiny({ directory, endpoint: server.url, small: true })
  const sent = bodiesOf(server.requests().map(({ body }) => body))
  const labels = preview.chunks.flatMap((chunk) => chunk.stages).filter(({ stage }) => stage === 'label')
  for (const { requests } of labels) {
    for (const { body } of requests) t.ok(sent.has(JSON.stringify(body)), 'the run sent the body of the preview')
  }

  const rows = (await kunStream('tail', directory, '--json', '-n', '1')).out
  const row = JSON.parse(rows) as { id: string; output: string; instruction: string; shard: string; offset: number }
  const explained = await kunStream('explain', directory, row.id, '--json')
  t.equal(explained.code, 0, explained.err)
  const { outcome, trace } = JSON.parse(explained.out) as Explained
  t.ok(outcome.rows.some(({ id }) => id === row.id))
  const own = trace.chunks.flatMap((chunk) => chunk.stages).filter(({ id }) => id === row.id)
  t.match(own.at(-1), { stage: 'polish', outcome: 'kept', instruction: row.instruction, output: row.output })
  for (const { body, reply } of own.flatMap(({ requests }) => requests)) {
    t.ok(sent.has(JSON.stringify(body)), 'the request was sent')
    t.ok(reply)
  }

  const rejects = await kunStream('tail', directory, '--rejects', '--json', '-n', '40')
  const dropped = rejects.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  for (const stage of ['score', 'dedup', 'decode']) {
    const reject = dropped.find((each) => each.stage === stage)
    if (reject === undefined) continue
    const text = await kunStream('explain', directory, reject.id)
    t.match(text, { code: 0 }, text.err)
    t.match(text.out, new RegExp(`In the dataset, cut \\d+:\n.*reject ${reject.id}\n${stage}/${reject.reason}`, 's'))
    if (stage === 'score') t.match(text.out, new RegExp(`  dropped as ${reject.reason}\n`))
  }
  t.match(await kunStream('explain', directory, `${row.shard}:${row.offset}`), { code: 0, out: new RegExp(row.id) })
  t.match(await kunStream('explain', directory, 'f'.repeat(32)), {
    code: 2,
    err: /has no row or reject with the id f+/,
  })
  t.match(await kunStream('preview', recipe, '--record', '100000'), { code: 2, err: /the input has fewer records/ })
  t.match(await kunStream('preview', recipe, '--at', 'nowhere:3'), { code: 2, err: /no shard has this name/ })
})
