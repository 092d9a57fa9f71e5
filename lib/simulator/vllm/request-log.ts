/**
 * Log of requests: the last ones in memory, and all of them in a file if one is given. A line is written when a request has
 * ended, and records whether its reply was sent completely.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import type { FaultKind } from './fault-rules.js'

/** One line of the log. */
export interface LoggedRequest {
  /** Number of the request, from 1, in order of arrival. */
  readonly number: number
  readonly path: string
  /** sha256 of the body. */
  readonly hash: string
  /** Header X-Kun-Key: the client's key of this request. */
  readonly key: string | null
  readonly status: number
  /** The whole reply was sent before the connection ended. */
  readonly complete: boolean
  readonly fault: FaultKind | null
  /** Texts of the choices if nonces are enabled, else none. */
  readonly texts: readonly string[]
}

/** Requests kept in memory, with their bodies. */
const requestsKept = 2_000

export class RequestLog {
  readonly #kept: (LoggedRequest & { readonly body: string })[] = []
  #file: number | null

  constructor(path: string | undefined) {
    this.#file = path === undefined ? null : openSync(path, 'a')
  }

  get hashes(): boolean {
    return this.#file !== null
  }

  /** Returns the last completed requests, oldest first, at most `requestsKept`. */
  last(): (LoggedRequest & { readonly body: string })[] {
    return this.#kept.slice(-requestsKept)
  }

  add(request: LoggedRequest, body: string): void {
    this.#kept.push({ ...request, body })
    if (this.#kept.length >= 2 * requestsKept) this.#kept.splice(0, requestsKept)
    if (this.#file !== null) writeSync(this.#file, `${JSON.stringify(request)}\n`)
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }
}
