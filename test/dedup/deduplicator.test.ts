import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, cpSync, mkdtempSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import {
  type Duplicate,
  dedupOptions,
  type OpenDeduplicatorOptions,
  openDeduplicator,
  signedBlock,
} from '../../lib/dedup/index.js'
import { ContractError, RunMismatchError, SourceNotFoundError } from '../../lib/errors.js'
import { createSigner } from '../../lib/text/signature.js'
import { randomBelow } from '../support/random.js'
import { edited, jaccard, letters } from './planted.js'

const seed = Number(process.env.TEST_SEED ?? 20261123)
t.comment(`seed ${seed}`)

/** Of the threads that decide; without one the main thread does. */
const threadCounts = [1, 2, 3, 4, 6, 10]

const signer = await createSigner()
const exact = dedupOptions.parse({ index: 'exact' })
const id = (n: number) => n.toString(16).padStart(32, '0')

const roots = new WeakMap<Test, string>()

/** A new folder in the test's own. */
function fresh(test: Test): string {
  const root = roots.get(test) ?? test.testdir({})
  roots.set(test, root)
  return mkdtempSync(join(root, 'd-'))
}

interface Decided {
  readonly verdicts: (Duplicate | null)[]
  readonly logBytes: number
}

/** Decides texts in blocks of `rows`, ids by ordinal; goes on after `lastBlock` when the log holds some already. */
async function run(given: OpenDeduplicatorOptions, texts: readonly string[], rows = 7, untilBlock = Infinity) {
  const deduplicator = await openDeduplicator(given)
  const blocks: Decided[] = []
  for (let block = 0; block * rows < texts.length && block < untilBlock; block++) {
    if (block <= deduplicator.lastBlock) continue
    const slice = texts.slice(block * rows, (block + 1) * rows)
    const ids = slice.map((_, row) => id(block * rows + row))
    const { verdicts } = await deduplicator.decide(signedBlock(block, slice, signer), ids)
    blocks.push({ verdicts: [...verdicts], logBytes: deduplicator.logBytes })
  }
  await deduplicator.flush()
  const stats = deduplicator.stats()
  await deduplicator.close()
  const { lastBlock, lostBytes } = deduplicator
  return { blocks, verdicts: blocks.flatMap((block) => block.verdicts), stats, lastBlock, lostBytes }
}

/** Originals, copies at all rates, unrelated texts, short ones; copies after what they copy. */
function planted(count: number, start: number) {
  const random = randomBelow(start)
  const texts: string[] = []
  const originals: string[] = []
  const pairs: { copy: number; similarity: number }[] = []
  while (texts.length < count) {
    const original = originals[random(originals.length)]
    if (original === undefined || original.length < 40 || random(3) > 0) {
      const text = letters(random, random(12) === 0 ? 1 + random(6) : 40 + random(700))
      originals.push(text)
      texts.push(text)
      continue
    }
    const copy = edited(original, random(90) / 1000, random)
    pairs.push({ copy: texts.length, similarity: jaccard(original, copy) })
    texts.push(copy)
  }
  return { texts, pairs }
}

t.test('planted pairs at 0.8 and above are found, and nothing is removed without a kept partner', async (t) => {
  const { texts, pairs } = planted(3000, seed)
  const { verdicts, stats } = await run({ options: exact, directory: fresh(t), documentsExpected: 3000 }, texts, 97)
  const near = pairs.filter((pair) => pair.similarity >= 0.8)
  const found = near.filter((pair) => verdicts[pair.copy] !== null)
  t.ok(near.length > 200, `${near.length} pairs at .8 and above`)
  t.ok(found.length / near.length >= 0.99, `${found.length} of ${near.length} found`)
  const removed = verdicts.flatMap((verdict, row) => (verdict === null ? [] : [{ verdict, row }]))
  const wrong = removed.filter(({ verdict, row }) => {
    const kept = Number.parseInt(verdict.of, 16)
    return verdicts[kept] !== null || kept >= row || jaccard(texts[kept] as string, texts[row] as string) < 0.78
  })
  t.ok(wrong.length <= removed.length * 0.01, `${wrong.length} of ${removed.length} removed without a kept partner`)
  t.equal(stats.documents, verdicts.filter((verdict) => verdict === null).length)
})

