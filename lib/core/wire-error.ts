/**
 * Errors between threads. A structured clone of an error keeps message and stack but loses class, code and details, so
 * errors are sent as data and rebuilt.
 */
import * as errors from '../errors.js'

export interface WireError {
  readonly name: string
  readonly message: string
  readonly stack: string
  /** Other own fields: code, retryable, exitCode, details and those of a subclass. Null for errors of other libraries. */
  readonly fields: Readonly<Record<string, unknown>> | null
  readonly cause: WireError | null
}

export function toWire(thrown: unknown, depth = 0): WireError {
  if (!(thrown instanceof Error)) {
    return { name: 'Error', message: String(thrown), stack: '', fields: null, cause: null }
  }
  const fields = thrown instanceof errors.KunStreamError ? { ...thrown } : null
  const cause = thrown.cause === undefined || depth >= causesMax ? null : toWire(thrown.cause, depth + 1)
  return { name: thrown.name, message: thrown.message, stack: thrown.stack ?? '', fields, cause }
}

/** Rebuilds an error of the same class, with the stack of its thread. */
export function fromWire(wire: WireError): Error {
  const options = wire.cause === null ? {} : { cause: fromWire(wire.cause) }
  const Class = (errors as Readonly<Record<string, unknown>>)[wire.name]
  const error = new Error(wire.message, options)
  if (wire.fields !== null && typeof Class === 'function') {
    // Constructors differ by class; prototype and own fields are all that they set.
    Object.setPrototypeOf(error, Class.prototype as object)
    Object.assign(error, wire.fields)
  }
  error.name = wire.name
  error.stack = wire.stack
  return error
}

/** Longest chain of causes that is sent. */
const causesMax = 5
