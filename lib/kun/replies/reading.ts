/** How replies are read: with the repairs and checks of kun-stream, or as the published scripts do. */
import type { CompletionRequest, Fault } from '../../llm/types.js'
import type { Reply } from '../../storage/replies/types.js'
import { retryWithReason } from './correction.js'
import type { ReadingName } from './filter-options.js'
import { publishedTextFault } from './published.js'
import { contentFault, textFault } from './reply-fault.js'
import type { Reading } from './types.js'

/**
 * Version of the repairs and checks of replies, which run.json pins: raise it when the same reply gives another instruction,
 * answer, grade or reject.
 */
export const replyReadingVersion = 4

/** Returns `fault` and `retry` of the call of a stage. The published scripts request nothing twice for its content. */
export function readingOf(
  reading: ReadingName,
  request: CompletionRequest,
  read: (reply: Reply) => Reading,
): {
  readonly fault: (reply: Reply) => Fault | null
  readonly retry: (fault: Fault, last: CompletionRequest) => CompletionRequest | null
} {
  const isPublished = reading === 'published'
  const ending = isPublished ? publishedTextFault : textFault
  return {
    fault: (reply) => ending(reply) ?? contentFault(read(reply)),
    retry: isPublished ? retryUnlessContent : retryWithReason(request),
  }
}

/** Returns a reader that keeps its last result: a reply is read when it is checked, and again when it is used. */
export function readOnce<T>(read: (text: string) => T): (text: string) => T {
  let last: { readonly text: string; readonly result: T } | null = null
  return (text) => {
    if (last === null || last.text !== text) last = { text, result: read(text) }
    return last.result
  }
}

function retryUnlessContent(fault: Fault, last: CompletionRequest): CompletionRequest | null {
  return typeof fault !== 'string' && 'reason' in fault ? null : last
}
