/** How a stream of the caller ends: with all that was written, with an error, or closed before. */
import type { Writable } from 'node:stream'
import { SystemError } from '../errors.js'
import { say } from '../language/say.js'

/**
 * Resolves when a stream has finished.
 *
 * @throws {Error} the stream's error
 * @throws {SystemError} it was destroyed before it had finished
 */
export function writableEnd(stream: Writable): Promise<void> {
  const ended = new Promise<void>((resolve, reject) => {
    const closed = (): void => {
      if (stream.writableFinished) resolve()
      else reject(stream.errored ?? closedBeforeEnd())
    }
    stream.once('finish', resolve)
    stream.on('error', reject)
    stream.once('close', closed)
    if (stream.destroyed) closed()
  })
  ended.catch(() => undefined) // thrown to those who await it: the next write, or the end
  return ended
}

export function closedBeforeEnd(): SystemError {
  return new SystemError(say`the output stream was closed before all was written`)
}
