/** Temporary folder of a command, removed when the command ends, also by a stop signal. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../errors.js'
import { storageError } from '../storage/files.js'
import { cleanAndDie } from './terminal/stop-signals.js'

export interface TemporaryFolder {
  readonly path: string
  remove(): void
}

/** @throws {UsageError} it cannot be made: TMPDIR is missing, full or read-only */
export function temporaryFolder(name: string): TemporaryFolder {
  let path: string | null = null
  const remove = (): void => {
    if (path !== null) rmSync(path, { recursive: true, force: true })
  }
  // Before the folder is made, so that no signal comes between.
  const release = cleanAndDie(remove)
  try {
    path = mkdtempSync(join(tmpdir(), `kun-stream-${name}-`))
  } catch (cause) {
    release()
    const { message } = storageError('make a folder in', tmpdir(), cause)
    throw new UsageError(`${message} TMPDIR names the directory for temporary files`, { cause })
  }
  return {
    path,
    remove() {
      remove()
      release()
    },
  }
}
