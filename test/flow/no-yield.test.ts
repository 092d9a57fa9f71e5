import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Simulator, startSimulator } from '../../lib/simulator/vllm/index.js'
import { readManifest } from '../../lib/sinks/index.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { bytesOn, differing, documents, type MiniRun, runMini } from '../fault/mini-run.js'
import { command } from '../support/commands.js'

t.setTimeout(600_000)

const root = t.testdir()
const input = join(root, 'documents.jsonl')
writeFileSync(input, documents(24).join('\n'))
const wrong = join(root, 'wrong.jsonl')
writeFileSync(wrong, Array.from({ length: 60 }, (_, n) => JSON.stringify({ id: n, content: `第${n}篇` })).join('\n'))

let server: Simulator
t.before(async () => {
  server = await startSimulator({})
})
t.teardown(() => server.close())

let runs = 0
/** A directory of its own each. */
const mini = (set: readonly string[] = [], more: Partial<MiniRun> = {}): MiniRun => ({
  directory: join(root, `run-${runs++}`),
  endpoint: server.url,
  input,
  set,
  ...more,
})

t.test('a wrong text field stops the run at its first records, and names the fields that are there', async (t) => {
  const run = mini(['brakes.sameEndingRecords=20'], { input: wrong })
  const words =
    /^The first 20 records of the run all ended as no-text \(.*text.*content.*\)\. Name the field of the text/
  await t.rejects(runMini(run), { code: 'KUN_NO_YIELD', exitCode: 3, message: words })
  t.equal(existsSync(join(run.directory, 'stats.json')), false, 'it is not done')
  await t.rejects(runMini(run), { code: 'KUN_NO_YIELD', message: words }, 'nor is it when it is run again')
  const on = { ...run, set: ['brakes.sameEndingRecords=false'] }
  t.equal(await runMini(on), 'input', 'it continues if the recipe allows it')
  const through = mini(['brakes.sameEndingRecords=false'], { input: wrong })
  await runMini(through)
  const bytes = [await bytesOn(nodeFiles, run.directory), await bytesOn(nodeFiles, through.directory)] as const
  t.strictSame(differing(...bytes), [], 'to the bytes of a run that was never stopped')
})

t.test('fewer records than that, all unreadable: not done with 0 rows, but an error that says why', async (t) => {
  for (const brakes of ['brakes.sameEndingRecords=200', 'brakes=false']) {
    const run = mini([brakes], { input: wrong })
    const message = /^The run has no rows: all 60 records that reached 'documents' ended as no-text.*fields.*content/
    await t.rejects(runMini(run), { code: 'KUN_NO_YIELD', exitCode: 3, message })
    t.ok((await readManifest(run.directory)).length > 0, 'the rejects are there to be looked at')
    await t.rejects(runMini(run), { code: 'KUN_NO_YIELD' }, 'also when it is run again')
  }
})

t.test('a context too short for every prompt stops the run, in a phase as well', async (t) => {
  const short = await startSimulator({ contextTokensMax: 64 })
  t.teardown(() => short.close())
  const message = /'label' .*context-length.*Lower `prepare\.chunk\.tokensMax`/
  for (const through of [undefined, 'label'] as const) {
    const run = mini([], { endpoint: short.url })
    await t.rejects(runMini(run, { through }), { code: 'KUN_NO_YIELD', exitCode: 3, message }, through ?? 'all')
  }
  const run = mini(['brakes.sameEndingRecords=20', 'kun.label.variants=2'], { endpoint: short.url })
  await t.rejects(runMini(run), {
    code: 'KUN_NO_YIELD',
    message: /The first 20 records of the run that reached 'label'/,
  })
})

t.test(
  'a split with a wrong field among good ones stops the run, and the committed rows are the same prefix',
  async (t) => {
    const good = { text: 'text', split: 'good', files: [input] }
    const bad = { text: 'text', split: 'bad', files: [wrong] }
    const sources = `sources=${JSON.stringify([good, bad])}`
    const [run, through] = [mini([sources, 'brakes.sameEndingRecords=20']), mini([sources, 'brakes=false'])]
    await t.rejects(runMini(run), {
      code: 'KUN_NO_YIELD',
      message: /The first 20 records of split 'bad' all ended as no-text/,
    })
    t.equal(await runMini(through), 'input')
    const [stopped, whole] = await Promise.all([linesOf(run.directory), linesOf(through.directory)])
    t.strictSame(stopped, whole.slice(0, stopped.length))
    t.equal(await runMini({ ...run, set: [sources, 'brakes=false'] }), 'input')
    t.strictSame(differing(await bytesOn(nodeFiles, run.directory), await bytesOn(nodeFiles, through.directory)), [])
  },
)

t.test('one shard of another kind among good ones stops the run and is named', async (t) => {
  const folder = join(root, 'shards')
  mkdirSync(folder)
  writeFileSync(join(folder, 'a.jsonl'), documents(24).join('\n'))
  writeFileSync(join(folder, 'b.jsonl'), Array.from({ length: 40 }, () => 'not JSON').join('\n'))
  const run = mini(['brakes.sameEndingRecords=30'], { input: `${folder}/*.jsonl` })
  const message = /The first 30 records of shard b\.jsonl all ended as invalid-json.*Check the format of the files/
  await t.rejects(runMini(run), { code: 'KUN_NO_YIELD', message })
})

t.test('drops by a threshold, a filter or deduplication are not failures: done, with 0 rows', async (t) => {
  t.equal(await runMini(mini(['kun.score.keepAtLeast=1'])), 'input', 'all score low')
  t.equal(await runMini(mini(['prepare.quality.charsMin=1000000'])), 'input', 'all too short')
  const first = mini()
  t.equal(await runMini(first), 'input')
  const again = mini([`prepare.dedup.against=["${first.directory}"]`, 'brakes.sameEndingRecords=20'])
  t.equal(await runMini(again), 'input', 'all are duplicates of an earlier run, however many')
  const many = mini(['prepare.quality.charsMin=1000000', 'brakes.sameEndingRecords=20'])
  // One of the 20 is not JSON, and one is page furniture alone.
  const message = /The first 20 records of the run all ended without a row, 18 of them as too-short.*prepare\.quality/
  await t.rejects(runMini(many), { code: 'KUN_NO_YIELD', message }, 'but many in a row are worth a look')
})

t.test('with only empty files or blank lines, the error says that there is no document', async (t) => {
  for (const content of ['', '\n\n\n']) {
    const empty = join(root, `empty-${content.length}.jsonl`)
    writeFileSync(empty, content)
    await t.rejects(runMini(mini([], { input: empty })), { code: 'KUN_NO_YIELD', exitCode: 3 })
  }
})

t.test('pipe and dedup with a wrong field end with exit code 2 and name the fields that exist', async (t) => {
  for (const name of ['pipe', 'dedup']) {
    const ended = await command('bin/kun-stream.js', [name, wrong]).ended
    t.match(ended, { code: 2, err: /--text is text: none of 60 records could be read.*id"?, "?content/s }, name)
    const right = await command('bin/kun-stream.js', [name, wrong, '--text', 'content']).ended
    t.equal(right.code, 0, `${name}: the right field, ${right.err}`)
  }
})

/** Manifest lines without the state of the inputs, because reading ahead depends on timing. */
async function linesOf(directory: string): Promise<readonly object[]> {
  return (await readManifest(directory)).map(({ inputs: _, ...line }) => line)
}
