/**
 * Files that `pipe`, `dedup` and `seed` write. One that the command also reads would be emptied before it is read, or be read
 * again by the next call, as an input that has doubled: it is refused.
 */
import { fstatSync, readlinkSync } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import { compileGlob, isMatchedBy } from '../sources/globs.js'
import { fileOutput, type Output } from './terminal/output.js'

/**
 * Opens the file of --rejects.
 *
 * @param others paths and globs that the command reads, and what it writes besides; `-` names no file
 * @throws {UsageError} the file is one of them, or cannot be opened
 */
export async function rejectsOutput(
  path: string | undefined,
  others: readonly (string | undefined)[],
): Promise<Output | null> {
  if (path === undefined) return null
  const own = await fileAt(path)
  for (const other of others) {
    if (other === undefined || own === null) continue
    if (await isSameFile(own, other)) {
      throw new UsageError(say`--rejects is ${path}, the same file as ${other}: name another one`)
    }
    if (await isMatched(own, other)) {
      throw new UsageError(say`--rejects is ${path}, a file that ${other} matches: name another one`)
    }
  }
  return fileOutput(path)
}

/**
 * Refuses an output that is an input. A file of --out may be: it is replaced when it is complete. It may not be one that a glob
 * matches, which the next call would read.
 *
 * @param out of --out; undefined and `-` are standard output
 * @throws {UsageError}
 */
export async function refuseInputAsOutput(out: string | undefined, inputs: readonly string[]): Promise<void> {
  const toStdout = out === undefined || out === '-'
  const own = toStdout ? fileOfStdout() : await fileAt(out)
  if (own === null) return
  for (const input of inputs) {
    if (await isMatched(own, input)) {
      throw new UsageError(
        toStdout
          ? say`standard output is ${own.path}, a file that ${input} matches: write elsewhere`
          : say`--out is ${out}, a file that ${input} matches: write elsewhere`,
      )
    }
    if (toStdout && (await isSameFile(own, input))) {
      throw new UsageError(say`standard output is ${own.path}, which is read: write elsewhere`)
    }
  }
}

interface WrittenFile {
  readonly path: string
  /** Device and inode; null if the file does not exist yet. */
  readonly identity: string | null
}

/** Returns null for a device or a pipe, which may be named twice. */
async function fileAt(path: string): Promise<WrittenFile | null> {
  const found = await stat(path).catch(() => null) // a file that does not exist is known by its path
  const directory = await realpath(dirname(path)).catch(() => dirname(resolve(path)))
  const real = join(directory, basename(path))
  if (found === null) return { path: real, identity: null }
  return found.isFile() ? { path: real, identity: `${found.dev}:${found.ino}` } : null
}

/** Where standard output is redirected to; null for no file, or where the system does not say its name. */
function fileOfStdout(): WrittenFile | null {
  try {
    const found = fstatSync(process.stdout.fd)
    return found.isFile()
      ? { path: readlinkSync(`/proc/self/fd/${process.stdout.fd}`), identity: `${found.dev}:${found.ino}` }
      : null
  } catch {
    return null // not Linux, or closed: the first write reports that
  }
}

async function isSameFile(own: WrittenFile, other: string): Promise<boolean> {
  if (other === '-') return false
  const file = await fileAt(other)
  return file !== null && (own.identity === null ? file.path === own.path : file.identity === own.identity)
}

/** Whether a glob finds the file; false for a path without wildcards. */
async function isMatched({ path }: WrittenFile, pattern: string): Promise<boolean> {
  const glob = compileGlob(pattern, process.cwd())
  if (glob.literal !== null) return false
  const base = await realpath(glob.base).catch(() => glob.base) // of a folder that does not exist nothing is read
  return isMatchedBy(path, [{ ...glob, base }])
}
