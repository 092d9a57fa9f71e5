import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { sharedBuffers } from '../../lib/core/shared-buffers.js'
import { CustomFilterError } from '../../lib/errors.js'
import { releaseColumns } from '../../lib/text/block.js'
import { textAt } from '../../lib/text/columns.js'
import { createPreparer, prepareBlock } from '../../lib/text/prepare.js'
import { workerPool } from '../../lib/workers/pool.js'
import { accountingFaults, article, blockOf, jsonl, planOf } from '../text/support.js'

// Deadlines are waited for, and each pool starts threads: on a machine that is busy with others that takes its time.
t.setTimeout(300_000)

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

/** A filter of the user's own that ends its thread at one text: what a crash or a lack of memory looks like. */
const deadly = `export default ({ text }) => {
  if (text.includes('致命')) process.exit(7)
  if (text.includes('贪吃')) { const held = []; for (;;) held.push(new Array(100_000).fill({ held: held.length })) }
  return true
}`

t.test('A record that crashes its thread becomes a reject, and all others are prepared', async (t) => {
  const directory = t.testdir({ 'deadly.mjs': deadly })
  const plan = await planOf({ filters: ['deadly.mjs'] }, { directory, signatureLength: 4 })
  const records: { id: string; text: string }[] = articles(0, 3)
  records[1] = { id: 'killer', text: `致命${article(1)}` }
  const refused = [{ offset: 10, reason: 'record-too-large' as const, detail: 'd', excerpt: 'e' }]
  const pool = workerPool({ plan, threads: 1 })
  t.teardown(() => pool.close())
  const other = pool.prepare(blockOf(jsonl(articles(5, 2)), { number: 1 }))
  const prepared = await pool.prepare(blockOf(jsonl(records), { refused }))
  t.same(accountingFaults(prepared), [])
  t.equal(prepared.documents, 4)
  t.match(prepared.rejects, [
    { document: 1, offset: 10, reason: 'record-too-large', stage: 'read' },
    { document: 2, reason: 'worker-lost', stage: 'prepare', excerpt: /致命/, detail: /code: 7/ },
  ])
  const safe = prepareBlock(
    blockOf(jsonl(records), { refused }),
    await createPreparer(await planOf({}, { signatureLength: 4 })),
  )
  const rows = [0, 2]
  t.same([...prepared.chunks.document], [0, 3])
  t.same(
    [...prepared.chunks.offset],
    rows.map((row) => safe.chunks.offset[row]),
  )
  t.same(
    [...prepared.chunks.fingerprint],
    rows.flatMap((row) => [...safe.chunks.fingerprint.slice(16 * row, 16 * row + 16)]),
  )
  t.same(
    [0, 1].map((row) => textAt(prepared.chunks.text, row)),
    rows.map((row) => textAt(safe.chunks.text, row)),
  )
  t.equal((await other).documents, 2)
})

t.test('A record that takes more memory than a thread has becomes a reject', async (t) => {
  const directory = t.testdir({ 'deadly.mjs': deadly })
  const plan = await planOf({ filters: ['deadly.mjs'] }, { directory })
  const pool = workerPool({ plan, threads: 1, heapBytesMax: 96 * 2 ** 20 })
  t.teardown(() => pool.close())
  const prepared = await pool.prepare(blockOf(jsonl([{ id: 'eater', text: `贪吃${article(4)}` }])))
  t.match(prepared, { documents: 1, chunks: { rows: 0 }, rejects: [{ reason: 'worker-lost', detail: /memory/ }] })
})

t.test('Threads that crash on any input stop the run, and so do too many lost records', async (t) => {
  const directory = t.testdir({ 'deadly.mjs': deadly, 'dead.mjs': 'process.exit(3)' })
  const dead = workerPool({ plan: await planOf({ filters: ['dead.mjs'] }, { directory }), threads: 1 })
  t.teardown(() => dead.close())
  await t.rejects(dead.prepare(blockOf(jsonl(articles(0, 2)))), { code: 'KUN_WORKER_LOST' })
  const plan = await planOf({ filters: ['deadly.mjs'] }, { directory })
  const strict = workerPool({ plan, threads: 1, lostRecordsMax: 0 })
  t.teardown(() => strict.close())
  const records = [{ id: 'killer', text: `致命${article(4)}` }]
  await t.rejects(strict.prepare(blockOf(jsonl(records))), { code: 'KUN_WORKER_LOST', message: /lostRecordsMax/ })
})

