/** Reports retries on the terminal, so that a command is not silent for minutes during an outage of the Hub. */

import { duration } from '../language/duration.js'
import { say } from '../language/say.js'
import type { HubWait } from './outage.js'
import type { HubTransportOptions } from './transport.js'

/** Returns the transport options that report retries through `say`. */
export function reportWaits(print: (message: string) => void): Pick<HubTransportOptions, 'onWait'> {
  return { onWait: (wait) => print(waitText(wait)) }
}

/** One line, even if a proxy returned a whole page. */
function waitText({ url, reason, tries, triesMax, waitMs }: HubWait): string {
  const why = reason.replace(/\s+/g, ' ').trim().slice(0, reasonCharsMax)
  return say`${url} failed with ${why}: retrying in ${duration(waitMs / 1000)}, try ${tries + 1} of ${triesMax}`
}

const reasonCharsMax = 120
