/** Texts of kept documents, read by their offset in the texts log of this run or of an earlier one. */
import { Buffer } from 'node:buffer'
import { closeSync, openSync, readSync } from 'node:fs'
import type { AppendLog } from '../storage/append-log.js'
import { type FileLayer, type OpenFile, storageError } from '../storage/files.js'
import { corrupt, frameHeadBytes, parseFrame } from '../storage/frames.js'

export interface TextSource {
  readonly path: string
  /** @throws {CorruptFileError} no complete text begins at the offset */
  read(offset: number): Promise<string>
  close(): Promise<void>
}

export function logTexts(log: AppendLog): TextSource {
  return {
    path: log.path,
    read: async (offset) => Buffer.from(await log.read(offset)).toString('utf8'),
    close: () => log.close(),
  }
}

/** Bytes of the first read, in which most texts fit; longer ones take a second read. */
const firstReadBytes = 8192

/** Opens the texts log of another run, read-only. */
export async function earlierTexts(files: FileLayer, path: string): Promise<TextSource> {
  const file: OpenFile = await files.open(path, 'read')
  return {
    path,
    async read(offset) {
      let frame = parseFrame(await file.read(offset, firstReadBytes), 0, offset)
      if (typeof frame === 'number' && frame > frameHeadBytes)
        frame = parseFrame(await file.read(offset, frame), 0, offset)
      if (frame === null || typeof frame === 'number') throw corrupt(path, offset, 'no complete text begins there')
      return Buffer.from(frame).toString('utf8')
    },
    close: () => file.close(),
  }
}

/** A texts log that a thread opens by its path. */
export interface TextsPath {
  readonly firstDocument: number
  /** Null if its texts are missing. */
  readonly path: string | null
}

/**
 * Reads texts in the calling thread, which waits: most are in the page cache, where a read takes microseconds and
 * asking another thread many times as long.
 */
export class DirectTexts {
  readonly #sources: readonly TextsPath[]
  readonly #files = new Map<string, number>()
  #buffer = Buffer.allocUnsafeSlow(firstReadBytes)

  /** @param sources by number of the first document */
  constructor(sources: readonly TextsPath[]) {
    this.#sources = sources
  }

  /**
   * Returns null if the document has no text.
   *
   * @throws {CorruptFileError} no complete text begins at the offset · {StorageError} the file cannot be read
   */
  read(document: number, offset: number): string | null {
    const path = this.#sources.findLast(({ firstDocument }) => firstDocument <= document)?.path ?? null
    if (path === null) return null
    let frame = parseFrame(this.#fill(path, offset, firstReadBytes), 0, offset)
    if (typeof frame === 'number' && frame > frameHeadBytes)
      frame = parseFrame(this.#fill(path, offset, frame), 0, offset)
    if (frame === null || typeof frame === 'number') throw corrupt(path, offset, 'no complete text begins there')
    return Buffer.from(frame.buffer, frame.byteOffset, frame.length).toString('utf8')
  }

  close(): void {
    for (const file of this.#files.values()) closeSync(file)
    this.#files.clear()
  }

  #fill(path: string, offset: number, lengthBytes: number): Buffer {
    if (this.#buffer.length < lengthBytes) this.#buffer = Buffer.allocUnsafeSlow(lengthBytes)
    try {
      let file = this.#files.get(path)
      if (file === undefined) {
        file = openSync(path, 'r')
        this.#files.set(path, file)
      }
      let done = 0
      while (done < lengthBytes) {
        const bytesRead = readSync(file, this.#buffer, done, lengthBytes - done, offset + done)
        if (bytesRead === 0) break
        done += bytesRead
      }
      return this.#buffer.subarray(0, done)
    } catch (error) {
      throw storageError('read', path, error)
    }
  }
}
