import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Clock } from '../../lib/core/types.js'
import type { ObjectStore } from '../../lib/objects/object-store.js'
import { type ReplyShipping, shipReplies } from '../../lib/objects/reply-shipping.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { openReplies, type Replies } from '../../lib/storage/replies/replies.js'
import type { CallResult } from '../../lib/storage/replies/types.js'
import { keysOf } from './contract.js'
import { s3Bench } from './s3-support.js'

const keyOf = (n: number): Uint8Array => Buffer.alloc(16, `key ${n} `)
const outcomeOf = (n: number): CallResult => ({
  reply: { text: `回答 ${n}`, finishReason: 'stop', promptTokens: n, completionTokens: 1 },
})

/** Time that a test moves: sleeps end when it has passed, and `step` waits until the sleeper sleeps again. */
class SteppedClock implements Clock {
  #nowMs = 0
  #wake: (() => void) | null = null
  #asleep: (() => void) | null = null

  now(): number {
    return this.#nowMs
  }

  sleep(waitMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal?.reason)
      this.#wake = () => {
        signal?.removeEventListener('abort', abort)
        this.#nowMs += waitMs
        resolve()
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#asleep?.()
    })
  }

  async step(): Promise<void> {
    const asleep = new Promise<void>((resolve) => {
      this.#asleep = resolve
    })
    this.#wake?.()
    await asleep
  }
}

interface Attempt {
  readonly replies: Replies
  readonly shipping: ReplyShipping
  readonly clock: SteppedClock
  readonly warnings: string[]
  /** The host is lost: its disk, and what runs on it. */
  lose(): Promise<void>
}

async function attempt(t: Test, store: ObjectStore, name: string, options = {}): Promise<Attempt> {
  const directory = join(t.testdir(), name)
  const clock = new SteppedClock()
  const from: string[] = []
  for (const key of await keysOf(store, 'attempts/u/')) {
    const [, , earlier = '', , segment = ''] = key.split('/')
    const local = join(directory, 'earlier', earlier)
    await store.getFile(key, join(local, segment))
    if (!from.includes(local)) from.push(local)
  }
  const replies = await openReplies({ files: nodeFiles, directory: join(directory, 'replies'), from, ...options })
  const warnings: string[] = []
  const shipping = shipReplies({
    ...{ store, clock, directory: join(directory, 'replies'), prefix: `attempts/u/${name}/replies/` },
    onWarning: (message) => warnings.push(message),
  })
  const lose = async () => {
    // `abandon` is private to the class: closing a lost disk fails in its own way, which is not the point.
    rmSync(directory, { recursive: true })
    await replies.close().catch(() => undefined)
  }
  return { replies, shipping, clock, warnings, lose }
}

/** Asks for each reply as a stage does: a stored one is used, another is requested and kept. Returns the requests. */
async function ask(replies: Replies, numbers: readonly number[]): Promise<number[]> {
  const requested: number[] = []
  for (const n of numbers) {
    if ((await replies.find(keyOf(n))) !== null) continue
    requested.push(n)
    await replies.keep(keyOf(n), 0, outcomeOf(n))
  }
  await replies.flush()
  return requested
}

const range = (start: number, end: number): number[] => Array.from({ length: end - start }, (_, at) => start + at)

t.test('replies of a lost host that were copied are not requested again; those of its last 30 s are', async (t) => {
  const { open } = await s3Bench(t)
  const store = open()
  const first = await attempt(t, store, 'first')
  t.same(await ask(first.replies, range(0, 100)), range(0, 100))
  for (let second = 0; second < 31; second++) await first.clock.step()
  t.equal(await first.shipping.unshippedBytes(), 0, 'all is copied after 30 s')
  await ask(first.replies, range(100, 120))
  for (let second = 0; second < 20; second++) await first.clock.step()
  t.ok((await first.shipping.unshippedBytes()) > 0, 'the rest is 20 s old')
  await first.lose()

  const second = await attempt(t, store, 'second')
  t.same(await ask(second.replies, range(0, 120)), range(100, 120))
  await second.replies.close()
  t.same(await second.shipping.close(), ['000000.log'])
  t.equal(await second.shipping.unshippedBytes(), 0)

  const third = await attempt(t, store, 'third')
  t.same(await ask(third.replies, range(0, 120)), [], 'a new attempt reads all earlier ones')
  await third.replies.close()
  await third.shipping.close()
})

t.test('on a stop signal everything is copied, whatever its age', async (t) => {
  const { open } = await s3Bench(t)
  const store = open()
  const first = await attempt(t, store, 'first')
  await ask(first.replies, range(0, 50))
  await first.shipping.ship()
  await ask(first.replies, range(50, 60))
  await first.replies.close()
  await first.shipping.close()
  await first.lose()
  const second = await attempt(t, store, 'second')
  t.same(await ask(second.replies, range(0, 60)), [])
  await second.replies.close()
  await second.shipping.close()
})

t.test('a segment that was closed is copied before its time', async (t) => {
  const { open } = await s3Bench(t)
  const store = open()
  const { replies, shipping, clock } = await attempt(t, store, 'first', { segmentBytes: 4096 })
  await ask(replies, range(0, 5))
  await clock.step()
  t.same(await keysOf(store, 'attempts/'), [])
  await ask(replies, range(5, 400))
  while (!(await nodeFiles.list(join(t.testdirName, 'first/replies'))).some((name) => name.endsWith('.pack'))) {
    await setImmediate()
  }
  await clock.step()
  t.ok((await keysOf(store, 'attempts/')).some((key) => key.endsWith('.pack')))
  await replies.close()
  await shipping.close()
})

t.test('a segment is copied as a pack once it was closed, and its log is removed after that', async (t) => {
  const { open } = await s3Bench(t)
  const store = open()
  const first = await attempt(t, store, 'first', { segmentBytes: 4096 })
  await ask(first.replies, range(0, 20))
  await first.shipping.ship()
  await ask(first.replies, range(20, 400))
  await first.replies.close()
  const names = await first.shipping.close()
  t.ok(names.filter((name) => name.endsWith('.pack')).length > 1)
  t.same(
    await keysOf(store, 'attempts/'),
    names.map((name) => `attempts/u/first/replies/${name}`),
  )
  await first.lose()
  const second = await attempt(t, store, 'second')
  t.same(await ask(second.replies, range(0, 400)), [])
  await second.replies.close()
  await second.shipping.close()
})

t.test('a store that is down is reported once, stops nothing, and gets everything later', async (t) => {
  const { open, server } = await s3Bench(t)
  const store = open({ transport: { triesMax: 2, backoffMs: 0 } })
  const { replies, shipping, clock, warnings } = await attempt(t, store, 'first')
  await ask(replies, range(0, 10))
  server.faults.set([{ kind: 'status', status: 503, times: -1 }])
  for (let second = 0; second < 95; second++) await clock.step()
  t.equal(warnings.length, 1)
  t.match(warnings[0], /could not be copied to the store, which is tried again: .*503 SlowDown/)
  await t.rejects(shipping.ship(), { code: 'KUN_STORE_UNAVAILABLE' })
  server.faults.set([])
  for (let second = 0; second < 31; second++) await clock.step()
  t.equal(await shipping.unshippedBytes(), 0)
  await replies.close()
  await shipping.close()
})
