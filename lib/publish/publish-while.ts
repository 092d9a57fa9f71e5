/** Publishes what is sealed of a run while it goes on. The names of a finished dataset come from the publish at its end. */
import type { Clock } from '../core/types.js'
import { AbortedError } from '../errors.js'
import { readManifest } from '../sinks/index.js'
import { checkPublishOptions, type PublishResult } from './options.js'
import { groupsOf } from './plan.js'
import { type PublishOptions, publish } from './publish.js'

export interface PublishWhileOptions {
  readonly publish: Omit<PublishOptions, 'sealedOnly' | 'dryRun' | 'signal'>
  readonly everyMs: number
  readonly clock: Clock
  /** No further publish begins; one that is under way is waited for. */
  readonly ending: AbortSignal
  /** Ends what is under way as well. */
  readonly signal?: AbortSignal
  readonly onPublished?: (result: PublishResult) => void
  /** A publish that fails is tried again at the next turn: the run does not wait for the Hub. */
  readonly onFailure: (error: unknown) => void
}

/**
 * Looks every `everyMs` whether a further file is filled to its size, and publishes then: asks the Hub nothing until.
 * A file of consecutive cuts that is filled is never rewritten, so each is uploaded once.
 */
export async function publishWhile(options: PublishWhileOptions): Promise<void> {
  const { everyMs, clock, ending, signal, onPublished, onFailure } = options
  let sealedBefore = 0
  while (!ending.aborted) {
    const woken = await clock.sleep(everyMs, ending).then(
      () => true,
      () => false, // the end, which the loop sees
    )
    if (!woken) continue
    try {
      const sealed = await sealedFiles(options.publish)
      if (sealed === sealedBefore) continue
      const result = await publish({ ...options.publish, sealedOnly: true, ...(signal && { signal }) })
      sealedBefore = sealed
      onPublished?.(result)
    } catch (error) {
      if (!(error instanceof AbortedError)) onFailure(error)
    }
  }
}

async function sealedFiles({ directory, repo, fileBytes }: PublishWhileOptions['publish']): Promise<number> {
  const settings = checkPublishOptions({ repo, ...(fileBytes !== undefined && { fileBytes }) })
  return groupsOf(await readManifest(directory), settings.fileBytes).filter(({ sealed }) => sealed).length
}
