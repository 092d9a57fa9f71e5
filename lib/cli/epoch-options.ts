/** Options of `prepare` for dedup in epochs. */
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import { type EpochOptions, epochRowsDefault, epochWaitMsDefault } from '../units/prepare-epochs.js'

export interface EpochFlags {
  readonly dedupParts?: number
  readonly epochRows?: number
  readonly dedupElsewhere?: boolean
  readonly dedupWait?: number
}

/** Returns null if duplicates are decided by one index. @throws {UsageError} an option has no effect without another */
export function epochsOf({ dedupParts, epochRows, dedupElsewhere, dedupWait }: EpochFlags): EpochOptions | null {
  if (dedupWait !== undefined && !dedupElsewhere) throw new UsageError(say`--dedup-wait needs --dedup-elsewhere`)
  if (dedupParts !== undefined) {
    return {
      parts: dedupParts,
      epochRows: epochRows ?? epochRowsDefault,
      elsewhere: dedupElsewhere ?? false,
      waitMsMax: dedupWait ?? epochWaitMsDefault,
    }
  }
  if (epochRows === undefined && !dedupElsewhere) return null
  throw new UsageError(say`--epoch-rows and --dedup-elsewhere need --dedup-parts`)
}
