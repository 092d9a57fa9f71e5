import t from 'tap'
import { textAt } from '../../lib/text/columns.js'
import { createPreparer, prepareBlock } from '../../lib/text/prepare.js'
import { workerPool } from '../../lib/workers/pool.js'
import { accountingFaults, article, blockOf, jsonl, planOf } from '../text/support.js'

// Deadlines are waited for, and each pool starts threads: on a machine that is busy with others that takes its time.
t.setTimeout(300_000)

const articles = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: `a${from + index}`, text: article(from + index) }))

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
  const rejected = [{ offset: 10, reason: 'record-too-large' as const, detail: 'd', excerpt: 'e' }]
  const pool = workerPool({ plan, threads: 1 })
  t.teardown(() => pool.close())
  const other = pool.prepare(blockOf(jsonl(articles(5, 2)), { number: 1 }))
  const prepared = await pool.prepare(blockOf(jsonl(records), { rejected }))
  t.same(accountingFaults(prepared), [])
  t.equal(prepared.documents, 4)
  t.match(prepared.rejects, [
    { document: 1, offset: 10, reason: 'record-too-large', stage: 'read' },
    { document: 2, reason: 'worker-lost', stage: 'prepare', excerpt: /致命/, detail: /code: 7/ },
  ])
  const safe = prepareBlock(
    blockOf(jsonl(records), { rejected }),
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
