/** Tells whether work failed because the lock under which it was done was lost. */

import { LockLostError } from '../../errors.js'
import type { RunLock } from './lock.js'

/**
 * Returns what to report of a failure of work under `lock`, which is null if none was held yet: the loss of the lock, if another process has it by now, for
 * then the work has met that process's files (one that it deleted, truncated or wrote anew); `error` otherwise.
 *
 * Reads the lock file even while the lease is trusted: a suspended process may not know yet how late it is.
 */
export async function failureUnderLock(lock: Pick<RunLock, 'confirm'> | null, error: unknown): Promise<unknown> {
  if (lock === null || error instanceof LockLostError) return error
  try {
    await lock.confirm()
  } catch (unconfirmed) {
    // A lock file that cannot be read says nothing: the disk may be what fails.
    if (unconfirmed instanceof LockLostError) return unconfirmed
  }
  return error
}
