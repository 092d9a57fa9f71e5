/**
 * Objects in a directory: on a local disk, or on a file system that many hosts share. An object is a finished, fsynced
 * temporary file that gets its name by link(2), which fails if the name exists, on NFS and Lustre too; rename(2) would
 * replace another writer's object. Reads by name; lists only for `list`.
 */
import { dirname, join, resolve } from 'node:path'
import { StorageError, StoreRefusedError } from '../errors.js'
import { say } from '../language/say.js'
import { linkUnsupported } from '../storage/exclusive-rename.js'
import {
  errnoOf,
  type FileLayer,
  makeDurableDirectory,
  nodeFiles,
  type OpenFile,
  temporarySuffix,
  wholeFileBytesMax,
} from '../storage/files.js'
import { thenClose, throughTemporary, type Writer, writeLocalFile } from './local-file.js'
import { checkKey, type ObjectFacts, type ObjectStore } from './object-store.js'

/** Bytes copied or read at a time. */
const pieceBytes = 1024 * 1024
/** Folders known to exist, so that they are not made again; forgotten all at once at this number. */
const knownFoldersMax = 4096
/** Tries of a read or a write whose file or folder another process replaced or removed meanwhile. */
const triesMax = 3

/** Opens a store in a directory, which is made on the first write. */
export function directoryStore(path: string, files: FileLayer = nodeFiles): ObjectStore {
  return new DirectoryStore(resolve(path), files)
}

class DirectoryStore implements ObjectStore {
  readonly url: string
  readonly directory: string
  readonly #files: FileLayer
  readonly #folders = new Set<string>()

