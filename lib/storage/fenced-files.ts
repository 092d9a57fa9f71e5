/** The file layer of a run that holds a lock: each operation that changes something checks the lock first. */
import type { FileLayer, OpenFile } from './files.js'
import type { RunLock } from './lock/lock.js'

/**
 * `files`, but changes are refused with LockLostError once `lock` is lost. Reading goes through. A change that fails because
 * the lock was lost meanwhile (a successor deleted the file) fails with LockLostError too.
 */
export function fencedFiles(files: FileLayer, lock: Pick<RunLock, 'check'>): FileLayer {
  const fenced = async <T>(change: () => Promise<T>): Promise<T> => {
    await lock.check()
    try {
      return await change()
    } catch (error) {
      await lock.check()
      throw error
    }
  }
  const opened = (file: OpenFile): OpenFile => ({
    path: file.path,
    read: (offset, lengthBytes) => file.read(offset, lengthBytes),
    write: (bytes) => fenced(() => file.write(bytes)),
    truncate: (lengthBytes) => fenced(() => file.truncate(lengthBytes)),
    fsync: () => file.fsync(),
    close: () => file.close(),
  })
  return {
    ...(files.isFileSystem === true && { isFileSystem: true }),
    open: (path, mode) =>
      mode === 'read' ? files.open(path, mode) : fenced(async () => opened(await files.open(path, mode))),
    rename: (from, to) => fenced(() => files.rename(from, to)),
    link: (from, to) => fenced(() => files.link(from, to)),
    remove: (path) => fenced(() => files.remove(path)),
    makeDirectory: (path) => fenced(() => files.makeDirectory(path)),
    linkCount: (path) => files.linkCount(path),
    modifiedMs: (path) => files.modifiedMs(path),
    list: (path) => files.list(path),
    listEntries: (path) => files.listEntries(path),
    sizeBytes: (path) => files.sizeBytes(path),
    fsyncDirectory: (path) => files.fsyncDirectory(path),
  }
}
