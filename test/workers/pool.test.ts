import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { sharedBuffers } from '../../lib/core/shared-buffers.js'
import { CustomFilterError } from '../../lib/errors.js'
import { releaseColumns } from '../../lib/text/block.js'
import { textAt } from '../../lib/text/columns.js'
import { createPreparer, prepareBlock } from '../../lib/text/prepare.js'
import { workerPool } from '../../lib/workers/pool.js'
import { article, blockOf, jsonl, planOf } from '../text/support.js'

const articles = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: `a${from + index}`, text: article(from + index) }))

t.test('A pool returns what the same code returns in this thread, for any number of threads', async (t) => {
  const plan = await planOf({}, { signatureLength: 16 })
  const preparer = await createPreparer(plan)
  const blocks = () => Array.from({ length: 6 }, (_, number) => blockOf(jsonl(articles(number * 10, 7)), { number }))
  const expected = blocks().map((block) => prepareBlock(block, preparer))
  for (const threads of [1, 3]) {
    const pool = workerPool({ plan, threads })
    t.teardown(() => pool.close())
    t.equal(pool.threads, threads)
    const found = await Promise.all(blocks().map((block) => pool.prepare(block)))
    t.same(found, expected, `${threads} threads`)
  }
  t.equal(textAt(expected[0]?.chunks.key as never, 0), 'a0')
})

t.test('A block and its columns are in shared memory, which is reused once it is released', async (t) => {
  const pool = workerPool({ plan: await planOf(), threads: 1 })
  t.teardown(() => pool.close())
  const bytes = sharedBuffers.copyOf(jsonl(articles(0, 3)))
  const prepared = await pool.prepare(blockOf(bytes))
  t.equal(sharedBuffers.take(bytes.byteLength), bytes.buffer, 'the bytes of the block are free')
  const { chunks } = prepared
  t.equal(chunks.rows, 3)
  const { buffer } = chunks.offset
  t.ok(buffer instanceof SharedArrayBuffer)
  for (const column of [chunks.document, chunks.text.offsets, chunks.text.bytes, chunks.fingerprint]) {
    t.equal(column.buffer, buffer, 'one buffer for all columns')
  }
  releaseColumns(prepared)
  t.throws(() => prepared.chunks.rows, { code: 'KUN_CONTRACT', message: /released/ })
  t.equal(sharedBuffers.take(buffer.byteLength), buffer, 'that of the columns is free')
})

t.test('Columns larger than their buffer are complete, and the next block gets a buffer of that size', async (t) => {
  const pool = workerPool({ plan: await planOf({ chunk: { charsMin: 1 } }, { signatureLength: 128 }), threads: 1 })
  t.teardown(() => pool.close())
  const preparer = await createPreparer(await planOf({ chunk: { charsMin: 1 } }, { signatureLength: 128 }))
  const short = () => blockOf(jsonl(Array.from({ length: 60 }, (_, index) => ({ text: article(index, 2) }))))
  for (const round of ['first', 'second']) t.same(await pool.prepare(short()), prepareBlock(short(), preparer), round)
})

t.test('A custom filter that throws ends the run with its class, file and document', async (t) => {
  const directory = t.testdir({ 'throws.mjs': 'export default (document) => document.nothing.length' })
  const plan = await planOf({ filters: ['throws.mjs'] }, { directory })
  const pool = workerPool({ plan, threads: 1 })
  t.teardown(() => pool.close())
  const error = await pool.prepare(blockOf(jsonl(articles(0, 1)))).catch((thrown: unknown) => thrown)
  t.ok(error instanceof CustomFilterError)
  t.match(error, {
    code: 'KUN_CUSTOM_FILTER',
    message: /throws\.mjs threw at test\.jsonl:0/,
    details: { file: 'throws.mjs', document: 'test.jsonl:0' },
    cause: { name: 'TypeError' },
  })
  await writeFile(join(directory, 'throws.mjs'), 'export default () => true')
  const later = workerPool({ plan, threads: 1 })
  t.teardown(() => later.close())
  await t.rejects(later.prepare(blockOf(jsonl(articles(0, 1)))), { message: /changed during the run/ })
})

t.test('A closed pool rejects new blocks and those in flight', async (t) => {
  const pool = workerPool({ plan: await planOf(), threads: 1 })
  const underWay = pool.prepare(blockOf(jsonl(articles(0, 1))))
  const rejected = t.rejects(underWay, { code: 'KUN_ABORTED' })
  await pool.close()
  await rejected
  await t.rejects(pool.prepare(blockOf(jsonl(articles(0, 1)))), { code: 'KUN_CONTRACT' })
})
