/** `mirror:` of a recipe at work: copies while a run goes on, and brings a run back before it begins. */

import { systemClock } from '../core/clock.js'
import { UsageError } from '../errors.js'
import { sayingWaits } from '../hub/outage-messages.js'
import { mirrorWhile, openMirror, restoreFromMirror } from '../publish/mirror.js'
import type { Recipe } from '../recipe/index.js'
import { bytesText } from './terminal/bytes-text.js'

export interface RunningMirror {
  /** Makes the last pass. @returns why it failed; null if it did not, or if the recipe has no mirror */
  close(): Promise<unknown>
}

/** Starts to mirror. A pass that fails is reported and retried at the next turn: the run does not wait for its mirror. */
export async function mirrorOf(
  { mirror: options, hub }: Recipe,
  directory: string,
  say: (message: string) => void,
  giveUp: AbortSignal,
): Promise<RunningMirror> {
  if (options === undefined) return { close: async () => null }
  const { everyMs, to, token } = options
  const mirror = await openMirror({
    directory,
    to,
    connection: sayingWaits(hub, say),
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
    onPass: () => {
      failure = null
    },
    onFailure: (error) => {
      failure = error
      say(`The mirror ${to} is behind: ${(error as Error).message}`)
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

/** @returns what was brought back, for people */
export async function restored(
  { mirror, hub }: Recipe,
  directory: string,
  say: (message: string) => void,
): Promise<string> {
  if (mirror === undefined) throw new UsageError('--from-mirror: the recipe has no mirror.to, say where it is')
  const { to, token } = mirror
  const { cuts, files, bytes } = await restoreFromMirror({
    directory,
    from: to,
    lock: { onEvent: say },
    connection: sayingWaits(hub, say),
    ...(token !== undefined && { token }),
  })
  return `${cuts} cuts in ${files} files (${bytesText(bytes)}) are back from ${to}`
}
