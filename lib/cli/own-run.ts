/**
 * Which account made a run. A run writes `origin.json` beside run.json: its inode and creation time, which an archive,
 * a copy or a mirror does not preserve. If they do not match, `rebuild` needs --trust.
 */
import { lstat, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { temporarySuffix } from '../storage/files.js'
import { originName, runRecordName } from '../storage/run-layout.js'

/** Size limit: the file may come from anyone. */
const originBytesMax = 1024

/** Marks the run.json of a directory as written here by this account. Replaces what is there, and follows no link. */
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

/** Whether a run of this account wrote the run.json of the directory, where it is now. */
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
