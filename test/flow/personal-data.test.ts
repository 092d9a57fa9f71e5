import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { readManifest } from '../../lib/sinks/index.js'
import { projectRoot } from '../support/root.js'
import { bytesOf, runTiny } from '../support/session.js'

t.test('personal data is masked before any model sees it, and counted the same whatever the concurrency', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir()
  const lines = readFileSync(join(projectRoot, 'fixtures/skypile/data/2020-40_zh_head_0000.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
  const contact = '如有疑问，请拨打13912345678，或加微信号：xiao_ming88。'
  // One line of the fixture is cut short.
  const whole = lines.filter((line) => line.endsWith('"}'))
  const changed = whole.map((line) => JSON.stringify({ text: `${JSON.parse(line).text}\n${contact}` }))
  writeFileSync(join(root, 'part.jsonl'), `${changed.join('\n')}\n`)
  const set = [`sources=[{ split: train, text: text, files: '${root}/part.jsonl' }]`]
  const run = async (name: string, threads: number, inFlight: number) => {
    const directory = join(root, name)
    const more = [`workers.threads=${threads}`, `models.writer.inFlightMax=${inFlight}`]
    await runTiny({ directory, endpoint: server.url, small: true, set: [...set, ...more] })
    return directory
  }
  const directory = await run('one', 1, 1)
  t.strictSame(bytesOf(await run('many', 3, 64)), bytesOf(directory))
  const { splits } = JSON.parse(readFileSync(join(directory, 'stats.json'), 'utf8'))
  const { masked } = splits.train.personal.text
  t.equal(masked.phone, masked.wechat)
  t.ok(masked.phone > 20 && masked.phone <= whole.length, `${masked.phone} of ${whole.length}`)
  let rows = 0
  for (const { path, split } of (await readManifest(directory)).flatMap((cut) => cut.files)) {
    if (split === null) continue
    const part = await openPart(join(directory, path))
    for await (const row of rowsOf(part)) {
      rows++
      t.notMatch(
        JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
        /13912345678|xiao_ming88/,
      )
    }
    await part.close()
  }
  t.ok(rows > 0)
})
