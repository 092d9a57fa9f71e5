/** Compares a committed part with its manifest line. */

import { join } from 'node:path'
import { CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import type { CutFile } from '../parquet/part-writer.js'
import { type FileLayer, nodeFiles, sha256Of } from '../storage/files.js'

/**
 * Reads the whole part. Memory: 1 MiB.
 *
 * @throws {CorruptFileError} it is missing, has another size or another sha256
 */
export async function mustBeCommitted(directory: string, part: CutFile, files: FileLayer = nodeFiles): Promise<void> {
  const file = join(directory, part.path)
  const found = await files.sizeBytes(file)
  if (found !== part.bytes || (await sha256Of(files, file, part.bytes)) !== part.sha256) {
    throw changedPart(directory, part, found)
  }
}

/** Builds the error for a part that differs from its commit; `found` is its size, null if it is missing. */
export function changedPart(directory: string, { path, bytes }: CutFile, found: number | null): CorruptFileError {
  const repair = say`Restore it from a backup or a mirror, or rebuild the dataset from the kept replies (kun-stream
    rebuild). \`kun-stream verify ${directory}\` lists all.`
  return new CorruptFileError(`${changeOf(path, bytes, found)} ${repair}`, { details: { path, bytes, found } })
}

function changeOf(path: string, bytes: number, found: number | null): string {
  if (found === null) return say`${path} was committed with ${bytes} bytes and is missing.`
  if (found === bytes) return say`${path} was committed with ${bytes} bytes and now has another sha256.`
  return say`${path} was committed with ${bytes} bytes and now has ${found} bytes.`
}
