/**
 * Publishes sealed files of a run that is still in progress. The publish at the end of the run gives the files their
 * final names.
 */
import type { Clock } from '../core/types.js'
import { AbortedError } from '../errors.js'
import { readManifest } from '../sinks/index.js'
import { checkPublishOptions, type PublishResult } from './options.js'
import { groupsOf } from './plan.js'
import { type PublishOptions, publish } from './publish.js'

/** Options for `publishWhile`. */
interface PublishWhileOptions {
  readonly publish: Omit<PublishOptions, 'sealedOnly' | 'dryRun' | 'signal'>
  readonly everyMs: number
  readonly clock: Clock
  /** Starts no further publish; one in progress is completed. */
  readonly ending: AbortSignal
  /** Aborts a publish in progress. */
  readonly signal?: AbortSignal
  readonly onPublished?: (result: PublishResult) => void
  /** A failed publish is retried after the next interval: the run does not wait for the Hub. */
  readonly onFailure: (error: unknown) => void
}

/**
 * Checks every `everyMs` whether another file is full, and publishes then; sends no request to the Hub otherwise.
 * A full file is never rewritten, so each is uploaded once.
 */
export async function publishWhile(options: PublishWhileOptions): Promise<void> {
  const { everyMs, clock, ending, signal, onPublished, onFailure } = options
  let sealedBefore = 0
  while (!ending.aborted) {
    const woken = await clock.sleep(everyMs, ending).then(
      () => true,
      () => false, // aborted: end the loop
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