t.test('A record on which a filter does not end is one reject, whatever else is in its block', async (t) => {
  const directory = t.testdir({
    'endless.mjs': `export default ({ text }) => {
      if (text.startsWith('循环')) while (true);
      if (text.startsWith('回溯')) /^(a+)+$/.test('a'.repeat(64) + 'b')
      return true
    }`,
  })
  const plan = await planOf({ filters: ['endless.mjs'] }, { directory, signatureLength: 4 })
  const events: string[] = []
  const pool = workerPool({ plan, threads: 2, blockMsMax: 4_000, onEvent: (message) => events.push(message) })
  t.teardown(() => pool.close())
  const records: { id: string; text: string }[] = articles(0, 8)
  records[2] = { id: 'loop', text: `循环${article(2)}` }
  records[5] = { id: 'regex', text: `回溯${article(5)}` }
  const others = Array.from({ length: 5 }, (_, n) =>
    pool.prepare(blockOf(jsonl(articles(10 + n, 2)), { number: n + 1 })),
  )
  const prepared = await pool.prepare(blockOf(jsonl(records)))
  t.same(accountingFaults(prepared), [])
  t.match(prepared.rejects, [
    {
      document: 2,
      reason: 'worker-timeout',
      stage: 'prepare',
      excerpt: /循环/,
      detail: /4000 ms \(workers.blockMsMax\)/,
    },
    { document: 5, reason: 'worker-timeout', stage: 'prepare', excerpt: /回溯/ },
  ])
  t.equal(prepared.rejects.length, 2)
  t.same([...prepared.chunks.document], [0, 1, 3, 4, 6, 7])
  for (const other of await Promise.all(others)) t.same(other.rejects, [], 'no other block is held to blame')
  t.match(events, [/document 2 of block 0 .*worker-timeout/, /document 5 of block 0/])
  t.equal(events.length, 2)
})

t.test(
  'A filter module that never ends to load stops the run with a message, and so does an asynchronous filter',
  async (t) => {
    const directory = t.testdir({
      'loads.mjs': 'await new Promise((resolve) => setTimeout(resolve, 2 ** 30)); export default () => true',
      'loops.mjs': 'while (true);',
      'async.mjs': 'export default async () => new Promise(() => undefined)',
    })
    for (const name of ['loads.mjs', 'loops.mjs']) {
      const pool = workerPool({ plan: await planOf({ filters: [name] }, { directory }), threads: 1, blockMsMax: 1_000 })
      t.teardown(() => pool.close())
      await t.rejects(pool.prepare(blockOf(jsonl(articles(0, 2)))), {
        code: 'KUN_WORKER_LOST',
        message: /no result within 1000 ms.*does every module of prepare.filters load/,
      })
    }
    const pool = workerPool({ plan: await planOf({ filters: ['async.mjs'] }, { directory }), threads: 1 })
    t.teardown(() => pool.close())
    await t.rejects(pool.prepare(blockOf(jsonl(articles(0, 2)))), { code: 'KUN_CUSTOM_FILTER', message: /synchronous/ })
  },
)

t.test('A closed pool rejects new blocks and those in flight', async (t) => {
  const pool = workerPool({ plan: await planOf(), threads: 1 })
  const underWay = pool.prepare(blockOf(jsonl(articles(0, 1))))
  const rejected = t.rejects(underWay, { code: 'KUN_ABORTED' })
  await pool.close()
  await rejected
  await t.rejects(pool.prepare(blockOf(jsonl(articles(0, 1)))), { code: 'KUN_CONTRACT' })
})
