/** A file layer that tells of each operation that changes something, before and after it. */
import { type FileLayer, nodeFiles, type OpenFile, type OpenMode } from '../../lib/storage/files.js'

export type OnOperation = (operation: string, when: 'before' | 'after', path: string) => void

export function watchedFiles(onOperation: OnOperation, files: FileLayer = nodeFiles): FileLayer {
  const watch = async <T>(operation: string, path: string, work: () => Promise<T>): Promise<T> => {
    onOperation(operation, 'before', path)
    const result = await work()
    onOperation(operation, 'after', path)
    return result
  }
  const opened = (file: OpenFile): OpenFile => ({
    path: file.path,
    read: (offset, lengthBytes) => file.read(offset, lengthBytes),
    write: (bytes) => watch('write', file.path, () => file.write(bytes)),
    truncate: (lengthBytes) => watch('truncate', file.path, () => file.truncate(lengthBytes)),
    fsync: () => watch('fsync', file.path, () => file.fsync()),
    close: () => file.close(),
  })
  return {
    open: (path: string, mode: OpenMode) => watch('open', path, async () => opened(await files.open(path, mode))),
    rename: (from, to) => watch('rename', to, () => files.rename(from, to)),
    link: (from, to) => watch('link', to, () => files.link(from, to)),
    linkCount: (path) => files.linkCount(path),
    remove: (path) => watch('remove', path, () => files.remove(path)),
    makeDirectory: (path) => watch('makeDirectory', path, () => files.makeDirectory(path)),
    list: (path) => files.list(path),
    listEntries: (path) => files.listEntries(path),
    sizeBytes: (path) => files.sizeBytes(path),
    modifiedMs: (path) => files.modifiedMs(path),
    fsyncDirectory: (path) => watch('fsyncDirectory', path, () => files.fsyncDirectory(path)),
  }
}
