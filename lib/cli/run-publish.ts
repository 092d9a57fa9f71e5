/** `publish:` of a recipe: publishes filled files while the run is in progress, and the dataset when it is done. */

import { errorMessage } from '../caught-error.js'
import { systemClock } from '../core/clock.js'
import type { EventLog } from '../core/event-log.js'
import { AbortedError } from '../errors.js'
import { reportWaits } from '../http/retry-messages.js'
import { say } from '../language/say.js'
import type { PublishResult } from '../publish/options.js'
import type { PublishOptions } from '../publish/publish.js'
import { publishWhile } from '../publish/publish-while.js'
import { publishedFields, publishWithProgress } from './publish-with-progress.js'
import { countText } from './terminal/bytes-text.js'

interface RunPublishOptions {
  readonly options: PublishOptions
  /** Interval at which filled files are published; null publishes at the end only. */
  readonly everyMs: number | null
  readonly print: (line: string) => void
  readonly log: EventLog
}

export class RunPublish {
  readonly #given: RunPublishOptions

  constructor(options: RunPublishOptions) {
    this.#given = options
  }

  /** The command that publishes the run later. */
  get command(): string {
    const { directory, repo } = this.#given.options
    return `kun-stream publish ${directory} --repo ${repo}`
  }

  /**
   * Starts to publish filled files.
   *
   * @returns a function that stops: if the run is done it waits for a publish in progress, otherwise it aborts it
   */
  start(stopped: AbortSignal): (done: boolean) => Promise<void> {
    const { options, everyMs, print, log } = this.#given
    if (everyMs === null) return async () => undefined
    const [ending, giveUp] = [new AbortController(), new AbortController()]
    const ended = publishWhile({
      publish: { ...options, connection: { ...options.connection, ...reportWaits(print) }, onWait: print },
      everyMs,
      clock: systemClock,
      ending: ending.signal,
      signal: AbortSignal.any([giveUp.signal, stopped]),
      onPublished: (result) => {
        log.info('published', publishedFields(result))
        print(say`${countText(result.files.length, 'file')} published so far: ${result.url}`)
      },
      onFailure: (error) => {
        const message = errorMessage(error)
        log.warn('publish-failed', { repo: options.repo, message })
        print(say`Not published yet, will be retried: ${message}`)
      },
    })
    return async (done) => {
      ending.abort()
      if (!done) giveUp.abort(new AbortedError(say`stopped while publishing`))
      await ended
    }
  }

  /** Publishes the run, which is done. */
  async finish(): Promise<PublishResult> {
    const { options, log } = this.#given
    return publishWithProgress(options, log)
  }
}
