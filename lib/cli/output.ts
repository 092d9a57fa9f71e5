/** Standard output as a place that may be slow, or may go away: commands that print much write through it. */
import { once } from 'node:events'
import type { Writable } from 'node:stream'

/** Thrown when whoever read the output has had enough (`| head`): the command ends quietly, with success. */
export class ReaderGone extends Error {}

export class Output {
  #failure: Error | null = null

  constructor(private readonly stream: Writable) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure = error.code === 'EPIPE' ? new ReaderGone() : error
    })
  }

  /** Resolves when there is room for more. @throws {ReaderGone} */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    if (bytes.length === 0 || this.stream.write(bytes)) return
    // An error ends the wait too; the one that `once` throws and the one kept are the same.
    await once(this.stream, 'drain').catch(() => undefined)
    if (this.#failure !== null) throw this.#failure
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
