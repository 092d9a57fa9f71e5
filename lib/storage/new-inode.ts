/** Moves the content of a log to a new inode, so that a process that still has the old one open cannot append to the log. */
import { dirname } from 'node:path'
import { closeAfter } from './close-all.js'
import { type FileLayer, type OpenFile, temporarySuffix } from './files.js'

const pieceBytes = 1024 * 1024

/**
 * Copies a file and renames the copy over it; durable when it returns. No-op if the file does not exist. May be killed
 * at any point and called again. Memory: one piece of 1 MiB.
 */
export async function moveToNewInode(files: FileLayer, path: string): Promise<void> {
  if ((await files.sizeBytes(path)) === null) return
  const temporary = path + temporarySuffix
  await files.remove(temporary)
  const from = await files.open(path, 'read')
  try {
    const to = await files.open(temporary, 'create')
    try {
      await copyAll(from, to)
      await to.fsync()
    } catch (error) {
      await closeAfter(error, [() => to.close()])
    }
    await to.close()
  } catch (error) {
    await closeAfter(error, [() => from.close()])
  }
  await from.close()
  await files.rename(temporary, path)
  await files.fsyncDirectory(dirname(path))
}

async function copyAll(from: OpenFile, to: OpenFile): Promise<void> {
  for (let offset = 0; ; ) {
    const bytes = await from.read(offset, pieceBytes)
    if (bytes.length === 0) return
    await to.write(bytes)
    offset += bytes.length
  }
}
