/** Divides operations into commits, each on the one before, within the limits of files per commit and commits per hour. */

import { branchMoved, type HubDataset, type Operation } from '../hub/dataset.js'
import type { PublishSettings } from './options.js'

interface Commits {
  /** The last commit. */
  readonly commit: string
  readonly pullRequestUrl: string | null
  /** `refs/pr/N`; null without a pull request. */
  readonly pullRequestRef: string | null
}

const hourMs = 3_600_000

/**
 * Commits in order; returns null if the branch has moved, with the earlier commits in place.
 *
 * The dataset can be loaded after every commit: the first of several adds a card without counts and deletes files, the
 * last one adds the card with counts.
 */
export async function commitAll(options: {
  readonly dataset: HubDataset
  readonly settings: PublishSettings
  readonly branch: string
  readonly head: string
  readonly operations: readonly Operation[]
  /** The card without counts, for the first of several commits. */
  readonly opening: Operation
  readonly signal: AbortSignal | undefined
}): Promise<Commits | null> {
  const { dataset, settings, operations, opening, signal } = options
  let { branch, head } = options
  let pullRequestUrl: string | null = null
  let pullRequestRef = branch.startsWith('refs/pr/') ? branch : null
  const times: number[] = []
  const batches = batchesOf(operations, opening, settings.filesPerCommitMax)
  for (const [at, batch] of batches.entries()) {
    signal?.throwIfAborted()
    await pace(times, settings.commitsPerHourMax, dataset, signal)
    const of = batches.length > 1 ? ` (${at + 1} of ${batches.length})` : ''
    const title = `${settings.title ?? 'Publish with kun-stream'}${of}`
    const opens = settings.pullRequest && pullRequestRef === null
    const result = await dataset.commit(branch, head, title, batch, opens)
    if (result === branchMoved) return null
    head = result.commit
    if (opens) {
      pullRequestUrl = result.pullRequest
      pullRequestRef = `refs/pr/${/(\d+)$/.exec(result.pullRequest ?? '')?.[1]}`
      branch = pullRequestRef
    }
  }
  return { commit: head, pullRequestUrl: pullRequestUrl ?? pageOf(pullRequestRef, dataset), pullRequestRef }
}

/** Orders deletions first, small files last: between two commits a reader may see fewer rows, but no row twice. */
function batchesOf(operations: readonly Operation[], opening: Operation, filesMax: number): Operation[][] {
  if (operations.length <= filesMax) return operations.length === 0 ? [] : [[...operations]]
  const rank = { delete: 0, large: 1, small: 2 }
  const sorted = [...operations].sort((a, b) => rank[a.kind] - rank[b.kind])
  sorted.unshift(opening)
  const batches: Operation[][] = []
  for (let at = 0; at < sorted.length; at += filesMax) batches.push(sorted.slice(at, at + filesMax))
  return batches
}

/** Waits until another commit is within the limit per hour. */
async function pace(
  times: number[],
  commitsMax: number,
  dataset: HubDataset,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { clock } = dataset
  const first = times[times.length - commitsMax]
  if (first !== undefined) {
    const waitMs = first + hourMs - clock.now()
    if (waitMs > 0) await clock.sleep(waitMs, signal)
  }
  times.push(clock.now())
}

function pageOf(pullRequestRef: string | null, dataset: HubDataset): string | null {
  if (pullRequestRef === null) return null
  return `${dataset.context.url}/datasets/${dataset.repo}/discussions/${pullRequestRef.slice('refs/pr/'.length)}`
}
