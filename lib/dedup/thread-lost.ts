/** The error of a run whose dedup thread exited. */
import { WorkerLostError } from '../errors.js'
import { say } from '../language/say.js'

/** What it had decided is in the logs, or is decided again. */
export function threadLost(cause: Error): WorkerLostError {
  return new WorkerLostError(
    say`the thread that decides duplicates died: ${cause.message}. Start the same run again: it resumes.`,
    { cause },
  )
}