t.test('the similarity of a pair that was compared by text is exact', async (t) => {
  const random = randomBelow(seed + 5)
  const texts: string[] = []
  for (let i = 0; i < 60; i++) {
    const original = letters(random, 300)
    texts.push(original, edited(original, 0.02 + random(30) / 1000, random))
  }
  const { verdicts } = await run({ options: exact, directory: fresh(t) }, texts)
  let settled = 0
  for (let row = 1; row < texts.length; row += 2) {
    const similarity = jaccard(texts[row - 1] as string, texts[row] as string)
    const verdict = verdicts[row] ?? null
    if (similarity > 0.99 || similarity < 0.6) continue
    if (verdict !== null && verdict.similarity < 0.9) {
      t.equal(verdict.similarity, similarity)
      settled++
    }
    if (similarity >= 0.8 && similarity < 0.85) t.not(verdict, null, `pair at ${similarity}`)
    if (similarity < 0.8 && similarity > 0.72) t.equal(verdict, null, `pair at ${similarity}`)
  }
  t.ok(settled > 5, `${settled} pairs were settled by their texts`)
})

t.test('texts of 1 to 6 characters are duplicates only when they are equal', async (t) => {
  const random = randomBelow(seed + 1)
  const texts = Array.from({ length: 800 }, () => letters(random, 1 + random(6)))
  texts.push('！', '？', '！', '…', 'a', 'b', '𠮷', '', '')
  const { verdicts } = await run({ options: exact, directory: fresh(t) }, texts)
  const first = new Map<string, number>()
  texts.forEach((text, row) => {
    const earlier = first.get(text)
    if (earlier === undefined) first.set(text, row)
    const expected = earlier === undefined ? null : { reason: 'exact-duplicate', of: id(earlier), similarity: 1 }
    t.same(verdicts[row], expected, JSON.stringify(text))
  })
})

t.test('a chain A~B~C keeps C when C is not near A', async (t) => {
  const random = randomBelow(seed + 2)
  const a = letters(random, 600)
  const b = `${a.slice(0, 540)}${letters(random, 60)}`
  const c = `${letters(random, 60)}${b.slice(60)}`
  t.ok(jaccard(a, b) > 0.8 && jaccard(b, c) > 0.8 && jaccard(a, c) < 0.7)
  const { verdicts } = await run({ options: exact, directory: fresh(t) }, [a, b, c])
  t.equal(verdicts[0], null)
  t.match(verdicts[1], { reason: 'near-duplicate', of: id(0) })
  t.equal(verdicts[2], null)
})

t.test('of several matches the earliest counts', async (t) => {
  const random = randomBelow(seed + 3)
  const middle = letters(random, 600)
  const first = `${letters(random, 50)}${middle.slice(50)}`
  const second = `${middle.slice(0, 550)}${letters(random, 50)}`
  t.ok(jaccard(first, second) < 0.79)
  t.ok(jaccard(first, middle) > 0.82 && jaccard(second, middle) > 0.82)
  const { verdicts } = await run({ options: exact, directory: fresh(t) }, [first, second, middle])
  t.match(verdicts, [null, null, { reason: 'near-duplicate', of: id(0) }])
  const turned = await run({ options: exact, directory: fresh(t) }, [second, first, middle])
  t.match(turned.verdicts, [null, null, { reason: 'near-duplicate', of: id(0) }])
})

