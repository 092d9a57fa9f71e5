/**
 * Messages between pool and worker threads.
 */

import { fromWire, type WireError } from '../core/wire-error.js'
import type { Block, PreparedBlock } from '../text/block.js'

export { fromWire, toWire, type WireError } from '../core/wire-error.js'

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

/** Result of a task: `rejects` is the JSON of those of the block, which is parsed in a third of the time of a clone. */
export type WireReply =
  | { readonly prepared: Omit<PreparedBlock, 'rejects'>; readonly rejects: string }
  | { readonly error: WireError }

export function replyOf({ rejects, ...prepared }: PreparedBlock): WireReply {
  return { prepared, rejects: rejects.length === 0 ? '' : JSON.stringify(rejects) }
}

/** @throws the error of the task */
export function preparedOf(reply: WireReply): PreparedBlock {
  if ('error' in reply) throw fromWire(reply.error)
  const { prepared, rejects } = reply
  return { ...prepared, rejects: rejects === '' ? [] : (JSON.parse(rejects) as PreparedBlock['rejects']) }
}
