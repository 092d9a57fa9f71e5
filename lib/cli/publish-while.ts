/** `publish.whileRunning` of a recipe at work. */

import { systemClock } from '../core/clock.js'
import { AbortedError } from '../errors.js'
import { sayingWaits } from '../hub/outage-messages.js'
import type { PublishOptions } from '../publish/publish.js'
import { publishWhile } from '../publish/publish-while.js'
import type { Recipe } from '../recipe/index.js'
import { counted } from './terminal/bytes-text.js'

/** What a recipe says of publishing, as `publish` takes it; null where it says nothing. */
export function publishOptionsOf({ publish, hub }: Recipe, directory: string): PublishOptions | null {
  if (publish === undefined) return null
  const { whileRunning: _, everyMs: __, ...options } = publish
  return { ...options, directory, connection: hub }
}

export interface RunningPublish {
  /** Waits for a file that is being published when the run is `done`; gives it up when it was stopped. */
  close(done: boolean): Promise<void>
}

export function publishingOf(
  recipe: Recipe,
  directory: string,
  say: (message: string) => void,
  stopped: AbortSignal,
): RunningPublish {
  const options = publishOptionsOf(recipe, directory)
  if (options === null || recipe.publish?.whileRunning !== true) return { close: async () => undefined }
  const [ending, giveUp] = [new AbortController(), new AbortController()]
  const ended = publishWhile({
    publish: { ...options, connection: sayingWaits(options.connection, say), onWait: say },
    everyMs: recipe.publish.everyMs,
    clock: systemClock,
    ending: ending.signal,
    signal: AbortSignal.any([giveUp.signal, stopped]),
    onPublished: ({ files, url }) => say(`${counted(files.length, 'file is', 'files are')} published so far: ${url}`),
    onFailure: (error) => say(`Not published yet, tried again later: ${(error as Error).message}`),
  })
  return {
    async close(done) {
      ending.abort()
      if (!done) giveUp.abort(new AbortedError('stopped while publishing'))
      await ended
    },
  }
}