t.test('a copy that differs in punctuation, width and case only is an exact duplicate', async (t) => {
  const texts = ['今天ＡＢＣ，天气不错。', '今天abc天气不错', '今天abd天气不错']
  const { verdicts } = await run({ options: exact, directory: fresh(t) }, texts)
  t.match(verdicts, [null, { reason: 'exact-duplicate', of: id(0), similarity: 1 }, null])
  const without = await run({ options: dedupOptions.parse({ exact: false, near: false }), directory: fresh(t) }, texts)
  t.same(without.verdicts, [null, null, null])
})

t.test('verdicts do not depend on the size of blocks or a kill at any block, in either kind of index', async (t) => {
  const { texts } = planted(400, seed + 4)
  for (const index of ['exact', 'bloom'] as const) {
    const options = dedupOptions.parse({ index })
    const whole = await run({ options, directory: fresh(t), documentsExpected: 1000 }, texts, 20)
    const blocks = whole.blocks.length
    const other = await run({ options, directory: fresh(t), documentsExpected: 1000 }, texts, 3)
    t.same(other.verdicts, whole.verdicts, 'blocks of 3')
    for (let cut = 0; cut <= blocks; cut += 4) {
      const directory = fresh(t)
      const given = { options, directory, documentsExpected: 1000 }
      // Decides two blocks past the cut, so that there is something to take back.
      const before = await run(given, texts, 20, cut + 2)
      const committedLogBytes = cut === 0 ? 0 : (before.blocks[cut - 1]?.logBytes as number)
      const after = await run({ ...given, committedLogBytes }, texts, 20)
      t.equal(after.lastBlock, cut - 1)
      t.equal(after.lostBytes, 0)
      t.same(after.verdicts, whole.verdicts.slice(cut * 20), `${index}, cut after ${cut} blocks`)
    }
  }
})

t.test('a torn tail is removed, with a warning, and the run continues after the last complete block', async (t) => {
  const { texts } = planted(200, seed + 6)
  const directory = fresh(t)
  const whole = await run({ options: exact, directory: fresh(t) }, texts, 20)
  await run({ options: exact, directory }, texts, 20, 6)
  truncateSync(join(directory, 'index'), statSync(join(directory, 'index')).size - 5)
  appendFileSync(join(directory, 'index.texts'), 'not a frame')
  const warnings: string[] = []
  const after = await run({ options: exact, directory, onWarning: (message) => warnings.push(message) }, texts, 20)
  t.equal(after.lastBlock, 4)
  t.match(warnings, [/bytes at the end were removed, the last complete block is 4/])
  t.same(after.verdicts, whole.verdicts.slice(5 * 20))
})

t.test(
  'damage before the committed length, in log or texts, is reported and its blocks are decided again',
  async (t) => {
    const { texts } = planted(200, seed + 7)
    const whole = await run({ options: exact, directory: fresh(t) }, texts, 20)
    for (const [name, share] of [
      ['index', 0.6],
      ['index.texts', 0.6],
      ['index', 0.999],
      ['index.texts', 0.001],
    ] as const) {
      const directory = fresh(t)
      const before = await run({ options: exact, directory }, texts, 20)
      const path = join(directory, name)
      const bytes = readFileSync(path)
      // A header that is damaged is refused elsewhere: the first frame ends before byte 300.
      const at = Math.max(300, Math.floor(bytes.length * share))
      bytes[at] = (bytes[at] as number) ^ 0x55
      writeFileSync(path, bytes)
      const committedLogBytes = before.blocks.at(-1)?.logBytes as number
      const warnings: string[] = []
      const given = {
        options: exact,
        directory,
        committedLogBytes,
        onWarning: (message: string) => warnings.push(message),
      }
      const after = await run(given, texts, 20)
      t.ok(after.lostBytes > 0, `${name} at ${share}: ${after.lostBytes} bytes lost`)
      t.ok(after.lastBlock < 9 && after.lastBlock >= -1)
      t.match(warnings, [/decided again from the input/])
      t.same(after.verdicts, whole.verdicts.slice((after.lastBlock + 1) * 20))
      t.equal(after.blocks.at(-1)?.logBytes, committedLogBytes, 'the log is what it was')
    }
  },
)

