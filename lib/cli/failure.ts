/** What a command failed with, as one of our errors: what the system refused is not a bug of ours, and has a message. */
import { storageError } from '../core/files.js'
import { KunStreamError, SystemError, UsageError } from '../errors.js'

/** Null for what is none of ours and none of the system's: a bug. */
export function failureOf(error: unknown): KunStreamError | null {
  if (error instanceof KunStreamError) return error
  if (!(error instanceof Error)) return null
  const { code, syscall, path } = error as NodeJS.ErrnoException
  if (code === undefined || syscall === undefined) return null
  if (syscall === 'uv_cwd') {
    return new UsageError('the working directory is gone: change to one that exists, and run again', { cause: error })
  }
  if (typeof path === 'string' && !networkCalls.has(syscall)) return storageError(syscall, path, error)
  if (diskRefusals.has(code)) return storageError(syscall, 'a file', error)
  return new SystemError(`the system refused ${syscall}: ${error.message}. Nothing of a run is lost; see the cause`, {
    cause: error,
    details: { errno: code, operation: syscall },
  })
}

const networkCalls: ReadonlySet<string> = new Set(['connect', 'listen', 'bind'])
/** Of a file that is open, whose path the error does not name. */
const diskRefusals: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EMFILE', 'ENFILE'])
