import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type Column, cellsOf } from '../../lib/parquet/columns.js'
import type { GroupOptions } from '../../lib/parquet/encoders/encode-group.js'
import { GroupThreads } from '../../lib/parquet/encoders/group-threads.js'
import type { Encoder } from '../../lib/parquet/encoders/index.js'
import { parquetEncoder } from '../../lib/parquet/encoders/index.js'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { PartWriter } from '../../lib/parquet/part-writer.js'
import { nodeFiles } from '../../lib/storage/files.js'

const columns: readonly Column[] = [
  { name: 'text', type: 'string' },
  { name: 'label', type: 'string', nullable: true },
  { name: 'offset', type: 'int64' },
  { name: 'score', type: 'float64', nullable: true },
  { name: 'messages', type: 'messages' },
]

/** Rows of about 3 kB: texts that differ, labels that repeat, nulls, lists. */
function row(n: number) {
  const text = `第${n}行：${'水稻在春天播种，秋天收获。'.repeat(60 + (n % 40))}${'\u{20000}'.repeat(n % 3)}`
  const messages = Array.from({ length: n % 3 }, (_, i) => ({ role: `r${i}`, content: `${n} ${i}` }))
  const [label, score] = [n % 5 === 0 ? null : `label ${n % 4}`, n % 7 === 0 ? null : n / 3]
  return { text, label, offset: 2n ** 53n + BigInt(n), score, messages }
}

async function written(directory: string, path: string, encoder: Encoder, rows: number): Promise<PartWriter> {
  const at = { files: nodeFiles, directory, path, split: 'a' }
  const part = await PartWriter.open({ ...at, columns, encoder, rowGroupBytesMax: 3 * 1024 * 1024 })
  for (let n = 0; n < rows; n++) await part.add(cellsOf(columns, row(n)))
  return part
}

/** The encoder without threads: to it, every row group is small. */
function onCallingThread(encoder: Encoder): Encoder {
  return {
    ...encoder,
    open: (options) => {
      const file = encoder.open(options)
      return { writeRowGroup: (data, rows) => file.writeRowGroup(data, rows, 0), finish: () => file.finish() }
    },
  }
}

t.test('Row groups that are encoded in threads have the bytes of a file that one thread writes', async (t) => {
  const directory = t.testdir()
  const encoder = await parquetEncoder()
  const parts = [
    await written(directory, 'here.parquet', onCallingThread(encoder), 3500),
    await written(directory, 'threads.parquet', encoder, 3500),
  ]
  for (const part of parts) {
    await part.seal()
    await part.publish()
  }
  const bytes = parts.map(({ path }) => readFileSync(join(directory, path)))
  t.ok(bytes[0]?.equals(bytes[1] as Buffer))
  const read = await openPart(join(directory, 'threads.parquet'))
  t.ok(read.rowGroups.length > 3, `${read.rowGroups}`)
  let n = 0
  for await (const { offset, text } of rowsOf(read)) {
    const wanted = row(n++)
    if (offset !== wanted.offset || text !== wanted.text) t.fail(`row ${n}`)
  }
  t.equal(n, 3500)
  await read.close()
})

t.test('Files that are written side by side share the threads, and none waits forever', async (t) => {
  const directory = t.testdir()
  const encoder = await parquetEncoder()
  const names = Array.from({ length: 6 }, (_, n) => `${n}.parquet`)
  const parts = await Promise.all(names.map((path) => written(directory, path, encoder, 1500)))
  const files = await Promise.all(
    parts.map(async (part) => {
      await part.seal()
      return await part.publish()
    }),
  )
  t.equal(new Set(files.map(({ sha256 }) => sha256)).size, 1)
  t.ok(files.every(({ rows }) => rows === 1500))
})

t.test('A file that is discarded while a row group is being encoded leaves nothing behind', async (t) => {
  const directory = t.testdir()
  const encoder = await parquetEncoder()
  const part = await written(directory, 'a.parquet', encoder, 1500)
  await part.discard()
  t.same(await nodeFiles.list(directory), [])
  const next = await written(directory, 'b.parquet', encoder, 1500)
  await next.seal()
  t.equal((await next.publish()).rows, 1500)
})

t.test('A thread that ends for want of work is given no further row group', async (t) => {
  const idleMs = 2
  const threads = new GroupThreads(3, idleMs)
  const group: GroupOptions = {
    schema: [
      { name: 'root', num_children: 1 },
      { name: 'text', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
    ],
    names: ['text'],
    columns: [['水稻', '小麦']],
    rows: 2,
  }
  for (let round = 0; round < 40; round++) {
    const { encoded } = await threads.encode(group)
    t.ok((await encoded).bytes.length > 0)
    // By then the thread has been told to end, and may not have ended yet.
    await sleep(idleMs + (round % 4))
  }
})