t.test('a log made with other settings is refused with the difference', async (t) => {
  const directory = fresh(t)
  await run({ options: exact, directory }, ['一二三四五六七'])
  for (const [near, difference] of [
    [{ ngram: 6 }, /near\.ngram was 5, is 6/],
    [{ minima: 64 }, /near\.bands was 21, is/],
    [{ seed: 9 }, /near\.seed was 1, is 9/],
    [{ threshold: 0.9 }, /near\.\w+ was .*, is /],
  ] as const) {
    const options = dedupOptions.parse({ near, index: 'exact' })
    const error = await openDeduplicator({ options, directory }).catch((cause: unknown) => cause)
    t.ok(error instanceof RunMismatchError)
    t.match((error as Error).message, difference)
  }
})

t.test(
  'documents that earlier runs kept are dropped under their ids there, near copies after comparing texts',
  async (t) => {
    const random = randomBelow(seed + 8)
    const [old, other] = [letters(random, 300), letters(random, 200)]
    const copy = `${old.slice(0, 276)}${letters(random, 24)}`
    const earlier = fresh(t)
    await run({ options: exact, directory: join(earlier, 'dedup') }, [letters(random, 300), old])
    for (const named of [earlier, join(earlier, 'dedup'), join(earlier, 'dedup', 'index')]) {
      const options = dedupOptions.parse({ index: 'exact', against: [named] })
      const directory = join(fresh(t), 'dedup')
      const texts = [other, copy, old, `${other}。`]
      const { verdicts, stats } = await run({ options, directory }, texts)
      t.match(verdicts[1], { reason: 'near-duplicate', of: id(1), similarity: jaccard(old, copy) })
      t.match(verdicts, [null, {}, { reason: 'exact-duplicate', of: id(1) }, { reason: 'exact-duplicate', of: id(0) }])
      t.equal(stats.documents, 3)
      const again = await run({ options, directory }, [...texts, letters(random, 9), copy], 4)
      t.match(again.verdicts, [null, { of: id(1) }], 'after a resume too')
    }
    const seeds = dedupOptions.parse({ index: 'exact', near: { seed: 2 }, against: [earlier] })
    await t.rejects(openDeduplicator({ options: seeds, directory: fresh(t) }), RunMismatchError)
    const missing = dedupOptions.parse({ against: [join(earlier, 'nowhere')] })
    await t.rejects(openDeduplicator({ options: missing, directory: fresh(t) }), SourceNotFoundError)
  },
)

t.test('earlier runs without their texts are compared by estimate, with a warning', async (t) => {
  const random = randomBelow(seed + 9)
  const old = letters(random, 300)
  const earlier = fresh(t)
  await run({ options: exact, directory: earlier }, [old])
  const bare = fresh(t)
  cpSync(join(earlier, 'index'), join(bare, 'only'))
  const options = dedupOptions.parse({ index: 'exact', against: [join(bare, 'only')] })
  const warnings: string[] = []
  const given = { options, directory: fresh(t), onWarning: (message: string) => warnings.push(message) }
  const { verdicts } = await run(given, [edited(old, 0.01, random), old])
  t.match(verdicts, [{ reason: 'near-duplicate' }, { reason: 'exact-duplicate' }])
  t.match(warnings, [/found by estimate alone/])
})

t.test('ids of any form are returned unchanged', async (t) => {
  const random = randomBelow(seed + 10)
  const texts = Array.from({ length: 9 }, () => letters(random, 50))
  const names = ['', 'a', '文章-一', id(7), 'x'.repeat(400), id(255), 'F'.repeat(32), '1', 'null']
  const directory = fresh(t)
  for (const resumed of [false, true]) {
    const deduplicator = await openDeduplicator({ options: exact, directory })
    if (!resumed) await deduplicator.decide(signedBlock(0, texts, signer), names)
    const again = await deduplicator.decide(
      signedBlock(resumed ? 2 : 1, texts, signer),
      texts.map((_, i) => id(100 + i)),
    )
    t.same(
      again.verdicts.map((verdict) => verdict?.of),
      names,
    )
    await deduplicator.close()
  }
})

