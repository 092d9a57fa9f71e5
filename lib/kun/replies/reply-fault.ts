/**
 * Faults of a reply whatever its content: how it ended, thoughts without an answer, damaged characters, a loop.
 * A retry may cure each of them. Faults of the content: read-instruction.ts, read-answer.ts.
 */

import { type Ending, endingOf } from '../../llm/protocol/finish-reason.js'
import { readThoughts } from '../../llm/protocol/thoughts.js'
import type { ContentFault, Fault } from '../../llm/types.js'
import type { Reply } from '../../storage/replies/types.js'
import { damagedCharacter, garbled } from './damaged-text.js'
import { shortened } from './excerpt.js'
import { repeatedAnywhere, repeatedEnd, repeatedStart } from './loops.js'
import { replyText } from './reply-text.js'
import type { Reading, ReplyFault } from './types.js'

/**
 * Returns the fault of a reply that should be text, which a retry with another seed may cure; null if there is none.
 *
 * 'cut-off', 'filtered', 'aborted' and 'unfinished' are endings (llm/protocol/finish-reason.ts); 'only-thoughts' is a
 * reply without an answer; the others are faults of the text (`plainFault`).
 */
export function textFault(reply: Reply): Fault | null {
  const ending = endingOf(reply.finishReason)
  if (ending !== 'whole') return endingFault(ending, reply)
  if (reply.onlyThoughts) return 'only-thoughts'
  const fault = plainFault(reply.text)
  if (fault === null) return null
  const word = fault.reason.slice(0, -'-reply'.length)
  return fault.detail === '' ? word : { fault: word, found: fault.detail }
}

/**
 * Returns the fault of a text whatever it should be: thoughts that cannot be separated from an answer, no text,
 * damaged or invisible characters, a loop.
 */
export function plainFault(replied: string): ReplyFault | null {
  if (readThoughts(replied).unreadable) return { reason: 'thought-markers-reply', detail: '' }
  const text = replyText(replied)
  if (text === '') return { reason: 'empty-reply', detail: '' }
  const damage = damagedCharacter(text)
  if (damage !== null) return { reason: 'damaged-reply', detail: damage }
  const wrong = garbled(text)
  if (wrong !== null) return { reason: 'damaged-reply', detail: wrong }
  const unit = loopIn(text)
  return unit === null ? null : { reason: 'looping-reply', detail: shortened(unit) }
}

function loopIn(text: string): string | null {
  const start = repeatedStart(text)
  if (start !== null && /[\p{L}\p{N}]/u.test(start)) return start
  return repeatedEnd(text) ?? repeatedAnywhere(text) ?? repeatedStop.exec(text)?.[1] ?? null
}

/** A full stop or comma that is set again and again; …… and ！！！ are emphasis. */
const repeatedStop = /([。，、；])\1{7}/u

/** Returns the fault of a one-token reply that is read from its log-probabilities; it may end at the token limit. */
export function scoreFault(reply: Reply): Fault | null {
  const ending = endingOf(reply.finishReason)
  if (ending !== 'whole' && ending !== 'cut-off') return endingFault(ending, reply)
  const { firstTokenLogprobs } = reply
  // A score from the word alone, usually 1, would not be comparable with the scores of other records.
  if (firstTokenLogprobs === undefined) return reply.text.trim() === '' ? 'empty' : 'logprobs'
  // A reasoning parser may classify the token as a thought: its log-probabilities count, not the text.
  return Object.values(firstTokenLogprobs).includes(null) ? 'logprobs' : null
}

/** Returns the fault of a reply that did not end by itself, or null. */
export function endingFaultOf(reply: Reply): Fault | null {
  const ending = endingOf(reply.finishReason)
  return ending === 'whole' ? null : endingFault(ending, reply)
}

function endingFault(ending: Ending, { finishReason }: Reply): Fault {
  return ending === 'cut-off' ? ending : { fault: ending, found: `finish_reason ${finishReason}` }
}

/** Returns the fault of a reply's content in the form of the model interface, or null. */
export function contentFault({ text, fault }: Reading): ContentFault | null {
  if (fault === null) return null
  return { reason: fault.reason, found: fault.detail, text }
}
