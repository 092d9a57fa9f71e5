/** Opens the file of --rejects, unless it is one that the command reads or writes besides: opening it would empty that one. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import { fileOutput, type Output } from './terminal/output.js'

/**
 * @param others paths that the command reads or writes; `-` and globs name no file
 * @throws {UsageError} the file is one of them, or cannot be opened
 */
export async function rejectsOutput(
  path: string | undefined,
  others: readonly (string | undefined)[],
): Promise<Output | null> {
  if (path === undefined) return null
  const own = await identityOf(path)
  for (const other of others) {
    if (other === undefined || other === '-' || own === null || (await identityOf(other)) !== own) continue
    throw new UsageError(say`--rejects is ${path}, the same file as ${other}: name another one`)
  }
  return fileOutput(path)
}

/** Returns null for a device or a pipe, which may be named twice. */
async function identityOf(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null) // a file that does not exist is known by its path
  if (found === null) return resolve(path)
  return found.isFile() ? `${found.dev}:${found.ino}` : null
}