t.test('verdicts of a Bloom index are marked as unverified', async (t) => {
  const random = randomBelow(seed + 11)
  const text = letters(random, 500)
  const options = dedupOptions.parse({ index: 'bloom' })
  const texts = [text, letters(random, 400), `${text}。`, edited(text, 0.004, random), letters(random, 300)]
  const { verdicts } = await run({ options, directory: fresh(t), documentsExpected: 1000 }, texts)
  const unverified = { reason: 'near-duplicate-unverified', of: '', similarity: Number.NaN }
  t.same(verdicts, [null, null, unverified, unverified, null])
})

t.test('blocks out of order and columns that do not match the settings are refused', async (t) => {
  const deduplicator = await openDeduplicator({ options: exact, directory: fresh(t) })
  await deduplicator.decide(signedBlock(3, ['一'], signer), [id(0)])
  await t.rejects(deduplicator.decide(signedBlock(3, ['一'], signer), [id(0)]), ContractError)
  await t.rejects(deduplicator.decide(signedBlock(4, ['一'], signer), []), ContractError)
  const plain = await createSigner({ signatureLength: 0 })
  await t.rejects(deduplicator.decide(signedBlock(4, ['一'], plain), [id(0)]), ContractError)
  await deduplicator.close()
})

t.test(
  'after a block that failed every later one says so with its cause, and the log opens at the block before',
  async (t) => {
    const given = { options: exact, directory: fresh(t) }
    const texts = planted(20, seed).texts.slice(0, 14)
    const deduplicator = await openDeduplicator(given)
    const block = (number: number) => signedBlock(number, texts.slice(number * 7, number * 7 + 7), signer)
    const ids = (number: number) => texts.slice(0, 7).map((_, row) => id(number * 7 + row))
    await deduplicator.decide(block(0), ids(0))
    // An id that cannot be read, in the middle of the block: rows before it are in the index already.
    const broken = new Proxy(ids(1), {
      get(target, key) {
        if (key === '3') throw new RangeError('the id cannot be read')
        return Reflect.get(target, key)
      },
    })
    await t.rejects(deduplicator.decide(block(1), broken), { message: 'the id cannot be read' })
    const again = {
      code: 'KUN_CONTRACT',
      message: /block 1 after a failure: the id cannot be read\. Open the index again/,
    }
    await t.rejects(
      deduplicator.decide(block(1), ids(1)),
      again as never,
      'not: given before the verdict on the one before',
    )
    await deduplicator.close()
    const opened = await openDeduplicator(given)
    t.equal(opened.lastBlock, 0, 'nothing of the failed block is in the log')
    const { verdicts } = await opened.decide(block(1), ids(1))
    await opened.close()
    const whole = await run({ options: exact, directory: fresh(t) }, texts)
    t.strictSame([...verdicts], whole.verdicts.slice(7), 'and it is decided as if it had never failed')
  },
)

t.test('verdicts and the bytes of both logs are the same in a thread, also after a kill at any block', async (t) => {
  const { texts } = planted(300, seed + 12)
  const bytesOf = (directory: string) => ['index', 'index.texts'].map((name) => readFileSync(join(directory, name)))
  const alone = fresh(t)
  const whole = await run({ options: exact, directory: alone }, texts, 20)
  for (const threads of threadCounts) {
    for (const cut of [0, 9]) {
      const directory = fresh(t)
      const before = await run({ options: exact, directory, threads }, texts, 20, cut + 3)
      const committedLogBytes = cut === 0 ? 0 : (before.blocks[cut - 1]?.logBytes as number)
      const after = await run({ options: exact, directory, threads, committedLogBytes }, texts, 20)
      t.same(before.verdicts, whole.verdicts.slice(0, (cut + 3) * 20), `${threads} threads`)
      t.same(after.verdicts, whole.verdicts.slice(cut * 20), `${threads} threads, after ${cut} blocks`)
      t.same(after.stats.documents, whole.stats.documents)
      t.ok(
        bytesOf(directory).every((bytes, log) => bytes.equals(bytesOf(alone)[log] as Buffer)),
        'the same logs',
      )
    }
  }
})

