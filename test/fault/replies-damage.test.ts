/** Damaged replies: the others are kept, what is missing is reported and requested again, the file is whole afterwards. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { replyKey } from '../../lib/llm/protocol/request-identity.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { openReplies, type Replies } from '../../lib/storage/replies/replies.js'
import type { CallResult } from '../../lib/storage/replies/types.js'
import { Random, testSeed } from '../support/random.js'

t.setTimeout(120_000)

const seed = testSeed()
const random = new Random(seed)
const count = 200
const key = (n: number) => replyKey(`r${n}`, 'label', 0, '{}')
const outcome = (n: number): CallResult => ({
  reply: { text: `回答 ${n} ${'字'.repeat(n % 50)}`, finishReason: 'stop', promptTokens: n, completionTokens: 1 },
})

async function kept(directory: string, segmentBytes?: number): Promise<void> {
  const replies = await openReplies({ files: nodeFiles, directory, ...(segmentBytes && { segmentBytes }) })
  for (let n = 0; n < count; n++) await replies.keep(key(n), n, outcome(n))
  await replies.close()
}

/** Which are missing; any other answer than what was kept fails. */
async function missing(replies: Replies): Promise<number[]> {
  const absent: number[] = []
  for (let n = 0; n < count; n++) {
    const found = await replies.find(key(n))
    if (found === null) absent.push(n)
    else if (JSON.stringify(found) !== JSON.stringify(outcome(n))) throw new Error(`reply ${n} is another`)
  }
  return absent
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] as number) ^ (1 << random.between(0, 7))
  writeFileSync(path, bytes)
}

for (const [kind, ending, lostMax, rounds] of [
  ['log', '.log', 1, 6],
  ['pack', '.pack', 100, 3],
] as const) {
  t.test(
    `a flipped bit in a ${kind} of replies costs one ${kind === 'log' ? 'reply' : 'block'}, and is reported (seed ${seed})`,
    async (t) => {
      for (let round = 0; round < rounds; round++) {
        const directory = join(t.testdir(), 'replies')
        await kept(directory, kind === 'log' ? undefined : 8192)
        const names = readdirSync(directory).filter((name) => name.endsWith(ending))
        const name = names[random.between(0, names.length - 1)] as string
        const path = join(directory, name)
        const { length } = readFileSync(path)
        // The header too; in a log not the last reply, which may be torn.
        flip(path, round === 0 ? 20 : random.between(0, length - 1 - (kind === 'log' ? 400 : 0)))
        const warnings: string[] = []
        const replies = await openReplies({
          files: nodeFiles,
          directory,
          onWarning: (message) => warnings.push(message),
        })
        const absent = await missing(replies)
        t.ok(absent.length <= lostMax, `${absent.length} replies lost in ${name}`)
        t.equal(warnings.length, 1)
        t.match(warnings[0], new RegExp(`${name}: 1 damaged .* at byte \\d+ .*requested again`))
        for (const n of absent) await replies.keep(key(n), n, outcome(n))
        await replies.close()

        const again = await openReplies({ files: nodeFiles, directory, onWarning: (message) => warnings.push(message) })
        t.strictSame(await missing(again), [], 'replies requested again are kept')
        t.equal(warnings.length, 1, 'reported once: the file was rewritten without it')
        await again.close()
      }
    },
  )
}

t.test('a torn last reply is reported and cut', async (t) => {
  const directory = join(t.testdir(), 'replies')
  await kept(directory)
  const [name] = readdirSync(directory) as [string]
  const path = join(directory, name)
  writeFileSync(path, readFileSync(path).subarray(0, -7))
  const warnings: string[] = []
  const replies = await openReplies({ files: nodeFiles, directory, onWarning: (message) => warnings.push(message) })
  t.strictSame(await missing(replies), [count - 1])
  t.match(warnings, [/its last \d+ bytes are not a complete reply/])
  await replies.close()
})

t.test(
  'a reply that becomes unreadable during the run is reported and requested again, not the end of the run',
  async (t) => {
    const directory = join(t.testdir(), 'replies')
    await kept(directory, 8192)
    const warnings: string[] = []
    const replies = await openReplies({ files: nodeFiles, directory, onWarning: (message) => warnings.push(message) })
    const [name] = readdirSync(directory).filter((each) => each.endsWith('.pack')) as [string]
    flip(join(directory, name), readFileSync(join(directory, name)).length - 5)
    const absent = await missing(replies)
    t.ok(absent.length > 0 && absent.length < 100, `${absent.length} of one block`)
    t.ok(warnings.every((line) => line.includes('no valid reply at byte') && line.includes('requested again')))
    for (const n of absent) await replies.keep(key(n), n, outcome(n))
    t.strictSame(await missing(replies), [])
    await replies.close()
  },
)

t.test('damage in the replies of an earlier run is reported, and its file is not changed', async (t) => {
  const earlier = join(t.testdir(), 'earlier')
  await kept(earlier)
  const [name] = readdirSync(earlier) as [string]
  flip(join(earlier, name), 5000)
  const before = readFileSync(join(earlier, name))
  const warnings: string[] = []
  const replies = await openReplies({
    files: nodeFiles,
    directory: join(t.testdirName, 'own'),
    from: [earlier],
    onWarning: (message) => warnings.push(message),
  })
  t.equal((await missing(replies)).length, 1)
  t.match(warnings, [/1 damaged reply skipped/])
  await replies.close()
  t.strictSame(readFileSync(join(earlier, name)), before)
})
