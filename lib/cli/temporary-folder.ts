/** Temporary folder of a command, removed at its end and at a stop signal. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import { storageError } from '../storage/files.js'
import { cleanUpAtStopSignal } from './terminal/stop-signals.js'

interface TemporaryFolder {
  readonly path: string
  remove(): void
}

/** @throws {UsageError} it cannot be created: TMPDIR is missing, full or read-only */
export function temporaryFolder(name: string): TemporaryFolder {
  let path: string | null = null
  const remove = (): void => {
    if (path !== null) rmSync(path, { recursive: true, force: true })
  }
  // Before the folder is created: a signal in between would leave the folder behind.
  const release = cleanUpAtStopSignal(remove)
  try {
    path = mkdtempSync(join(tmpdir(), `kun-stream-${name}-`))
  } catch (cause) {
    release()
    const { message } = storageError('create a folder in', tmpdir(), cause)
    throw new UsageError(say`${message} TMPDIR names the directory for temporary files`, { cause })
  }
  return {
    path,
    remove() {
      remove()
      release()
    },
  }
}
