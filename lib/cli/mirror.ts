/** `mirror:` of a recipe at work: copies while a run goes on, and brings a run back before it begins. */

import { systemClock } from '../core/clock.js'
import { UsageError } from '../errors.js'
import { mirrorWhile, openMirror, restoreFromMirror } from '../publish/mirror.js'
import type { Recipe } from '../recipe/index.js'
import { bytesText } from './bytes-text.js'
import { sayingWaits } from './hub-waits.js'

/** Starts to mirror; `close` makes the last pass. Nothing happens without `mirror:`. A pass that fails is told, no more. */
export async function mirrorOf(
  { mirror: options, hub }: Recipe,
  directory: string,
  say: (message: string) => void,
): Promise<{ close(): Promise<void> }> {
  if (options === undefined) return { close: async () => undefined }
  const { everyMs, to, token } = options
  const mirror = await openMirror({
    directory,
    to,
    connection: sayingWaits(hub, say),
    ...(token !== undefined && { token }),
  })
  const ending = new AbortController()
  const ended = mirrorWhile({
    mirror,
    everyMs,
    clock: systemClock,
    signal: ending.signal,
    onFailure: (error) => say(`The mirror ${to} is behind: ${(error as Error).message}`),
  })
  return {
    close: async () => {
      ending.abort()
      await ended
      await mirror.close()
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
    connection: sayingWaits(hub, say),
    ...(token !== undefined && { token }),
  })
  return `${cuts} cuts in ${files} files (${bytesText(bytes)}) are back from ${to}`
}
