import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { readManifest } from '../../lib/sinks/index.js'
import { projectRoot } from '../support/root.js'
import { bytesOf, runTiny } from '../support/session.js'

t.test('chunks and instructions that contain an item of a benchmark are rejects, the same in every run', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir()
  const lines = readFileSync(join(projectRoot, 'fixtures/skypile/data/2020-40_zh_head_0000.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
  const question = '某容器内盛有质量为三千克的水，将温度从二十摄氏度加热到沸腾，求所需要吸收的热量是多少？'
  // One line of the fixture is cut short.
  const texts = lines.filter((line) => line.endsWith('"}')).map((line) => JSON.parse(line).text as string)
  const planted = texts.map((text, index) => (index % 3 === 0 ? `${text}\n${question}` : text))
  writeFileSync(join(root, 'part.jsonl'), planted.map((text) => `${JSON.stringify({ text })}\n`).join(''))
  const set = [`sources=[{ split: train, text: text, files: '${root}/part.jsonl' }]`]
  const plain = join(root, 'plain')
  await runTiny({ directory: plain, endpoint: server.url, small: true, set })
  const rows = await rowsIn(plain, 'data/train-')
  // An instruction of the first run is a test item, so that the label stage has one to find.
  const instruction = rows.map((row) => String(row.instruction)).find((text) => text.length > 16) as string
  writeFileSync(join(root, 'bench.csv'), `id,question\n1,${question}\n2,${instruction}\n`)
  const run = async (name: string, threads: number, inFlight: number) => {
    const directory = join(root, name)
    const more = [
      `prepare.decontaminate.files=['${root}/bench.csv']`,
      `workers.threads=${threads}`,
      `models.writer.inFlightMax=${inFlight}`,
    ]
    await runTiny({ directory, endpoint: server.url, small: true, set: [...set, ...more] })
    return directory
  }
  const directory = await run('one', 1, 1)
  t.strictSame(bytesOf(await run('many', 3, 64)), bytesOf(directory))
  const rejects = (await rowsIn(directory, 'rejects/')).filter(({ reason }) => reason === 'contaminated')
  const chunks = rejects.filter(({ stage }) => stage === 'chunk')
  t.ok(chunks.length > 10, `${chunks.length} chunks`)
  for (const { detail } of chunks) t.match(detail, /^[01]\.\d\d of .*bench\.csv line 2$/)
  t.ok(rejects.some(({ stage, detail }) => stage === 'label' && /bench\.csv line 3$/.test(String(detail))))
  const { splits } = JSON.parse(readFileSync(join(directory, 'stats.json'), 'utf8'))
  const counted = (rejects: Record<string, Record<string, number>>) => rejects.chunk?.contaminated ?? 0
  t.equal(counted(splits.train.chunkRejects) + counted(splits.train.documentRejects), chunks.length)
  const { pinned } = JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8'))
  t.match(JSON.stringify(pinned), /"decontaminate":\[\{"name":".*bench\.csv","sha256":"[0-9a-f]{64}"\}\]/)
})

async function rowsIn(directory: string, prefix: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for (const { path } of (await readManifest(directory)).flatMap((cut) => cut.files)) {
    if (!path.startsWith(prefix)) continue
    const part = await openPart(join(directory, path))
    for await (const row of rowsOf(part)) rows.push(row)
    await part.close()
  }
  return rows
}
