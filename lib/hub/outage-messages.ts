/** Tells whoever waits at the terminal that the Hub fails: a command would stay silent for minutes while it asks again. */
import { duration } from '../core/duration.js'
import type { HubFetchOptions } from './fetch.js'
import type { HubWait } from './outage.js'

/** Options of a connection whose waits are said. */
export function sayingWaits(options: HubFetchOptions | undefined, say: (message: string) => void): HubFetchOptions {
  return { ...options, onWait: (wait) => say(waitText(wait)) }
}

/** One line, whatever page a proxy answered with. */
function waitText({ url, reason, tries, triesMax, waitMs }: HubWait): string {
  const why = reason.replace(/\s+/g, ' ').trim().slice(0, reasonCharactersMax)
  return `${url} failed with ${why}: asked again in ${duration(waitMs / 1000)}, try ${tries + 1} of ${triesMax}`
}

const reasonCharactersMax = 120
