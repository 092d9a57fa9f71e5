/** A file layer whose Nth operation fails with a chosen errno; a write that fails has written a part. */
import { type DirectoryEntry, type FileLayer, nodeFiles, type OpenFile, storageError } from '../../lib/storage/files.js'

export class FailingFiles implements FileLayer {
  /** Operations so far. */
  operations = 0
  /** What failed, once it did. */
  failed: string | null = null

  /**
   * @param failAt the operation that fails, from 1; 0 lets all pass
   * @param errno 'ENOSPC', 'EROFS', 'EMFILE', 'EACCES', 'EIO'
   * @param lasting every operation after it that writes fails too, as on a full disk
   */
  constructor(
    readonly failAt: number,
    readonly errno: string,
    readonly lasting = false,
    private readonly files: FileLayer = nodeFiles,
  ) {}

  async open(path: string, mode: 'read' | 'create' | 'write' | 'append'): Promise<OpenFile> {
    this.#enter('open', path, mode !== 'read')
    const file = await this.files.open(path, mode)
    return {
      path,
      read: async (offset, length) => {
        this.#enter('read', path, false)
        return file.read(offset, length)
      },
      write: async (bytes) => {
        try {
          this.#enter('write', path, true)
        } catch (error) {
          await file.write(bytes.subarray(0, bytes.length >> 1))
          throw error
        }
        await file.write(bytes)
      },
      truncate: async (length) => {
        this.#enter('truncate', path, true)
        await file.truncate(length)
      },
      fsync: async () => {
        this.#enter('fsync', path, true)
        await file.fsync()
      },
      close: async () => {
        await file.close()
        this.#enter('close', path, false)
      },
    }
  }

  async rename(from: string, to: string): Promise<void> {
    this.#enter('rename', to, true)
    await this.files.rename(from, to)
  }

  async link(from: string, to: string): Promise<void> {
    this.#enter('link', to, true)
    await this.files.link(from, to)
  }

  async linkCount(path: string): Promise<number | null> {
    this.#enter('linkCount', path, false)
    return this.files.linkCount(path)
  }

  async remove(path: string): Promise<void> {
    this.#enter('remove', path, true)
    await this.files.remove(path)
  }

  async makeDirectory(path: string): Promise<void> {
    this.#enter('makeDirectory', path, true)
    await this.files.makeDirectory(path)
  }

  async list(path: string): Promise<string[]> {
    this.#enter('list', path, false)
    return this.files.list(path)
  }

  async listEntries(path: string): Promise<DirectoryEntry[]> {
    this.#enter('listEntries', path, false)
    return this.files.listEntries(path)
  }

  async modifiedMs(path: string): Promise<number | null> {
    this.#enter('modifiedMs', path, false)
    return this.files.modifiedMs(path)
  }

  async sizeBytes(path: string): Promise<number | null> {
    this.#enter('sizeBytes', path, false)
    return this.files.sizeBytes(path)
  }

  async fsyncDirectory(path: string): Promise<void> {
    this.#enter('fsyncDirectory', path, true)
    await this.files.fsyncDirectory(path)
  }

  #enter(operation: string, path: string, writes: boolean): void {
    this.operations++
    const fails = this.operations === this.failAt || (this.lasting && writes && this.failed !== null)
    if (!fails) return
    this.failed ??= `${operation} ${path}`
    throw storageError(operation, path, Object.assign(new Error('made to fail'), { code: this.errno }))
  }
}
