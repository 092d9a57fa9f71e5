/** Finished temporary files: written, fsynced, and only then given a name. */
import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { StorageError } from '../errors.js'
import { closeAfter } from '../storage/close-all.js'
import { type FileLayer, type OpenFile, temporarySuffix } from '../storage/files.js'

export type Writer = (file: OpenFile) => Promise<void>

/**
 * Writes and fsyncs a temporary file beside `path`, calls `use` with it, and removes what is left of it. Its name is
 * this call's alone.
 */
export async function throughTemporary<T>(
  files: FileLayer,
  path: string,
  write: Writer,
  use: (temporary: string) => Promise<T>,
): Promise<T> {
  const temporary = `${path}.${randomBytes(8).toString('hex')}${temporarySuffix}`
  let result: T
  try {
    const file = await files.open(temporary, 'create')
    await thenClose(file, async () => {
      await write(file)
      await file.fsync()
    })
    result = await use(temporary)
  } catch (error) {
    return closeAfter(error, [() => files.remove(temporary)])
  }
  try {
    await files.remove(temporary)
  } catch (error) {
    // The work is done. What is left has a name that no object can have, and listings skip it.
    if (!(error instanceof StorageError)) throw error
  }
  return result
}

/** Writes a file under a name that appears when it is whole. Makes its folder. */
export async function writeLocalFile(files: FileLayer, path: string, write: Writer): Promise<void> {
  await files.makeDirectory(dirname(path))
  await throughTemporary(files, path, write, (temporary) => files.rename(temporary, path))
}

/** Closes the file in any case; of two failures the first is thrown. */
export async function thenClose<T>(file: OpenFile, work: () => Promise<T>): Promise<T> {
  let result: T
  try {
    result = await work()
  } catch (error) {
    return closeAfter(error, [() => file.close()])
  }
  await file.close()
  return result
}
