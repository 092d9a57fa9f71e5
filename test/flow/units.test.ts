/** A run in units has the bytes of one run: with lost records, columns, duplicate instructions, empty cuts and a limit of rows. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { verifyDirectory } from '../../lib/run/verify.js'
import { startS3 } from '../../lib/simulator/s3/index.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { readManifest } from '../../lib/sinks/index.js'
import { assembleTiny, generateTiny, manifestLines, plannedIds, prepareTiny } from '../support/divided.js'
import { projectRoot } from '../support/root.js'
import { bytesOf, runTiny } from '../support/session.js'

t.setTimeout(300_000)

/** A filter that ends its thread at a few of the texts. */
const deadly = `export default ({ text }) => {
  if (text.charCodeAt(40) % 29 === 5) process.exit(7)
  return true
}`

const columns = [
  {
    name: 'topic',
    after: 'label',
    model: 'judge',
    prompt: { text: '领域？\n{text}' },
    type: 'enum',
    values: ['科学', '历史', '生活'],
  },
  {
    name: 'level',
    after: 'label',
    model: 'judge',
    prompt: { text: '多难？\n{instruction}' },
    type: 'number',
    min: 1,
    max: 5,
    keepIf: { min: 2 },
  },
]

/** Documents of the third split. */
const few = join(projectRoot, 'fixtures/skypile/data/2020-40_zh_head_0001.jsonl')
const fixture = join(projectRoot, 'fixtures/skypile/data/2020-40_zh_head_0000.jsonl')

/** Three splits, of which one has no row. */
const hard = (directory: string): string[] => [
  `sources=${JSON.stringify([
    { split: 'skypile', preset: 'skypile', files: fixture },
    { split: 'nothing', text: 'no_such_field', files: fixture },
    { split: 'other', preset: 'skypile', files: join(directory, 'few.jsonl') },
  ])}`,
  `prepare.filters=["${join(directory, 'deadly.mjs')}"]`,
  `kun.columns=${JSON.stringify(columns)}`,
  'kun.dedupInstructions=near',
  'output.candidatesPerCut=25',
  'output.blocksPerCutMax=2',
]

/** Bytes of all that the promise is about. */
const allOf = (directory: string): Record<string, string> => ({
  ...bytesOf(directory),
  manifest: JSON.stringify(manifestLines(directory)),
})

const rowsOf = (counters: unknown): number =>
  Object.values(counters as Record<string, { rows: number }>).reduce((sum, { rows }) => sum + rows, 0)

t.test('units generated in any order, four at once, give the bytes of one run', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir()
  writeFileSync(join(root, 'deadly.mjs'), deadly)
  writeFileSync(join(root, 'few.jsonl'), `${readFileSync(few, 'utf8').split('\n').slice(0, 12).join('\n')}\n`)
  const set = hard(root)
  const [single, divided] = [join(root, 'single'), join(root, 'divided')]
  await runTiny({ directory: single, endpoint: server.url, set, small: true })
  const prepared = await prepareTiny({ directory: divided, endpoint: server.url, set, small: true })
  const ids = await plannedIds(divided)
  t.equal(prepared.units, ids.length)
  const cuts = await readManifest(single)
  t.equal(ids.length, cuts.length)
  t.ok(ids.length > 5, `${ids.length} units`)
  t.ok(
    cuts.some((cut, index) => rowsOf(cut.counters) === (index === 0 ? 0 : rowsOf(cuts[index - 1]?.counters))),
    'a cut has no row',
  )
  const stats = JSON.parse(readFileSync(join(single, 'stats.json'), 'utf8')).splits
  t.equal(stats.nothing.rows, 0, 'a split has no row')
  t.ok(stats.skypile.rows > 0 && stats.other.rows > 0, 'the other two have some')
  const lost = Object.values(stats).map((split) => JSON.stringify(split).includes('worker-lost'))
  t.ok(lost.includes(true), 'records were lost')

  const [last = '', ...others] = [...ids].reverse()
  t.strictSame(await generateTiny(divided, [last]), ['committed'])
  t.match(
    await assembleTiny(divided),
    { end: 'gap', cuts: 0, missing: ids[0] },
    'the last unit alone assembles nothing',
  )
  const ends = await generateTiny(divided, others, 4)
  t.ok(ends.every((end) => end === 'committed'))
  t.strictSame(await generateTiny(divided, [last]), ['already'])
  t.match(await assembleTiny(divided), { end: 'complete', cuts: ids.length, missing: null })
  t.strictSame(allOf(divided), allOf(single))
  t.match(await verifyDirectory(divided), { findings: [] })
  t.match(await prepareTiny({ directory: divided, endpoint: server.url, set, small: true }), {
    added: 0,
    units: ids.length,
  })

  // Limits: exactly at the end of a cut, and inside of one.
  const total = rowsOf(cuts.at(-1)?.counters)
  const atEnd = rowsOf(cuts[Math.floor(cuts.length / 2)]?.counters)
  for (const rowsMax of [atEnd, Math.floor(total * 0.6) + 1]) {
    const [limited, assembled] = [join(root, `limited-${rowsMax}`), join(root, `assembled-${rowsMax}`)]
    const limit = `limits.rowsMax=${rowsMax}`
    await runTiny({
      directory: limited,
      endpoint: server.url,
      set: [...set, limit, `replies.from=["${single}"]`],
      small: true,
    })
    t.match(await assembleTiny(divided, [limit], assembled), { end: 'limit', rows: rowsMax })
    t.strictSame(allOf(assembled), allOf(limited), `rowsMax ${rowsMax}`)
    t.match(await assembleTiny(divided, [], assembled), { end: 'complete', rows: total })
    t.strictSame(allOf(assembled), allOf(single), `after rowsMax ${rowsMax} without it`)
  }
})

t.test('units in a bucket give the bytes of one run', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir({ bucket: {} })
  const s3 = await startS3({ directory: join(root, 'bucket') })
  t.teardown(() => s3.close())
  const before = { ...process.env }
  Object.assign(process.env, s3.environment)
  t.teardown(() => {
    for (const name of Object.keys(s3.environment)) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  })
  const [single, work, into] = [join(root, 'single'), join(root, 'work'), join(root, 'out')]
  await runTiny({ directory: single, endpoint: server.url, small: true })
  const directory = 's3://kun/run'
  await prepareTiny({ directory, work, endpoint: server.url, small: true })
  const ids = await plannedIds(directory)
  const ends = await Promise.all([generateTiny(directory, ids, 2), generateTiny(directory, ids)])
  t.equal(ends.flat().filter((end) => end === 'committed').length, ids.length, 'one result for each unit')
  t.match(await assembleTiny(directory, [], into), { end: 'complete', cuts: ids.length })
  t.strictSame(allOf(into), allOf(single))
  const limited = join(root, 'limited')
  t.match(await assembleTiny(directory, ['limits.rowsMax=40'], limited), { end: 'limit', rows: 40 })
  t.match(await verifyDirectory(limited), { findings: [] })
})
