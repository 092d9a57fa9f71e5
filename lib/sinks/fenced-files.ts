/** The file layer of a run that holds a lock: each operation that changes something checks the lock first. */
import type { FileLayer, OpenFile } from '../core/files.js'
import type { RunLock } from './lock.js'

/** `files`, but changes are refused with LockLostError once `lock` is lost. Reading goes through. */
export function fencedFiles(files: FileLayer, lock: Pick<RunLock, 'check'>): FileLayer {
  const opened = (file: OpenFile): OpenFile => ({
    path: file.path,
    read: (offset, lengthBytes) => file.read(offset, lengthBytes),
    async write(bytes) {
      await lock.check()
      await file.write(bytes)
    },
    async truncate(lengthBytes) {
      await lock.check()
      await file.truncate(lengthBytes)
    },
    fsync: () => file.fsync(),
    close: () => file.close(),
  })
  return {
    async open(path, mode) {
      if (mode === 'read') return files.open(path, mode)
      await lock.check()
      return opened(await files.open(path, mode))
    },
    async rename(from, to) {
      await lock.check()
      await files.rename(from, to)
    },
    async link(from, to) {
      await lock.check()
      await files.link(from, to)
    },
    async remove(path) {
      await lock.check()
      await files.remove(path)
    },
    async makeDirectory(path) {
      await lock.check()
      await files.makeDirectory(path)
    },
    linkCount: (path) => files.linkCount(path),
    modifiedMs: (path) => files.modifiedMs(path),
    list: (path) => files.list(path),
    sizeBytes: (path) => files.sizeBytes(path),
    fsyncDirectory: (path) => files.fsyncDirectory(path),
  }
}
