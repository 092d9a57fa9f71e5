/** Converts the failure of a command to an error with a code: a refused system call is not a bug. */

import { KunStreamError, SystemError, UsageError } from '../errors.js'
import { errnoName } from '../storage/errno-name.js'
import { storageError } from '../storage/files.js'

/** Returns null for an error that is neither a KunStreamError nor the system's: a bug. */
export function failureOf(error: unknown): KunStreamError | null {
  if (error instanceof KunStreamError) return error
  if (!(error instanceof Error)) return null
  const { syscall, path } = error as NodeJS.ErrnoException
  const code = errnoName(error)
  if (code === null || syscall === undefined) return null
  if (syscall === 'uv_cwd') {
    return new UsageError('the working directory no longer exists: change to one that exists, and run again', {
      cause: error,
    })
  }
  if (typeof path === 'string' && !networkCalls.has(syscall)) return storageError(syscall, path, error)
  if (diskRefusals.has(code)) return storageError(syscall, 'a file', error)
  return new SystemError(`the system refused ${syscall}: ${error.message}; committed cuts of a run are kept`, {
    cause: error,
    details: { errno: code, operation: syscall },
  })
}

const networkCalls: ReadonlySet<string> = new Set(['connect', 'listen', 'bind'])
/** Errno codes of calls on an open file, whose path the error does not name. */
const diskRefusals: ReadonlySet<string> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EREMOTEIO',
  'ESTALE',
  'EROFS',
  'EMFILE',
  'ENFILE',
])
