/**
 * Errors across threads: a structured clone keeps message and stack and loses class, code and details.
 * So an error goes over as data and is rebuilt on the other side. Shared by pool.ts and worker.ts.
 */

import * as errors from '../errors.js'
import type { PreparedBlock } from '../text/batch.js'

/** What a worker answers. */
export type WireReply = { readonly prepared: PreparedBlock } | { readonly error: WireError }

export interface WireError {
  readonly name: string
  readonly message: string
  readonly stack: string
  readonly details: errors.KunStreamError['details'] | null
  readonly cause: WireError | null
}

export function toWire(thrown: unknown, depth = 0): WireError {
  if (!(thrown instanceof Error)) {
    return { name: 'Error', message: String(thrown), stack: '', details: null, cause: null }
  }
  const details = thrown instanceof errors.KunStreamError ? thrown.details : null
  const cause = thrown.cause === undefined || depth >= causesMax ? null : toWire(thrown.cause, depth + 1)
  return { name: thrown.name, message: thrown.message, stack: thrown.stack ?? '', details, cause }
}

/** An instance of the class it was, with the stack of the thread it came from. */
export function fromWire(wire: WireError): Error {
  const cause = wire.cause === null ? undefined : fromWire(wire.cause)
  const rebuilt = rebuild(wire, cause)
  rebuilt.stack = wire.stack
  return rebuilt
}

/** Causes of causes that go over. */
const causesMax = 5

type ErrorClass = new (message: string, details?: errors.ErrorDetails) => errors.KunStreamError

function rebuild(wire: WireError, cause: Error | undefined): Error {
  const found = (errors as Readonly<Record<string, unknown>>)[wire.name]
  if (wire.details !== null && typeof found === 'function') {
    return new (found as ErrorClass)(wire.message, { cause, details: wire.details })
  }
  const error = cause === undefined ? new Error(wire.message) : new Error(wire.message, { cause })
  error.name = wire.name
  return error
}
