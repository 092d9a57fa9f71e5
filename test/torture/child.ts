/**
 * A whole tiny run in a process of its own, which kills itself where it was told to, or is killed from outside once it
 * said 'ready'. Told by its one argument: a Life as JSON. Says on stdout where it died, or 'done' and what it did.
 */
import { writeSync } from 'node:fs'
import { KunStreamError } from '../../lib/errors.js'
import type { Phase } from '../../lib/kun/stage-ranks.js'
import type { CommitStep } from '../../lib/storage/commit-steps.js'
import { runTiny } from '../support/session.js'
import { watchedFiles } from '../support/watched-files.js'
import { archiveLog } from './differences.js'

export interface Life {
  readonly directory: string
  readonly endpoint: string
  readonly set: readonly string[]
  /** Null for a run to the end. */
  readonly through: Phase | null
  /** Logs of replies are linked here before the run deletes them; null where it discards none. */
  readonly archive: string | null
  readonly killAt: KillAt | null
  /** Of the lock; the product's own by default. With it a failure is said by its code, and is no failure of the test. */
  readonly leaseMs?: number
}

/** So few that a tiny run closes several logs, and packs or discards them while it works. */
const replySegmentBytes = 24 * 1024

export type KillAt =
  /** In the cut after `cutsAhead` more were committed; in recovery, whatever the cut. */
  | { readonly step: CommitStep; readonly when: 'before' | 'after'; readonly cutsAhead: number }
  /** Before or after the nth change of a file whose path ends so, from 1. */
  | { readonly ending: string; readonly when: 'before' | 'after'; readonly nth: number }

const { directory, endpoint, set, through, archive, killAt, leaseMs } = JSON.parse(process.argv[2] as string) as Life
process.send?.('ready')

const stepKill = killAt !== null && 'step' in killAt ? killAt : null
const changeKill = killAt !== null && 'nth' in killAt ? killAt : null
let cutsAhead = stepKill?.cutsAhead ?? 0
let changes = 0
const run = runTiny({
  directory,
  endpoint,
  set,
  small: true,
  session: {
    replySegmentBytes,
    ...(leaseMs !== undefined && { lock: { leaseMs } }),
    ...(through !== null && { through }),
    files: watchedFiles((operation, when, path) => {
      if (archive !== null && operation === 'remove' && when === 'before' && path.endsWith('.log'))
        archiveLog(archive, path)
      const counts = changeKill === null || path.endsWith(changeKill.ending)
      if (counts && when === (changeKill?.when ?? 'before')) changes++
      if (counts && when === changeKill?.when && changes === changeKill.nth) die(`${operation} ${when}`)
    }),
    onStep: (step, when) => {
      if (stepKill === null) return
      const recovery = stepKill.step.startsWith('recover')
      if (step === stepKill.step && when === stepKill.when && (recovery || cutsAhead === 0)) die(`${step} ${when}`)
      // Nothing was to be recovered: at the first commit then.
      if (recovery && step === 'flush') die(`${step} ${when}`)
      if (step === 'manifest-fsync' && when === 'after') cutsAhead--
    },
  },
})
try {
  await run
  writeSync(1, `done ${changes}`)
} catch (error) {
  if (leaseMs === undefined || !(error instanceof KunStreamError)) throw error
  writeSync(1, `${error.code} ${error.message}`)
  process.exitCode = error.exitCode
}
process.disconnect?.()

function die(place: string): never {
  writeSync(1, place)
  process.kill(process.pid, 'SIGKILL')
  throw new Error('alive after SIGKILL')
}
