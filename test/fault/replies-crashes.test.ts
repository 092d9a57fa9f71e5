import t from 'tap'
import { replyKey } from '../../lib/llm/protocol/request-identity.js'
import { openReplies } from '../../lib/storage/replies/replies.js'
import type { CallResult } from '../../lib/storage/replies/types.js'
import { CrashingFiles, type Loss } from '../support/crashing-files.js'

const directory = '/disk/replies'
const count = 36
/** Entries a block of the input. */
const block = 4
const key = (n: number) => replyKey(`r${n}`, 'label', 0, '{}')
const outcome = (n: number): CallResult => ({
  reply: { text: `回答 ${n} ${'字'.repeat(60)}`, finishReason: 'stop', promptTokens: n, completionTokens: 1 },
})

interface Progress {
  /** Entries whose flush returned. */
  flushed: number
  /** Blocks before it were said to be committed. */
  committed: number
}

/** A run that keeps what it does not find, flushes now and then, and says what is committed. */
async function work(files: CrashingFiles, mode: 'keep' | 'discard', progress: Progress): Promise<void> {
  const replies = await openReplies({ files, directory, mode, segmentBytes: 1500 })
  try {
    for (let n = progress.committed * block; n < count; n++) {
      const found = await replies.find(key(n))
      if (found !== null && JSON.stringify(found) !== JSON.stringify(outcome(n)))
        throw new Error(`another reply at ${n}`)
      if (found === null) await replies.keep(key(n), Math.floor(n / block), outcome(n))
      if (n % 6 !== 5) continue
      await replies.flush()
      progress.flushed = Math.max(progress.flushed, n + 1)
      if (n % 12 !== 11) continue
      const committed = Math.max(0, Math.floor(n / block) - 1)
      progress.committed = Math.max(progress.committed, committed)
      await replies.forgetBefore(committed)
    }
  } catch (error) {
    // The dead process's files are let go of before another begins.
    await replies.close().catch(() => undefined)
    throw error
  }
  await replies.close()
}

/** Flushed entries that are not there, or are another's. */
async function lost(files: CrashingFiles, mode: 'keep' | 'discard', progress: Progress): Promise<number[]> {
  const replies = await openReplies({ files, directory, mode, segmentBytes: 1500 })
  const missing: number[] = []
  // What is needed by committed cuts only may be gone, with discard.
  for (let n = mode === 'discard' ? progress.committed * block : 0; n < progress.flushed; n++) {
    if (JSON.stringify(await replies.find(key(n))) !== JSON.stringify(outcome(n))) missing.push(n)
  }
  await replies.close()
  return missing
}

for (const mode of ['keep', 'discard'] as const) {
  t.test(
    `A crash at any operation of ${mode === 'keep' ? 'packing' : 'discarding'} loses no flushed reply`,
    async (t) => {
      let crashes = 0
      const during = new Set<string>()
      for (const loss of ['all', 'none', 7, 8] satisfies Loss[]) {
        for (let stop = 1; ; stop++) {
          const files = new CrashingFiles('/disk')
          const progress: Progress = { flushed: 0, committed: 0 }
          files.onOperation = (operation, path, number) => {
            if (number !== stop) return
            during.add(`${operation} ${path.replace(/^.*\/\d*/, '')}`)
            files.kill()
          }
          let failure: unknown = null
          await work(files, mode, progress).catch((error) => {
            failure = error
          })
          if (!files.dead) {
            if (failure !== null) throw failure
            break
          }
          crashes++
          files.onOperation = null
          files.crash(loss)
          const missing = await lost(files, mode, progress)
          if (missing.length > 0) t.fail(`${missing} lost after a crash at operation ${stop}, loss ${loss}`)
          await work(files, mode, progress)
          t.notOk(
            Object.keys(files.contents()).some((name) => name.endsWith('.writing')),
            `operation ${stop}, loss ${loss}: nothing half done stays`,
          )
        }
      }
      t.ok(crashes > 100, `${crashes} crashes`)
      const expected =
        mode === 'keep'
          ? ['rename .pack', 'remove .log', 'write .pack.writing']
          : ['remove .log', 'fsyncDirectory replies']
      for (const one of expected) t.ok(during.has(one), `${one} among ${[...during].sort()}`)
    },
  )
}
