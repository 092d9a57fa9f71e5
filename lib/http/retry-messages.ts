/** Reports retries on the terminal, so that a command is not silent for minutes during an outage of the Hub or a bucket. */

import { duration } from '../language/duration.js'
import { say } from '../language/say.js'
import type { RetryWait } from './outage.js'

/** Returns the transport options that report retries through `say`. */
export function reportWaits(print: (message: string) => void): { readonly onWait: (wait: RetryWait) => void } {
  return { onWait: (wait) => print(waitText(wait)) }
}

/** One line, even if a proxy returned a whole page. */
function waitText({ url, reason, tries, triesMax, waitMs }: RetryWait): string {
  const why = reason.replace(/\s+/g, ' ').trim().slice(0, reasonCharsMax)
  return say`${url} failed with ${why}: retrying in ${duration(waitMs / 1000)}, try ${tries + 1} of ${triesMax}`
}

const reasonCharsMax = 120
