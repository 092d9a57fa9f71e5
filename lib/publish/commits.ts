/** Operations put into commits that the Hub takes: so many files each, so many an hour, each on the one before. */

import { moved, type Operation, type Remote } from '../hub/remote.js'
import type { PublishSettings } from './options.js'

export interface CommittedAll {
  readonly commit: string
  readonly pullRequestUrl: string | null
  /** refs/pr/N. */
  readonly pullRequestRef: string | null
}

const hourMs = 3_600_000

/**
 * Commits in order; null when the branch moved, with what was committed so far in place.
 *
 * After every commit the dataset can be loaded: the first of several brings a card without counts and deletes what is
 * no longer wanted, the last one the card that counts.
 */
export async function commitAll(options: {
  readonly remote: Remote
  readonly settings: PublishSettings
  readonly branch: string
  readonly head: string
  readonly operations: readonly Operation[]
  /** The card for the first of several commits. */
  readonly opening: Operation
  readonly signal: AbortSignal | undefined
}): Promise<CommittedAll | null> {
  const { remote, settings, operations, opening, signal } = options
  let { branch, head } = options
  let pullRequestUrl: string | null = null
  let pullRequestRef = branch.startsWith('refs/pr/') ? branch : null
  const times: number[] = []
  const batches = batchesOf(operations, opening, settings.filesPerCommitMax)
  for (const [at, batch] of batches.entries()) {
    signal?.throwIfAborted()
    await pace(times, settings.commitsPerHourMax, remote, signal)
    const of = batches.length > 1 ? ` (${at + 1} of ${batches.length})` : ''
    const title = `${settings.title ?? 'Publish with kun-stream'}${of}`
    const opens = settings.pullRequest && pullRequestRef === null
    const answer = await remote.commit(branch, head, title, batch, opens)
    if (answer === moved) return null
    head = answer.commit
    if (opens) {
      pullRequestUrl = answer.pullRequest
      pullRequestRef = `refs/pr/${/(\d+)$/.exec(answer.pullRequest ?? '')?.[1]}`
      branch = pullRequestRef
    }
  }
  return { commit: head, pullRequestUrl: pullRequestUrl ?? pageOf(pullRequestRef, remote), pullRequestRef }
}

/** Deletions first, small files last: a reader between two commits sees fewer rows, never the same twice. */
function batchesOf(operations: readonly Operation[], opening: Operation, filesMax: number): Operation[][] {
  if (operations.length <= filesMax) return operations.length === 0 ? [] : [[...operations]]
  const rank = { delete: 0, large: 1, small: 2 }
  const sorted = [...operations].sort((a, b) => rank[a.kind] - rank[b.kind])
  sorted.unshift(opening)
  const batches: Operation[][] = []
  for (let at = 0; at < sorted.length; at += filesMax) batches.push(sorted.slice(at, at + filesMax))
  return batches
}

async function pace(
  times: number[],
  commitsMax: number,
  remote: Remote,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { clock } = remote
  const first = times[times.length - commitsMax]
  if (first !== undefined) {
    const waitMs = first + hourMs - clock.now()
    if (waitMs > 0) await clock.sleep(waitMs, signal)
  }
  times.push(clock.now())
}

function pageOf(pullRequestRef: string | null, remote: Remote): string | null {
  if (pullRequestRef === null) return null
  return `${remote.context.url}/datasets/${remote.repo}/discussions/${pullRequestRef.slice('refs/pr/'.length)}`
}
