/** Results of reading a reply: its repaired text, or why it cannot be used. */
import type { RejectReasonName } from '../../reject-reasons.js'

/** Why a reply cannot be used although it ended by itself. */
export interface ReplyFault {
  readonly reason: RejectReasonName
  /** The words or figures that show it; '' if the text itself does. */
  readonly detail: string
}

/** The text after all repairs, and the first fault that is left in it; null if the text can be used. */
export interface Reading {
  readonly text: string
  readonly fault: ReplyFault | null
}