t.test('blocks may be given while the one before is decided; after the thread died every call fails', async (t) => {
  const { texts } = planted(200, seed + 13)
  const options = dedupOptions.parse({ index: 'exact' })
  const blockOf = (number: number) => signedBlock(number, texts.slice(number * 20, number * 20 + 20), signer)
  const whole = await run({ options, directory: fresh(t) }, texts.slice(0, 100), 20)
  const directory = fresh(t)
  const workers: Worker[] = []
  const onWorker = (worker: Worker) => workers.push(worker)
  process.on('worker', onWorker)
  t.teardown(() => process.off('worker', onWorker))
  const deduplicator = await openDeduplicator({ options, directory, threads: 1 })
  const decided = await Promise.all([0, 1, 2, 3, 4].map((number) => deduplicator.decide(blockOf(number), null)))
  const kept = ({ verdicts }: { verdicts: readonly (Duplicate | null)[] }) =>
    verdicts.map((verdict) => verdict === null)
  t.same(decided.flatMap(kept), kept(whole))
  t.same(
    decided.map(({ logBytes }) => logBytes),
    decided.map(({ logBytes }) => logBytes).sort((a, b) => a - b),
  )
  await deduplicator.flush()
  await workers[0]?.terminate()
  await t.rejects(deduplicator.decide(blockOf(5), null), { code: 'KUN_WORKER_LOST', message: /it resumes/ })
  await t.rejects(deduplicator.decide(blockOf(6), null), { code: 'KUN_CONTRACT', message: /after a failure/ })
  await deduplicator.close()
  const resumed = await openDeduplicator({ options, directory, threads: 1 })
  t.equal(resumed.lastBlock, 4)
  await resumed.close()
})

t.test('closing waits for a thread whose last reply has arrived and was not received yet', async (t) => {
  const at = (name: string) => JSON.stringify(new URL(`../../lib/${name}`, import.meta.url).href)
  // The calling thread is blocked until the other one is idle again: its reply is in the queue when it is terminated.
  const script = `
    const { dedupOptions, openDeduplicator, signedBlock } = await import(${at('dedup/index.js')})
    const { createSigner } = await import(${at('text/signature.js')})
    const signer = await createSigner()
    const blockOf = (number) => signedBlock(number, ['同一段文字' + number], signer)
    let thread
    process.on('worker', (worker) => (thread = worker))
    const options = dedupOptions.parse({ index: 'exact' })
    const deduplicator = await openDeduplicator({ options, directory: process.argv[1], threads: 1 })
    await deduplicator.decide(blockOf(0), null)
    const before = thread.performance.eventLoopUtilization()
    const since = () => thread.performance.eventLoopUtilization(before)
    const deciding = deduplicator.decide(blockOf(1), null)
    for (let last = since(), idle = false; !idle; ) {
      for (const end = performance.now() + 5; performance.now() < end; );
      const next = since()
      idle = last.active > 0.005 && next.active - last.active < 1
      last = next
    }
    const [closed, decided] = await Promise.allSettled([deduplicator.close(), deciding])
    process.stdout.write(closed.status + ' ' + decided.reason?.code)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script, fresh(t)])
  let [out, err] = ['', '']
  child.stdout.on('data', (bytes) => (out += bytes))
  child.stderr.on('data', (bytes) => (err += bytes))
  const [code] = await once(child, 'close')
  t.strictSame([code, out], [0, 'fulfilled KUN_ABORTED'], err)
})
