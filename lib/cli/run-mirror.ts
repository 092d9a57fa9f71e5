/** `mirror:` of a recipe: restores a run before it starts, and copies it while it is in progress. */

import { errorMessage } from '../caught-error.js'
import { systemClock } from '../core/clock.js'
import type { EventLog } from '../core/event-log.js'
import type { HubTransportOptions } from '../hub/transport.js'
import { say } from '../language/say.js'
import { mirrorWhile, openMirror, restoreFromMirror } from '../publish/mirror.js'
import { bytesText, countText } from './terminal/bytes-text.js'

interface RunMirrorOptions {
  readonly directory: string
  readonly to: string
  readonly everyMs: number
  readonly token?: string | undefined
  readonly connection: HubTransportOptions
  readonly print: (line: string) => void
  readonly log: EventLog
}

/** Copies of a run that is in progress. */
export interface RunningMirror {
  /** Makes the last copy. @returns the error of the last copy; null if it succeeded */
  close(): Promise<unknown>
}

export class RunMirror {
  readonly #options: RunMirrorOptions

  constructor(options: RunMirrorOptions) {
    this.#options = options
  }

  /** Restores the run to its directory, which must not contain one. */
  async restore(): Promise<void> {
    const { directory, to, connection, token, print, log } = this.#options
    const { cuts, files, bytes } = await restoreFromMirror({
      directory,
      from: to,
      lock: { onEvent: print },
      connection,
      ...(token !== undefined && { token }),
    })
    log.info('mirror-restored', { from: to, cuts, files, bytes })
    print(say`${countText(cuts, 'cut')} in ${countText(files, 'file')} (${bytesText(bytes)}) restored from ${to}`)
  }

  /** Starts to copy. A copy that fails is reported and retried after the interval; the run does not wait for it. */
  async start(giveUp: AbortSignal): Promise<RunningMirror> {
    const { directory, to, everyMs, connection, token, print, log } = this.#options
    const mirror = await openMirror({
      directory,
      to,
      connection,
      signal: giveUp,
      ...(token !== undefined && { token }),
    })
    const ending = new AbortController()
    let failure: unknown = null
    const ended = mirrorWhile({
      mirror,
      everyMs,
      clock: systemClock,
      signal: ending.signal,
      onPass: (pass) => {
        failure = null
        log.info('mirror-copied', { to, ...pass })
      },
      onFailure: (error) => {
        failure = error
        const message = errorMessage(error)
        log.warn('mirror-failed', { to, message })
        print(say`The mirror ${to} is not up to date: ${message}`)
      },
    })
    return {
      close: async () => {
        ending.abort()
        await ended
        await mirror.close()
        return failure
      },
    }
  }
}
