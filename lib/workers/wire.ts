/**
 * Messages between pool and worker threads. A structured clone of an error keeps message and stack but loses class, code and
 * details, so errors are sent as data and rebuilt.
 */

import * as errors from '../errors.js'
import type { Block, PreparedBlock } from '../text/block.js'

/** A task of a worker: a block, and shared memory for its columns, used if they fit. */
export interface WireTask {
  readonly block: Block
  readonly columnsBuffer: SharedArrayBuffer
  /** Written by the worker, read by the pool: see `newProgress`. */
  readonly progress: Int32Array
}

/** Returns the progress of a task that has not started, in shared memory. */
export function newProgress(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
}

/** Returns the progress of a task: 'queued', 'started' (no document yet), or the ordinal of the current document. */
export function progressOf(progress: Int32Array): 'queued' | 'started' | number {
  const value = Atomics.load(progress, 0)
  return value === 0 ? 'queued' : value === 1 ? 'started' : value - 2
}

/** Records that a task has started, or its current document. */
export function reportProgress(progress: Int32Array, document: number | null): void {
  Atomics.store(progress, 0, document === null ? 1 : document + 2)
}

/** Result of a task. */
export type WireReply = { readonly prepared: PreparedBlock } | { readonly error: WireError }

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
