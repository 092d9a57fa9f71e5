/** Standard output, or a file, as a place that may be slow, full or gone: commands that print much write through it. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { StorageError, UsageError } from '../../errors.js'
import { errnoName } from '../../storage/errno-name.js'
import { storageError } from '../../storage/files.js'
import { terminalText } from './terminal-text.js'

/** Thrown when whoever read the output has had enough (`| head`): the command ends quietly, with success. */
export class ReaderGone extends Error {}

export class Output {
  #failure: Error | null = null
  readonly #decoder = new TextDecoder()

  constructor(
    private readonly stream: Writable,
    name = 'standard output',
  ) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure ??= error.code === 'EPIPE' ? new ReaderGone() : notWritten(name, error)
    })
  }

  /** Resolves when there is room for more. @throws {ReaderGone | StorageError} */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    if (bytes.length === 0 || this.stream.write(this.#shown(bytes))) return
    // An error ends the wait too; the one that `once` throws and the one kept are the same.
    await once(this.stream, 'drain').catch(() => undefined)
    if (this.#failure !== null) throw this.#failure
  }

  /** Escapes rows on a terminal; a pipe or a file gets the bytes. */
  #shown(bytes: Uint8Array): Uint8Array | string {
    return (this.stream as { isTTY?: boolean }).isTTY
      ? terminalText(this.#decoder.decode(bytes, { stream: true }))
      : bytes
  }

  /** Everything written has been handed on; ends a stream that is not the process's own. */
  async end(): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    if (this.stream === process.stdout) {
      await new Promise<void>((resolve) => this.stream.write('', () => resolve()))
    } else {
      await new Promise<void>((resolve) => this.stream.end(() => resolve()))
    }
    if (this.#failure !== null) throw this.#failure
  }
}

/** A file that an option names, opened. @throws {UsageError} it cannot be */
export async function fileOutput(path: string): Promise<Output> {
  const stream = createWriteStream(path)
  try {
    await once(stream, 'open')
  } catch (cause) {
    throw cannotOpen(path, cause)
  }
  return new Output(stream, path)
}

/** A line for whoever watches, apart from the output. */
export function sayOnStderr(message: string): void {
  writeErr(`${message}\n`)
}

/** Writes text to standard output through terminal-text.ts, as every command does. */
export function writeOut(text: string): void {
  process.stdout.write(terminalText(text))
}

/** Writes text to standard error, in the same way. */
export function writeErr(text: string): void {
  process.stderr.write(terminalText(text))
}

/** For a path of the command line that the system refuses. */
export function cannotOpen(path: string, cause: unknown): UsageError {
  return new UsageError(storageError('open', path, cause).message, { cause })
}

/** Of what is written here nothing resumes: it is made again. */
export function notWritten(name: string, cause: NodeJS.ErrnoException): StorageError {
  const why = cause.code === 'ENOSPC' ? 'the disk is full' : cause.message
  const details = { errno: errnoName(cause) ?? 'unknown', operation: 'write', path: name }
  return new StorageError(`${name} could not be written: ${why}. Make room, or write elsewhere, and run it again`, {
    cause,
    details,
  })
}
