/**
 * Finds out whether this account wrote a run.json. A run writes `origin.json` beside it, with its inode and creation
 * time, which an archive, a copy or a mirror does not preserve. If they do not match, `rebuild` requires --trust.
 */
import { lstat, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { temporarySuffix } from '../storage/files.js'
import { originName, runRecordName } from '../storage/run-layout.js'

/** The file may be untrusted. */
const originBytesMax = 1024

/** Marks the run.json of a directory as written here by this account. Replaces an existing mark; follows no link. */
export async function markOwnRun(directory: string): Promise<void> {
  const path = join(directory, originName)
  const temporary = path + temporarySuffix
  const text = JSON.stringify(originOf(await lstat(join(directory, runRecordName), { bigint: true })))
  await rm(temporary, { force: true })
  const file = await open(temporary, 'wx')
  try {
    await file.writeFile(`${text}\n`)
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}

/** Returns whether a run of this account wrote the run.json of the directory at its current path. */
export async function isOwnRun(directory: string): Promise<boolean> {
  const path = join(directory, originName)
  const record = await lstat(join(directory, runRecordName), { bigint: true })
  const there = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (there === null || !there.isFile() || !record.isFile() || there.size > originBytesMax) return false
  const account = process.geteuid?.()
  if (account !== undefined && (there.uid !== account || Number(record.uid) !== account)) return false
  return (await readFile(path, 'utf8')).trim() === JSON.stringify(originOf(record))
}

function originOf({ ino, birthtimeNs }: { ino: bigint; birthtimeNs: bigint }): Record<string, string> {
  return { inode: String(ino), bornNs: String(birthtimeNs) }
}
