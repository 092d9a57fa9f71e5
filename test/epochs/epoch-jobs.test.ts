/** The jobs of epochs over a store: in one process or several, stopped anywhere, they decide as one index does. */
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { type DedupOptions, dedupOptions, openDeduplicator, signedBlock } from '../../lib/dedup/index.js'
import { exactPlanOf } from '../../lib/dedup/open-index.js'
import type { Duplicate } from '../../lib/dedup/types.js'
import { type EpochJobs, resolveEpochs, workOnPart } from '../../lib/epochs/epoch-jobs.js'
import { EpochObjects, type EpochSettings, type MappedBlock, textsKey } from '../../lib/epochs/epoch-objects.js'
import { EpochVerdicts } from '../../lib/epochs/epoch-verdicts.js'
import { SliceBuilder } from '../../lib/epochs/slice.js'
import { CorruptFileError, LimitError } from '../../lib/errors.js'
import type { ObjectStore } from '../../lib/objects/object-store.js'
import type { PreparedBlock } from '../../lib/text/block.js'
import { createSigner } from '../../lib/text/signature.js'
import { edited, letters } from '../dedup/planted.js'
import { memoryStore } from '../support/memory-store.js'
import { randomBelow } from '../support/random.js'

const seed = Number(process.env.TEST_SEED ?? 20261129)
t.comment(`seed ${seed}`)

const signer = await createSigner()
const never = new AbortController().signal
const options = dedupOptions.parse({ index: 'exact' })

/** Blocks of 5 texts: some are new, some near or equal copies of earlier ones, one in ten is empty of letters. */
function blocksOf(count: number): PreparedBlock[] {
  const random = randomBelow(seed)
  const texts: string[] = []
  for (let number = 0; number < count; number++) {
    const earlier = texts[random(texts.length)]
    const kind = random(10)
    if (kind === 0) texts.push('…'.repeat(1 + random(3)))
    else if (kind < 3 && earlier !== undefined) texts.push(earlier)
    else if (kind < 7 && earlier !== undefined) texts.push(edited(earlier, random(50) / 1000, random))
    else texts.push(letters(random, 3 + random(200)))
  }
  return Array.from({ length: Math.ceil(count / 5) }, (_, number) => {
    const block = signedBlock(number, texts.slice(number * 5, number * 5 + 5), signer)
    for (let row = 0; row < block.chunks.rows; row++) block.chunks.offset[row] = number * 5 + row
    return block
  })
}

async function inOneIndex(directory: string, blocks: readonly PreparedBlock[], dedup: DedupOptions) {
  const one = await openDeduplicator({ options: dedup, directory })
  const verdicts: (Duplicate | null)[][] = []
  for (const block of blocks) verdicts.push([...(await one.decide(block, null)).verdicts])
  await one.close()
  return verdicts
}

/** Stores blocks as `prepare` does, in epochs of about `epochRows`. */
async function mapBlocks(store: ObjectStore, blocks: readonly PreparedBlock[], settings: EpochSettings): Promise<void> {
  const objects = new EpochObjects(store)
  let [epoch, slice, firstSlice, firstBlock, rows] = [0, 0, 0, 0, 0]
  let slices: MappedBlock[][] = []
  let builder = new SliceBuilder(exactPlanOf(options), settings)
  for (const block of blocks) {
    builder.add(block)
    rows += block.chunks.rows
    const isLast = block === blocks.at(-1)
    if (!builder.isFull && rows < settings.epochRows && !isLast) continue
    await builder.store(store, slice++)
    slices.push(builder.blocks)
    builder = new SliceBuilder(exactPlanOf(options), settings)
    if (rows < settings.epochRows && !isLast) continue
    await objects.putEpoch({ epoch: epoch++, firstSlice, firstBlock, cursor: null, slices })
    ;[firstSlice, firstBlock, rows, slices] = [slice, block.number + 1, 0, []]
  }
  await objects.putEpochCount(epoch)
}

function jobsOver(store: ObjectStore, settings: EpochSettings, dedup = options): EpochJobs {
  const objects = new EpochObjects(store)
  return { objects, settings, plan: exactPlanOf(dedup), signal: never, waitMsMax: 60_000, onEpoch: () => undefined }
}

async function differingBlocks(store: ObjectStore, blocks: readonly PreparedBlock[], wanted: readonly unknown[]) {
  const verdicts = new EpochVerdicts(new EpochObjects(store))
  let differing = 0
  for (const { number, chunks } of blocks) {
    if (!isDeepStrictEqual(await verdicts.of(number, chunks), wanted[number])) differing++
  }
  return differing
}

