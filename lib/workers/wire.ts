/**
 * Errors across threads: a structured clone keeps message and stack and loses class, code and details.
 * So an error goes over as data and is rebuilt on the other side. Shared by pool.ts and worker.ts.
 */

import * as errors from '../errors.js'
import type { Block, PreparedBlock } from '../text/block.js'

/** What a worker is given: a block, and shared memory for its columns, which it leaves where they do not fit. */
export interface WireTask {
  readonly block: Block
  readonly room: SharedArrayBuffer
  /** Written by the worker, read by the pool when the worker does not return: see `newProgress`. */
  readonly progress: Int32Array
}

/** Progress of a task that has not started, in shared memory. */
export function newProgress(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
}

/** Where a task is: 'queued', 'started' (no document yet), or the ordinal of the document in its block. */
export function progressOf(progress: Int32Array): 'queued' | 'started' | number {
  const value = Atomics.load(progress, 0)
  return value === 0 ? 'queued' : value === 1 ? 'started' : value - 2
}

/** Reports that a task started, or that it is at a document. */
export function reportProgress(progress: Int32Array, document: number | null): void {
  Atomics.store(progress, 0, document === null ? 1 : document + 2)
}

/** What a worker answers. */
export type WireReply = { readonly prepared: PreparedBlock } | { readonly error: WireError }

export interface WireError {
  readonly name: string
  readonly message: string
  readonly stack: string
  /** Own fields besides: code, retryable, exitCode, details and what a class adds. Null where it is no error of ours. */
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

/** An instance of the class it was, with the stack of the thread it came from. */
export function fromWire(wire: WireError): Error {
  const options = wire.cause === null ? {} : { cause: fromWire(wire.cause) }
  const Class = (errors as Readonly<Record<string, unknown>>)[wire.name]
  const error = new Error(wire.message, options)
  if (wire.fields !== null && typeof Class === 'function') {
    // Constructors differ from class to class; the prototype and the own fields are all that one of them makes.
    Object.setPrototypeOf(error, Class.prototype as object)
    Object.assign(error, wire.fields)
  }
  error.name = wire.name
  error.stack = wire.stack
  return error
}

/** Causes of causes that go over. */
const causesMax = 5
