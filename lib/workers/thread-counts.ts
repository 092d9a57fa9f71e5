/** Threads by the cores of the machine; apart from pool.ts, so that they are known without loading the pool. */
import { availableParallelism } from 'node:os'
import type { WorkersOptions } from './options.js'

/** Returns the number of threads: 'auto', the default, is one fewer than there are cores, at least one. */
export function threadCount(threads: WorkersOptions['threads'] = 'auto'): number {
  return threads === 'auto' ? Math.max(1, availableParallelism() - 1) : threads
}

/** Returns the threads for duplicates: 'auto', the default, is 2 from four cores on, 0 on a single one, else 1. */
export function dedupThreadCount(threads: WorkersOptions['dedupThreads'] = 'auto'): number {
  if (threads !== 'auto') return threads
  const cores = availableParallelism()
  return cores >= 4 ? 2 : cores > 1 ? 1 : 0
}