t.test('the verdicts are those of one index, for every size of epochs and number of parts', async (t) => {
  const blocks = blocksOf(300)
  const plans = { both: options, keys: dedupOptions.parse({ near: false, index: 'exact' }) }
  for (const [name, dedup] of Object.entries(plans)) {
    const wanted = await inOneIndex(t.testdir(), blocks, dedup)
    t.ok(wanted.flat().filter((each) => each !== null).length > 50, 'there are duplicates')
    for (const epochRows of name === 'both' ? [64, 150, 1000] : [64]) {
      for (const parts of name === 'both' ? [1, 3, 16] : [3]) {
        const store = memoryStore()
        const settings = { parts, epochRows }
        await mapBlocks(store, blocks, settings)
        await resolveEpochs(jobsOver(store, settings, dedup), { scratch: '', elsewhere: false })
        t.equal(await differingBlocks(store, blocks, wanted), 0, `${name}: epochs of ${epochRows}, ${parts} parts`)
      }
    }
  }
})

t.test('several processes work on the parts, two of them on the same one', async (t) => {
  const blocks = blocksOf(150)
  const wanted = await inOneIndex(t.testdir(), blocks, options)
  const settings = { parts: 3, epochRows: 40 }
  const store = memoryStore()
  const working = [0, 1, 1, 2].map((part) => workOnPart(jobsOver(store, settings), part))
  await mapBlocks(store, blocks, settings)
  await resolveEpochs(jobsOver(store, settings), { scratch: '', elsewhere: true })
  await Promise.all(working)
  t.equal(await differingBlocks(store, blocks, wanted), 0)
  const waiting = { ...jobsOver(memoryStore(), settings), waitMsMax: 0 }
  await t.rejects(workOnPart(waiting, 0), LimitError, 'nobody maps the input')
})

/** A store that fails at operation N, before or after it took effect. */
function failingAt(store: ObjectStore, operation: number, after: boolean) {
  const count = { operations: 0 }
  const failing = new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]) => {
        const fails = count.operations++ === operation
        if (fails && !after) throw new Error('crash')
        const result = await value.apply(target, args)
        if (fails) throw new Error('crash')
        return result
      }
    },
  })
  return { store: failing, count }
}

t.test('a crash at any operation of the store leaves nothing half done', async (t) => {
  const blocks = blocksOf(30)
  const wanted = await inOneIndex(t.testdir(), blocks, options)
  const settings = { parts: 2, epochRows: 15 }
  const scratch = { scratch: '', elsewhere: false }
  let operations = 1
  for (let operation = 0; operation < operations; operation++) {
    const store = memoryStore()
    const failing = failingAt(store, operation, operation % 2 === 1)
    const work = async (over: ObjectStore) => {
      await mapBlocks(over, blocks, settings)
      await resolveEpochs(jobsOver(over, settings), scratch)
    }
    if (operation === 0) {
      const whole = failingAt(memoryStore(), -1, false)
      await work(whole.store)
      operations = whole.count.operations
    }
    const crashed = await work(failing.store).then(
      () => false,
      (error: Error) => error.message === 'crash',
    )
    if (!crashed) t.fail(`operation ${operation} did not fail`)
    await work(store)
    const differing = await differingBlocks(store, blocks, wanted)
    if (differing > 0) t.fail(`operation ${operation}: ${differing} blocks differ`)
  }
  t.ok(operations > 30, `${operations} operations`)
})

t.test('a damaged text or a block with other rows ends the job with its place', async (t) => {
  const blocks = blocksOf(60)
  const settings = { parts: 1, epochRows: 30 }
  const store = memoryStore()
  await mapBlocks(store, blocks, settings)
  const texts = (await store.get(textsKey(0))) as Uint8Array
  await store.put(
    textsKey(0),
    texts.map((byte) => byte ^ 1),
  )
  await t.rejects(resolveEpochs(jobsOver(store, settings), { scratch: '', elsewhere: false }), CorruptFileError)
  await store.put(textsKey(0), texts)
  await resolveEpochs(jobsOver(store, settings), { scratch: '', elsewhere: false })
  const verdicts = new EpochVerdicts(new EpochObjects(store))
  const [{ chunks }] = blocks as [PreparedBlock]
  const changed = { code: 'KUN_CORRUPT_FILE', message: /block 0 has other chunks/ }
  await t.rejects(verdicts.of(0, { ...chunks, rows: 4 }), changed)
  await t.rejects(verdicts.of(0, { ...chunks, fingerprint: chunks.fingerprint.map((byte) => byte ^ 1) }), changed)
  await t.resolves(verdicts.of(0, chunks))
  await t.rejects(verdicts.of(99, chunks), { code: 'KUN_CORRUPT_FILE', message: /more blocks/ })
})
