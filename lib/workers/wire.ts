/**
 * Messages between pool and worker threads.
 */

import { fromWire, type WireError } from '../core/wire-error.js'
import type { Block, PreparedBlock, PrepareReject } from '../text/block.js'

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

/** Rejects by field: cloned in half of the time of objects, whose keys are looked up one by one. JSON takes four times as long. */
type RejectColumns = { readonly [Field in keyof PrepareReject]: readonly PrepareReject[Field][] }

/** Result of a task. */
export type WireReply =
  | { readonly prepared: Omit<PreparedBlock, 'rejects'>; readonly rejects: RejectColumns | null }
  | { readonly error: WireError }

export function replyOf({ rejects, ...prepared }: PreparedBlock): WireReply {
  if (rejects.length === 0) return { prepared, rejects: null }
  return {
    prepared,
    rejects: {
      document: rejects.map(({ document }) => document),
      chunk: rejects.map(({ chunk }) => chunk),
      offset: rejects.map(({ offset }) => offset),
      key: rejects.map(({ key }) => key),
      stage: rejects.map(({ stage }) => stage),
      reason: rejects.map(({ reason }) => reason),
      detail: rejects.map(({ detail }) => detail),
      excerpt: rejects.map(({ excerpt }) => excerpt),
    },
  }
}

/** @throws the error of the task */
export function preparedOf(reply: WireReply): PreparedBlock {
  if ('error' in reply) throw fromWire(reply.error)
  return { ...reply.prepared, rejects: reply.rejects === null ? [] : rejectsOf(reply.rejects) }
}

function rejectsOf(columns: RejectColumns): PrepareReject[] {
  const { document, chunk, offset, key, stage, reason, detail, excerpt } = columns
  return document.map((each, row) => ({
    document: each,
    chunk: chunk[row] as number | null,
    offset: offset[row] as number,
    key: key[row] as string,
    stage: stage[row] as string,
    reason: reason[row] as string,
    detail: detail[row] as string,
    excerpt: excerpt[row] as string,
  }))
}
