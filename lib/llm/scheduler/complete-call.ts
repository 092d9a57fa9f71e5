/**
 * The attempts of a call: a faulty reply is requested again with the seed of the next attempt, by default in the same
 * words, and the last fault becomes a verdict. Depends on the replies alone, so a trace of a call repeats its steps.
 */
import type { CallResult, Reply } from '../../storage/replies/types.js'
import { secretFinishReason } from '../protocol/client.js'
import type { Answer, Call, ContentFault, Fault } from '../types.js'

/** Result of one attempt; `kept`: it was stored. */
export interface AttemptResult {
  readonly outcome: CallResult
  readonly kept: boolean
}

/** @param resultOf returns the result of an attempt */
export async function completeCall(
  call: Call,
  triesMax: number,
  resultOf: (asked: Call, attempt: number) => Promise<AttemptResult>,
): Promise<{ readonly answer: Answer; readonly exhausted: boolean }> {
  let asked = call
  let last: ContentFault = { reason: '', found: '', text: '' }
  let kept = true
  let tries = 0
  for (let attempt = 0; attempt < triesMax; attempt++) {
    const served = await resultOf(asked, attempt)
    const { outcome } = served
    kept &&= served.kept
    const state = kept && { kept }
    if ('verdict' in outcome) return { answer: { verdict: outcome.verdict, ...state }, exhausted: false }
    const { reply } = outcome
    const found = faultOf(call, reply)
    if (found === null) return { answer: { reply, attempt, ...state }, exhausted: false }
    last = describedFault(found, reply.text)
    tries = attempt + 1
    const request = call.retry === undefined ? asked.request : call.retry(found, asked.request)
    if (request === null) break
    if (request !== asked.request) asked = { ...call, request }
  }
  const found = last.found === '' ? '' : ` (${last.found})`
  const detail = `${tries} tries; the last${found}: ${last.text.slice(0, 200)}`
  return { answer: { verdict: { reason: last.reason, detail }, ...(kept && { kept }) }, exhausted: true }
}

/** Returns the fault of a reply; null if it can be used. */
export function faultOf(call: Call, reply: Reply): Fault | null {
  return reply.finishReason === secretFinishReason ? 'secret' : call.fault(reply)
}

/** Returns the reject reason of a fault, and the text that the reject shows. */
export function describedFault(fault: Fault, replied: string): ContentFault {
  if (typeof fault === 'object' && 'reason' in fault) return fault
  const { fault: word, found } = typeof fault === 'string' ? { fault, found: '' } : fault
  return { reason: word.endsWith('-reply') ? word : `${word}-reply`, found, text: replied }
}
