/** Masks personal data in a reply, or makes it a fault of the reply, as `personal` of a stage says. */
import { z } from 'zod'
import type { RejectReasonName } from '../../reject-reasons.js'
import { describePersonalCounts, type PersonalCounts } from '../../text/personal/kinds.js'
import { maskPersonalData } from '../../text/personal/mask.js'
import { personalActions } from '../../text/personal/options.js'
import type { Reading } from './types.js'

type PersonalAction = (typeof personalActions)[number]

/** `personal` of a stage that writes text: an instruction or answer that needs a number of a person is of no use. */
export const replyPersonal = (what: string) =>
  z
    .enum(personalActions)
    .default('drop')
    .describe(
      `Personal data in the ${what}: keep it, mask each as 〔电话〕 or the like, or drop the pair after one retry`,
    )

/** A reading, and the personal data that was masked in it. */
export interface PersonalReading extends Reading {
  readonly masked: PersonalCounts
}

const none: PersonalCounts = Object.freeze({})

/**
 * Reads a reply under the rule for personal data.
 *
 * @param read reads a reply; it may reject contact details of any kind
 * @param reason of a reply with personal data under 'drop'
 */
export function readPersonal(
  reply: string,
  action: PersonalAction,
  read: (reply: string) => Reading,
  reason: Extract<RejectReasonName, 'instruction-personal' | 'output-personal'>,
): PersonalReading {
  const plain = read(reply)
  const found = maskPersonalData(plain.text)
  if (Object.keys(found.counts).length === 0) return { ...plain, masked: none }
  if (action === 'drop') {
    const other = plain.fault !== null && !plain.fault.reason.endsWith('-contacts')
    return {
      ...plain,
      masked: none,
      fault: other ? plain.fault : { reason, detail: describePersonalCounts(found.counts) },
    }
  }
  // Checks for contact details must not see what is kept or masked.
  const { fault } = read(maskPersonalData(reply).text)
  return action === 'keep' ? { ...plain, fault, masked: none } : { text: found.text, fault, masked: found.counts }
}