  constructor(directory: string, files: FileLayer) {
    this.url = directory
    this.directory = directory
    this.#files = files
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    const path = this.#pathOf(key)
    if ((await this.head(key)) !== null) return this.#settled(path, false)
    return this.#throughTemporary(path, bytesWriter(bytes), async (temporary) =>
      this.#settled(path, await this.#link(temporary, key, bytes)),
    )
  }

  put(key: string, bytes: Uint8Array): Promise<void> {
    return this.#replace(key, bytesWriter(bytes))
  }

  async putFile(key: string, path: string): Promise<void> {
    await this.#replace(key, async (to) => {
      const from = await this.#files.open(path, 'read')
      await thenClose(from, () => copyAll(from, to))
    })
  }

  async get(key: string): Promise<Uint8Array | null> {
    return this.#reading(key, async (file) => {
      const pieces: Uint8Array[] = []
      let bytes = 0
      for (let lengthBytes = 64 * 1024; ; lengthBytes = pieceBytes) {
        const piece = await file.read(bytes, lengthBytes)
        pieces.push(piece)
        bytes += piece.length
        if (bytes > wholeFileBytesMax) throw tooLarge(file.path)
        if (piece.length < lengthBytes) return pieces.length === 1 ? piece : Buffer.concat(pieces, bytes)
      }
    })
  }

  getRange(key: string, offset: number, lengthBytes: number): Promise<Uint8Array | null> {
    return this.#reading(key, (file) => file.read(offset, lengthBytes))
  }

  async getFile(key: string, path: string): Promise<boolean> {
    const done = await this.#reading(key, async (from) => {
      await writeLocalFile(this.#files, path, (to) => copyAll(from, to))
      return true
    })
    return done ?? false
  }

  async head(key: string): Promise<ObjectFacts | null> {
    // Opening makes an NFS client ask the server whether its copy of the attributes is still right.
    return this.#reading(key, async (file) => {
      await file.read(0, 1) // EISDIR: a folder
      const bytes = await this.#files.sizeBytes(file.path)
      return bytes === null ? null : { bytes }
    })
  }

  async *list(prefix: string): AsyncGenerator<string> {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
    for await (const key of this.#keysBelow(folder, prefix)) if (key.startsWith(prefix)) yield key
  }

  async remove(key: string): Promise<void> {
    const path = this.#pathOf(key)
    try {
      await this.#files.remove(path)
    } catch (error) {
      if (errnoOf(error) !== 'ENOTDIR') throw error
    }
  }

  async close(): Promise<void> {
    // holds nothing open
  }

  /** Depth first; folders sort as `name/`, so that keys come in the order of code units. */
  async *#keysBelow(folder: string, prefix: string): AsyncGenerator<string> {
    const entries = await this.#files.listEntries(join(this.directory, folder))
    const names = entries
      .filter(({ name, isDirectory }) => isDirectory || !name.endsWith(temporarySuffix))
      .map(({ name, isDirectory }) => (isDirectory ? `${name}/` : name))
      .sort((a, b) => (a < b ? -1 : 1))
    for (const name of names) {
      const key = folder + name
      if (!key.startsWith(prefix) && !prefix.startsWith(key)) continue
      if (name.endsWith('/')) yield* this.#keysBelow(key, prefix)
      else yield key
    }
  }

  #pathOf(key: string): string {
    checkKey(key)
    return join(this.directory, key)
  }

  /** Runs `read` on the open file; null if there is none. Starts over if the file was replaced on its server. */
  async #reading<T>(key: string, read: (file: OpenFile) => Promise<T>): Promise<T | null> {
    const path = this.#pathOf(key)
    for (let tries = 1; ; tries++) {
      try {
        const file = await this.#files.open(path, 'read')
        return await thenClose(file, () => read(file))
      } catch (error) {
        if (!isAbout(error, path)) throw error
        if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errnoOf(error) ?? '')) return null
        if (errnoOf(error) !== 'ESTALE' || tries === triesMax) throw error
      }
    }
  }

  /** Another writer may not have fsynced the folder yet: a caller may rely on either answer after a power loss. */
  async #settled(path: string, ours: boolean): Promise<boolean> {
    await this.#files.fsyncDirectory(dirname(path))
    return ours
  }

  async #replace(key: string, write: Writer): Promise<void> {
    const path = this.#pathOf(key)
    await this.#throughTemporary(path, write, async (temporary) => {
      await this.#files.rename(temporary, path)
      await this.#files.fsyncDirectory(dirname(path))
    })
  }

  /** Links the finished file to its name. False if another's has the name. */
  async #link(temporary: string, key: string, bytes: Uint8Array): Promise<boolean> {
    try {
      await this.#files.link(temporary, this.#pathOf(key))
      return true
    } catch (error) {
      const errno = errnoOf(error) ?? ''
      if (linkUnsupported.has(errno)) throw withoutLinks(this.directory, error)
      if (errno === 'ENOENT') throw error
      return this.#decide(temporary, key, bytes, error)
    }
  }

  /**
   * After an error the link may exist: over NFS the reply can be lost, and the repeated request reports EEXIST. Two names
   * on our file say that it is ours; if another process removed the temporary file, the content has to do.
   */
  async #decide(temporary: string, key: string, bytes: Uint8Array, failure: unknown): Promise<boolean> {
    const links = await this.#files.linkCount(temporary)
    if (links !== null && links >= 2) return true
    if (links === 1 && errnoOf(failure) === 'EEXIST') return false
    if ((await this.head(key)) === null) throw failure
    return links === null && Buffer.from((await this.get(key)) ?? []).equals(bytes)
  }

  /** As `throughTemporary`, in a folder that is made if necessary, again if another process removed it meanwhile. */
  async #throughTemporary<T>(path: string, write: Writer, use: (temporary: string) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      await this.#makeFolder(dirname(path))
      try {
        return await throughTemporary(this.#files, path, write, use)
      } catch (error) {
        this.#folders.delete(dirname(path))
        const gone = errnoOf(error) === 'ENOENT' && String((error as StorageError).details.path).startsWith(path)
        if (!gone || tries === triesMax) throw error
      }
    }
  }

  async #makeFolder(path: string): Promise<void> {
    if (this.#folders.has(path)) return
    await makeDurableDirectory(this.#files, path)
    if (this.#folders.size >= knownFoldersMax) this.#folders.clear()
    this.#folders.add(path)
  }
}

function bytesWriter(bytes: Uint8Array): Writer {
  return (file) => file.write(bytes)
}

async function copyAll(from: OpenFile, to: OpenFile): Promise<void> {
  for (let offset = 0; ; ) {
    const piece = await from.read(offset, pieceBytes)
    if (piece.length === 0) return
    await to.write(piece)
    offset += piece.length
  }
}

/** Whether the error is about the file or a folder above it. */
function isAbout(error: unknown, path: string): boolean {
  if (!(error instanceof StorageError)) return false
  const { path: found } = error.details
  return found === path || path.startsWith(`${found}/`)
}

function tooLarge(path: string): StorageError {
  return new StorageError(
    say`${path} has more than ${wholeFileBytesMax} bytes, the limit for an object that is read whole`,
    {
      details: { path, bytesMax: wholeFileBytesMax },
    },
  )
}

function withoutLinks(directory: string, cause: unknown): StoreRefusedError {
  return new StoreRefusedError(
    say`${directory} is on a file system without hard links, by which several processes agree who was first: choose a
      directory on another file system, or a bucket (s3://bucket/prefix)`,
    { cause, details: { store: directory } },
  )
}
