/** Destination of a sink's bytes: a stream of the caller, or a file that is renamed to its path when it is complete. */
import { stat } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { writableEnd } from '../../core/writable-end.js'
import { nodeFiles, temporarySuffix } from '../../storage/files.js'

/** A destination of bytes. */
export interface ByteTarget {
  /** Resolves when the bytes are no longer used: their memory may be reused then. */
  write(parts: readonly Uint8Array[]): Promise<void>
  /** Called once, after the last write. */
  end(): Promise<void>
  /** Called in place of `end` if the graph fails. */
  discard(): Promise<void>
}

/** A path, a stream, or a target that the caller implements. */
export type Destination = string | Writable | ByteTarget

/** Opens a destination. */
export function byteTarget(to: Destination): ByteTarget {
  if (typeof to === 'string') return new FileTarget(to)
  return 'pipe' in to ? new StreamTarget(to) : to
}

/** A stream. It is ended with the output, unless it is the standard output of the process. */
class StreamTarget implements ByteTarget {
  readonly #stream: Writable
  readonly #ended: Promise<void>

  constructor(stream: Writable) {
    this.#stream = stream
    this.#ended = writableEnd(stream)
  }

  async write(parts: readonly Uint8Array[]): Promise<void> {
    const written = writeAll(this.#stream, parts)
    const error = await Promise.race([written, this.#ended.then(() => written)])
    if (error !== null) throw error
  }

  async end(): Promise<void> {
    if (this.#stream === process.stdout) return
    this.#stream.end()
    await this.#ended
  }

  async discard(): Promise<void> {
    if (this.#stream !== process.stdout) this.#stream.destroy()
  }
}

/** Writes all parts in one corked write; resolves when the last one is written: null, or the error of its write. */
export function writeAll(stream: Writable, parts: readonly (Uint8Array | string)[]): Promise<Error | null> {
  const last = parts.length - 1
  if (last < 0) return Promise.resolve(null)
  return new Promise((resolve) => {
    stream.cork()
    for (const [index, part] of parts.entries()) {
      if (index < last) stream.write(part)
      else stream.write(part, (error) => resolve(error ?? null))
    }
    stream.uncork()
  })
}

/** A file, written under a temporary name; a device or a named pipe is written directly. */
class FileTarget implements ByteTarget {
  readonly #path: string
  readonly #opened: Promise<{ readonly file: Awaited<ReturnType<typeof nodeFiles.open>>; readonly temporary: boolean }>

  constructor(path: string) {
    this.#path = path
    this.#opened = this.#open()
    this.#opened.catch(() => undefined) // thrown by the first write, or by the end
  }

  async write(parts: readonly Uint8Array[]): Promise<void> {
    const { file } = await this.#opened
    for (const part of parts) await file.write(part)
  }

  async end(): Promise<void> {
    const { file, temporary } = await this.#opened
    if (temporary) await file.fsync()
    await file.close()
    if (temporary) await nodeFiles.rename(this.#path + temporarySuffix, this.#path)
  }

  async discard(): Promise<void> {
    const opened = await this.#opened.catch(() => null) // thrown by `write` or `end`: nothing to discard
    await opened?.file.close()
    if (opened?.temporary) await nodeFiles.remove(this.#path + temporarySuffix)
  }

  async #open() {
    const found = await stat(this.#path).catch(() => null) // `open` reports what is wrong with the path
    const temporary = found === null || found.isFile()
    const path = temporary ? this.#path + temporarySuffix : this.#path
    return { file: await nodeFiles.open(path, 'write'), temporary }
  }
}
