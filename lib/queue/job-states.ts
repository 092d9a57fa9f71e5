/** States of units in the queue, and the states of BullMQ that they consist of. */

export const jobStates = {
  waiting: ['wait', 'prioritized'],
  delayed: ['delayed'],
  active: ['active'],
  failed: ['failed'],
} as const

export type JobState = keyof typeof jobStates

export type UnitCounts = Readonly<Record<JobState, number>>

export interface UnitJob {
  readonly unit: string
  readonly jobId: string
  readonly state: JobState
  /** When a worker took it, in milliseconds since 1970; null if none did. */
  readonly startedAt: number | null
  /** Of the last failure. */
  readonly reason: string | null
  /** Number of workers that were lost while they held it. */
  readonly losses: number
  /** Failed attempts that are not counted: those before the last `units retry`. */
  readonly forgiven: number
}
