/** The file layer of a run that holds a lock: each operation that changes something checks the lock first. */
import type { FileLayer, OpenFile } from './files.js'
import { failureUnderLock } from './lock/failure-under-lock.js'
import type { RunLock } from './lock/lock.js'

/**
 * `files`, but changes are refused with LockLostError once `lock` is lost. Reading goes through. What fails because the
 * lock was lost meanwhile (a successor deleted the file), a read too, fails with LockLostError.
 */
export function fencedFiles(files: FileLayer, lock: Pick<RunLock, 'check' | 'confirm'>): FileLayer {
  const passed = async <T>(operation: () => Promise<T>): Promise<T> => {
    try {
      return await operation()
    } catch (error) {
      throw await failureUnderLock(lock, error)
    }
  }
  const fenced = async <T>(change: () => Promise<T>): Promise<T> => {
    await lock.check()
    return passed(change)
  }
  const opened = (file: OpenFile): OpenFile => ({
    path: file.path,
    read: (offset, lengthBytes) => passed(() => file.read(offset, lengthBytes)),
    write: (bytes) => fenced(() => file.write(bytes)),
    truncate: (lengthBytes) => fenced(() => file.truncate(lengthBytes)),
    fsync: () => passed(() => file.fsync()),
    close: () => file.close(),
  })
  return {
    ...(files.isFileSystem === true && { isFileSystem: true }),
    open: (path, mode) => {
      const open = async () => opened(await files.open(path, mode))
      return mode === 'read' ? passed(open) : fenced(open)
    },
    rename: (from, to) => fenced(() => files.rename(from, to)),
    link: (from, to) => fenced(() => files.link(from, to)),
    remove: (path) => fenced(() => files.remove(path)),
    makeDirectory: (path) => fenced(() => files.makeDirectory(path)),
    linkCount: (path) => passed(() => files.linkCount(path)),
    modifiedMs: (path) => passed(() => files.modifiedMs(path)),
    list: (path) => passed(() => files.list(path)),
    listEntries: (path) => passed(() => files.listEntries(path)),
    sizeBytes: (path) => passed(() => files.sizeBytes(path)),
    fsyncDirectory: (path) => passed(() => files.fsyncDirectory(path)),
  }
}
