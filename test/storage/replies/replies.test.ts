import { copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { replyKey } from '../../../lib/llm/protocol/request-identity.js'
import { type FileLayer, nodeFiles } from '../../../lib/storage/files.js'
import { openReplies, type Replies } from '../../../lib/storage/replies/replies.js'
import type { CallResult } from '../../../lib/storage/replies/types.js'
import { call, chatReply, modelServer, sendJson } from '../../llm/model-server.js'
import { openModel } from '../../llm/open-model.js'
import { CrashingFiles } from '../../support/crashing-files.js'

const key = (n: number) => replyKey(`r${n}`, 'label', 0, '{}')
const outcome = (n: number): CallResult => ({
  reply: { text: `回答 ${n} ${'字'.repeat(n % 50)}`, finishReason: 'stop', promptTokens: n, completionTokens: 1 },
})

/** Numbers from `start` to `end` whose reply is not the one that was kept. */
async function missing(replies: Replies, start: number, end: number, step = 1): Promise<number[]> {
  const numbers: number[] = []
  for (let n = start; n < end; n += step) {
    if (!isDeepStrictEqual(await replies.find(key(n)), outcome(n))) numbers.push(n)
  }
  return numbers
}

t.test('What was kept is served again by the same run and by one opened later; the first entry wins', async (t) => {
  const directory = join(t.testdir(), 'replies')
  const replies = await openReplies({ files: nodeFiles, directory })
  t.equal(await replies.find(key(1)), null)
  await replies.keep(key(1), 0, outcome(1))
  await replies.keep(key(1), 0, outcome(2))
  await replies.keep(key(3), 0, { verdict: { reason: 'deadline', detail: '…' } })
  t.strictSame(await replies.find(key(1)), outcome(1))
  await replies.close()
  const later = await openReplies({ files: nodeFiles, directory })
  t.strictSame(await later.find(key(1)), outcome(1))
  t.strictSame(await later.find(key(3)), { verdict: { reason: 'deadline', detail: '…' } })
  t.equal(later.size, 2)
  await later.close()
})

t.test(
  'Closed segments are packed, and every reply is found while that goes on, after it, and when opened again',
  async (t) => {
    const directory = join(t.testdir(), 'replies')
    const options = { files: nodeFiles, directory, segmentBytes: 8192 }
    const replies = await openReplies(options)
    for (let n = 0; n < 1000; n++) {
      await replies.keep(key(n), n, outcome(n))
      if (n % 7 === 0) t.strictSame(await replies.find(key(n >> 1)), outcome(n >> 1))
    }
    await replies.close()
    for (let round = 0; round < 3; round++) {
      const again = await openReplies(options)
      const found = await Promise.all(Array.from({ length: 1000 }, (_, n) => again.find(key(n))))
      t.strictSame(
        found,
        Array.from({ length: 1000 }, (_, n) => outcome(n)),
      )
      await again.close()
    }
    const names = readdirSync(directory)
    t.ok(names.filter((name) => name.endsWith('.pack')).length > 5, `packed: ${names}`)
    t.notOk(names.some((name) => name.endsWith('.writing')))
  },
)

t.test(
  'However many segments are read, one file is open for it: a run may have more than a process may open',
  async (t) => {
    const earlier = join(t.testdir(), 'earlier')
    const first = await openReplies({ files: nodeFiles, directory: earlier, segmentBytes: 4096 })
    for (let n = 0; n < 400; n++) await first.keep(key(n), n, outcome(n))
    await first.close()
    t.ok(readdirSync(earlier).length > 8, 'many segments')
    const counted = { open: 0, most: 0 }
    const replies = await openReplies({
      files: countingFiles(counted),
      directory: join(earlier, 'next'),
      from: [earlier],
    })
    const before = counted.open
    t.strictSame(await missing(replies, 0, 400), [])
    t.equal(counted.open, before)
    t.ok(counted.most <= before + 1, `${counted.most} open at once, ${before} of them the run's own`)
    await replies.close()
    t.equal(counted.open, 0)
  },
)

/** The real files; `counted` says how many are open. */
function countingFiles(counted: { open: number; most: number }): FileLayer {
  return {
    ...nodeFiles,
    async open(path, mode) {
      const file = await nodeFiles.open(path, mode)
      counted.most = Math.max(counted.most, ++counted.open)
      const close = file.close.bind(file)
      file.close = async () => {
        counted.open--
        await close()
      }
      return file
    },
  }
}

t.test('A log torn at any byte keeps every whole reply before it, and goes on', async (t) => {
  const small = (n: number): CallResult => ({ verdict: { reason: 'r', detail: `${n}` } })
  // In memory: a file of its own for every byte.
  const directory = '/disk/replies'
  const whole = new CrashingFiles('/disk')
  const made = await openReplies({ files: whole, directory })
  for (const n of [1, 2, 3]) await made.keep(key(n), 0, small(n))
  await made.close()
  const [[name, bytes]] = Object.entries(whole.contents()) as [[string, Buffer]]
  for (let length = 0; length <= bytes.length; length++) {
    const files = new CrashingFiles('/disk')
    await files.makeDirectory(directory)
    const torn = await files.open(join('/disk', name), 'create')
    await torn.write(bytes.subarray(0, length))
    await torn.close()
    const replies = await openReplies({ files, directory })
    const found = await Promise.all([1, 2, 3].map((n) => replies.find(key(n))))
    const kept = found.filter((entry) => entry !== null)
    if (kept.length !== replies.size) t.fail(`at ${length} the index has ${replies.size} of ${kept.length}`)
    for (const [place, entry] of kept.entries()) t.strictSame(entry, small(place + 1))
    for (const n of [1, 2, 3]) await replies.keep(key(n), 0, small(n))
    await replies.close()
    const later = await openReplies({ files, directory })
    t.strictSame(await later.find(key(3)), small(3), `cut at ${length} of ${bytes.length}`)
    await later.close()
  }
})

t.test(
  'An earlier run serves its replies without being changed, and what is served becomes the new run’s own',
  async (t) => {
    const folder = t.testdir()
    const [earlier, directory] = [join(folder, 'earlier'), join(folder, 'later')]
    const first = await openReplies({ files: nodeFiles, directory: earlier, segmentBytes: 4096 })
    for (let n = 0; n < 300; n++) await first.keep(key(n), 0, outcome(n))
    await first.close()
    const before = readdirSync(earlier).map((name) => [name, readFileSync(join(earlier, name)).toString('hex')])
    const second = await openReplies({ files: nodeFiles, directory, from: [earlier] })
    t.strictSame(await missing(second, 0, 300, 3), [])
    await second.close()
    t.strictSame(
      readdirSync(earlier).map((name) => [name, readFileSync(join(earlier, name)).toString('hex')]),
      before,
    )
    const alone = await openReplies({ files: nodeFiles, directory })
    t.equal(alone.size, 100)
    await alone.close()
  },
)

t.test('With discard, segments that only committed cuts need are deleted, and the rest still serves', async (t) => {
  const directory = join(t.testdir(), 'replies')
  const options = { files: nodeFiles, directory, mode: 'discard' as const, segmentBytes: 4096 }
  const replies = await openReplies(options)
  for (let n = 0; n < 400; n++) await replies.keep(key(n), n >> 3, outcome(n))
  await replies.flush()
  const before = readdirSync(directory).length
  await replies.forgetBefore(25)
  t.ok(readdirSync(directory).length < before)
  t.strictSame(await missing(replies, 200, 400), [])
  t.equal(await replies.find(key(0)), null)
  await replies.close()
  // The log of this one is the last: it goes when it is closed.
  const again = await openReplies(options)
  t.strictSame(await missing(again, 200, 400), [])
  await again.keep(key(400), 50, outcome(400))
  await again.forgetBefore(51)
  await again.close()
  t.strictSame(readdirSync(directory), [], 'everything is committed: nothing is left')
})

t.test(
  'However long a run is, only keys that may be asked for stay in memory; every reply stays on disk',
  async (t) => {
    const directory = join(t.testdir(), 'replies')
    const options = { files: nodeFiles, directory, segmentBytes: 4096 }
    const replies = await openReplies(options)
    let most = 0
    for (let n = 0; n < 2000; n++) {
      const block = n >> 3
      await replies.keep(key(n), block, outcome(n))
      if (n % 80 === 79) await replies.forgetBefore(block - 9)
      const earlier = Math.max(0, n - 72)
      if (!isDeepStrictEqual(await replies.find(key(earlier)), outcome(earlier)))
        t.fail(`reply ${earlier} is not found`)
      most = Math.max(most, replies.size)
    }
    t.ok(most < 500, `${most} of 2000 keys at most`)
    await replies.close()
    const again = await openReplies(options)
    t.equal(again.size, 2000)
    t.strictSame(await missing(again, 0, 2000, 7), [])
    await again.forgetBefore(125)
    t.ok(again.size < 2000, 'a run that goes on forgets what was committed before')
    t.strictSame(await missing(again, 1000, 2000, 7), [])
    await again.close()
  },
)

t.test(
  'flush returns after an fsync that covers what was kept before it; a full disk is an error, not a loss',
  async (t) => {
    const folder = t.testdir({ copy: {} })
    const directory = join(folder, 'replies')
    let fsyncs = 0
    let full = false
    const files: FileLayer = {
      ...nodeFiles,
      open: async (path, mode) => {
        const file = await nodeFiles.open(path, mode)
        return {
          path: file.path,
          read: (offset, lengthBytes) => file.read(offset, lengthBytes),
          truncate: (lengthBytes) => file.truncate(lengthBytes),
          close: () => file.close(),
          write: (bytes) => (full ? Promise.reject(new Error('ENOSPC')) : file.write(bytes)),
          fsync: async () => {
            await file.fsync()
            fsyncs++
          },
        }
      },
    }
    const replies = await openReplies({ files, directory })
    const opened = fsyncs
    await replies.keep(key(1), 0, outcome(1))
    await replies.flush()
    t.equal(fsyncs, opened + 1)
    const copy = join(folder, 'copy')
    for (const name of readdirSync(directory)) copyFileSync(join(directory, name), join(copy, name))
    const crashed = await openReplies({ files: nodeFiles, directory: copy })
    t.strictSame(await crashed.find(key(1)), outcome(1))
    await crashed.close()
    full = true
    await replies.keep(key(2), 0, outcome(2))
    await t.rejects(replies.flush(), { message: /ENOSPC/ })
    await t.rejects(replies.close(), { message: /ENOSPC/ })
  },
)

t.test('A run opened again asks nothing that was answered: bad replies and verdicts included', async (t) => {
  const directory = join(t.testdir(), 'replies')
  const long = { error: { message: 'the context length is only 8' } }
  const server = await modelServer(t, ({ body, response }) => {
    if (JSON.stringify(body).includes('text 1"')) return chatReply(server.asked.length < 3 ? '' : '好')
    return sendJson(response, 400, long)
  })
  const answers: object[][] = []
  for (const round of [1, 2]) {
    const replies = await openReplies({ files: nodeFiles, directory })
    const model = await openModel({ model: { model: 'x', endpoints: [server.url] }, seed: 7, replies, probe: false })
    const fault = (reply: { text: string }) => (reply.text === '' ? 'empty' : null)
    answers.push([await model.ask(call(1, { fault })), await model.ask(call(2, { fault }))])
    await model.servers.close()
    await replies.close()
    if (round === 1)
      t.match(answers[0], [{ reply: { text: '好' }, attempt: 2 }, { verdict: { reason: 'context-length' } }])
  }
  const again = answers[0]?.map((answer) => ({ ...answer, kept: true }))
  t.strictSame(answers[1], again, 'the same answers, said to be kept ones')
  t.equal(server.asked.length, 4)
})
