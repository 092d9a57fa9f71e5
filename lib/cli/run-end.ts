/** How a run ended: exit code, a stable reason, and a message. */
import { errorMessage } from '../caught-error.js'
import { failureOf } from './failure.js'

export interface RunEnd {
  readonly code: number
  /** 'done', 'limits.rowsMax', or the code of an error such as KUN_OUTAGE. */
  readonly reason: string
  readonly message: string
}

export function endOfError(error: unknown): RunEnd {
  const failure = failureOf(error)
  if (failure !== null) return { code: failure.exitCode, reason: failure.code, message: failure.message }
  return { code: 1, reason: 'KUN_FAILED', message: errorMessage(error) }
}
