/** Standard output or a file, with backpressure, and errors for a full disk and a closed reader. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { StorageError, UsageError } from '../../errors.js'
import { say } from '../../language/say.js'
import { writeAll } from '../../run/sinks/byte-target.js'
import { errnoName } from '../../storage/errno-name.js'
import { storageError } from '../../storage/files.js'
import { terminalText } from './terminal-text.js'

/** Thrown after the reader of the output closed it (`| head`): the command then ends with exit code 0. */
export class ReaderGone extends Error {}

export class Output {
  #failure: Error | null = null
  readonly #decoder = new TextDecoder()

  readonly #stream: Writable
  readonly #name: string

  constructor(stream: Writable, name = 'standard output') {
    this.#stream = stream
    this.#name = name
    stream.on('error', (error) => this.#fail(error))
  }

  #fail(error: NodeJS.ErrnoException): void {
    this.#failure ??= error.code === 'EPIPE' ? new ReaderGone() : notWritten(this.#name, error)
  }

  /** Resolves when the stream accepts more. @throws {ReaderGone | StorageError} */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    if (bytes.length === 0 || this.#stream.write(this.#shown(bytes))) return
    // An error ends the wait too; it is in #failure.
    await once(this.#stream, 'drain').catch(() => undefined)
    if (this.#failure !== null) throw this.#failure
  }

  /** Writes all parts; resolves when their memory is no longer used. @throws {ReaderGone | StorageError} */
  async writeAll(parts: readonly Uint8Array[]): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    const error = await writeAll(
      this.#stream,
      parts.map((part) => this.#shown(part)),
    )
    if (error !== null) this.#fail(error)
    if (this.#failure !== null) throw this.#failure
  }

  /** Escapes control characters for a terminal; a pipe or a file gets the bytes unchanged. */
  #shown(bytes: Uint8Array): Uint8Array | string {
    return (this.#stream as { isTTY?: boolean }).isTTY
      ? terminalText(this.#decoder.decode(bytes, { stream: true }))
      : bytes
  }

  /** Waits until everything is written; ends the stream, except process.stdout. */
  async end(): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    if (this.#stream === process.stdout) {
      await new Promise<void>((resolve) => this.#stream.write('', () => resolve()))
    } else {
      await new Promise<void>((resolve) => this.#stream.end(() => resolve()))
    }
    if (this.#failure !== null) throw this.#failure
  }
}

/** Opens a file that an option names. @throws {UsageError} it cannot be opened */
export async function fileOutput(path: string): Promise<Output> {
  const stream = createWriteStream(path)
  try {
    await once(stream, 'open')
  } catch (cause) {
    throw cannotOpen(path, cause)
  }
  return new Output(stream, path)
}

/** Writes a line to standard error. */
export function sayOnStderr(message: string): void {
  writeErr(`${message}\n`)
}

/** Writes text to standard output, sanitized. */
export function writeOut(text: string): void {
  process.stdout.write(terminalText(text))
}

/** Writes text to standard error, sanitized. */
export function writeErr(text: string): void {
  process.stderr.write(terminalText(text))
}

/** Error for a path of the command line that cannot be opened. */
export function cannotOpen(path: string, cause: unknown): UsageError {
  return new UsageError(storageError('open', path, cause).message, { cause })
}

/** Error for output that could not be written: not resumable. */
export function notWritten(name: string, cause: NodeJS.ErrnoException): StorageError {
  const why = cause.code === 'ENOSPC' ? say`the disk is full` : cause.message
  const details = { errno: errnoName(cause) ?? 'unknown', operation: 'write', path: name }
  return new StorageError(
    say`${name} could not be written: ${why}. Free space, or write elsewhere, and run the command again`,
    {
      cause,
      details,
    },
  )
}
