import t from 'tap'
import { sharedBuffers } from '../../lib/core/shared-buffers.js'
import { createPreparer, prepareBlock } from '../../lib/text/prepare.js'
import { localFirstPool } from '../../lib/workers/local-first.js'
import { startedThreads } from '../support/started-threads.js'
import { article, blockOf, jsonl, planOf } from '../text/support.js'

const started = startedThreads(t)

const plan = await planOf({}, { signatureLength: 16 })
const preparer = await createPreparer(plan)
const block = (number: number) =>
  blockOf(
    jsonl(Array.from({ length: 5 }, (_, index) => ({ id: `${number}.${index}`, text: article(10 * number + index) }))),
    { number },
  )
const blockBytes = Math.max(...Array.from({ length: 6 }, (_, number) => block(number).bytes.byteLength))

t.test(
  'Blocks up to the limit are prepared without a thread, later ones in one, all with the same result',
  async (t) => {
    const pool = localFirstPool({ plan, threads: 1, localBytesMax: 3 * blockBytes })
    t.teardown(() => pool.close())
    const expected = Array.from({ length: 6 }, (_, number) => prepareBlock(block(number), preparer))
    t.equal(pool.threads, 1)
    t.same(await Promise.all([0, 1, 2].map((number) => pool.prepare(block(number)))), expected.slice(0, 3))
    t.equal(started(), 0)
    t.same(await Promise.all([3, 4, 5].map((number) => pool.prepare(block(number)))), expected.slice(3))
    t.equal(started(), 1)
  },
)

t.test('A limit of 0 and a full block start the threads at once', async (t) => {
  const now = localFirstPool({ plan, threads: 2, localBytesMax: 0 })
  t.teardown(() => now.close())
  const soon = localFirstPool({ plan, threads: 1, localBytesMax: 10 * blockBytes, fullBlockBytes: 100 })
  t.teardown(() => soon.close())
  t.same(await now.prepare(block(0)), prepareBlock(block(0), preparer))
  t.equal(started(), 2)
  t.same(await soon.prepare(block(1)), prepareBlock(block(1), preparer))
  t.same(await soon.prepare(block(2)), prepareBlock(block(2), preparer))
  t.equal(started(), 3)
})

t.test('Shared memory of a block is reused, unless the caller keeps it', async (t) => {
  const pool = localFirstPool({ plan, threads: 1, localBytesMax: 10 * blockBytes })
  t.teardown(() => pool.close())
  const { bytes } = block(0)
  const kept = sharedBuffers.copyOf(bytes)
  await pool.prepare(blockOf(kept), [], true)
  t.not(sharedBuffers.take(bytes.byteLength), kept.buffer)
  await pool.prepare(blockOf(kept))
  t.equal(sharedBuffers.take(bytes.byteLength), kept.buffer)
})

t.test('A closed pool prepares nothing, and closing one that never started does nothing', async (t) => {
  const pool = localFirstPool({ plan, threads: 1, localBytesMax: 10 * blockBytes })
  await pool.close()
  await t.rejects(pool.prepare(block(0)), { code: 'KUN_CONTRACT', message: /closed/ })
  t.equal(started(), 0)
})

t.test('Custom filters are refused: they may crash the calling thread', async (t) => {
  const directory = t.testdir({ 'all.mjs': 'export default () => true' })
  const filtered = await planOf({ filters: ['all.mjs'] }, { directory })
  t.throws(() => localFirstPool({ plan: filtered, threads: 1, localBytesMax: 1 }), { code: 'KUN_CONTRACT' })
})

t.test('A failure to prepare is that of the block', async (t) => {
  const wrong = { ...plan, signature: { ...plan.signature, signatureLength: 513 } }
  const pool = localFirstPool({ plan: wrong, threads: 1, localBytesMax: blockBytes })
  t.teardown(() => pool.close())
  await t.rejects(pool.prepare(block(0)), { code: 'KUN_INVALID_OPTION' })
  await t.rejects(pool.prepare(block(1)), { code: 'KUN_INVALID_OPTION' }, 'in a thread, too')
})
