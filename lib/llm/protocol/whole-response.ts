/**
 * Receives a response whole: a handler of undici that collects the pieces of the body. Costs a third of a response as a
 * stream with an abort signal of its own, which matters at a thousand replies per second. Streamed replies are read
 * piece by piece by response-body.ts instead.
 */

import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { asError } from '../../caught-error.js'
import type { Headers } from './rate-limits.js'
import { malformedReply } from './reply-body.js'
import { errorBytesMax, replyBytesMax } from './response-body.js'

/** A response whose body was received. */
interface WholeResponse {
  readonly statusCode: number
  readonly headers: Headers
  /** As it was sent: compressed, if the server compressed it. */
  readonly bytes: Buffer
}

/**
 * Sends a request and returns its response.
 *
 * @throws {ServerError} the body of a reply has more than `replyBytesMax`; also the error of the connection, or the
 * reason of the signal
 */
export function receiveWhole(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  signal: AbortSignal,
): Promise<WholeResponse> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const handler = new WholeResponseHandler(resolve, reject, signal)
    dispatcher.dispatch(request, handler)
  })
}

class WholeResponseHandler implements Dispatcher.DispatchHandler {
  readonly #resolve: (response: WholeResponse) => void
  readonly #reject: (error: unknown) => void
  readonly #signal: AbortSignal
  #controller: Dispatcher.DispatchController | null = null
  #statusCode = 0
  #headers: Headers = {}
  readonly #pieces: Buffer[] = []
  #bytes = 0
  #ended = false
  readonly #onAbort = () => this.#fail(this.#signal.reason)

  constructor(resolve: (response: WholeResponse) => void, reject: (error: unknown) => void, signal: AbortSignal) {
    this.#resolve = resolve
    this.#reject = reject
    this.#signal = signal
    signal.addEventListener('abort', this.#onAbort)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // Ended while it waited for a connection.
    if (this.#ended) controller.abort(asError(this.#signal.reason))
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number, headers: Headers): void {
    this.#statusCode = statusCode
    this.#headers = headers
  }

  onResponseData(_controller: Dispatcher.DispatchController, piece: Buffer): void {
    if (this.#ended) return
    this.#pieces.push(piece)
    this.#bytes += piece.length
    if (this.#statusCode === 200) {
      if (this.#bytes > replyBytesMax) this.#fail(malformedReply(`a response of more than ${replyBytesMax} bytes`))
    } else if (this.#bytes >= errorBytesMax) {
      // The beginning of an error says enough.
      this.#succeed()
      this.#controller?.abort(new Error('the rest of an error is not read'))
    }
  }

  onResponseEnd(): void {
    this.#succeed()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end()
    this.#reject(error)
  }

  #succeed(): void {
    if (this.#ended) return
    this.#end()
    const [first] = this.#pieces
    const bytes = this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces, this.#bytes)
    this.#resolve({ statusCode: this.#statusCode, headers: this.#headers, bytes })
  }

  #fail(reason: unknown): void {
    this.#end()
    this.#reject(reason)
    this.#controller?.abort(asError(reason))
  }

  #end(): void {
    this.#ended = true
    this.#signal.removeEventListener('abort', this.#onAbort)
  }
}

/** Returns the body as a stream, for readers that decompress it or parse its events. */
export function bodyOf({ bytes }: WholeResponse): Readable {
  return Readable.from([bytes], { objectMode: false })
}
