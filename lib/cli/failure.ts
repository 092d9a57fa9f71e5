/** Converts the error of a command to one with a code, so that a failed system call is not reported as a bug. */

import { KunStreamError, SystemError, UsageError } from '../errors.js'
import { say } from '../language/say.js'
import { errnoName } from '../storage/errno-name.js'
import { storageError } from '../storage/files.js'

/** Returns null for any error other than a KunStreamError or a failed system call: it is a bug. */
export function failureOf(error: unknown): KunStreamError | null {
  if (error instanceof KunStreamError) return error
  if (!(error instanceof Error)) return null
  const { syscall, path } = error as NodeJS.ErrnoException
  const code = errnoName(error)
  if (code === null || syscall === undefined) return null
  if (syscall === 'uv_cwd') {
    return new UsageError(say`the working directory no longer exists: change to one that exists, and run again`, {
      cause: error,
    })
  }
  if (typeof path === 'string' && !networkCalls.has(syscall)) return storageError(syscall, path, error)
  if (diskErrnos.has(code)) return storageError(syscall, 'a file', error)
  return new SystemError(say`the system refused ${syscall}: ${error.message}; committed cuts of a run are kept`, {
    cause: error,
    details: { errno: code, operation: syscall },
  })
}

/** System calls whose errors may have the path of a socket. */
const networkCalls: ReadonlySet<string> = new Set(['connect', 'listen', 'bind'])
/** Errno codes of calls on open files; these errors do not contain a path. */
const diskErrnos: ReadonlySet<string> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EREMOTEIO',
  'ESTALE',
  'EROFS',
  'EMFILE',
  'ENFILE',
])
