/** Options of the subcommands of `units`. */
import type { QueueFlags } from './queue-options.js'

export interface UnitsFlags extends QueueFlags {
  readonly all?: boolean
  readonly json?: boolean
}

export interface BisectFlags extends QueueFlags {
  readonly set: string[]
  readonly trust?: boolean
  readonly timeout: number
  readonly max: number
}

export interface TrialFlags {
  readonly set: string[]
  readonly trust?: boolean
  readonly records: string
}
