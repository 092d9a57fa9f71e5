/** Threads by the cores of the machine; apart from pool.ts, so that they are known without loading the pool. */
import { availableParallelism } from 'node:os'
import type { WorkersOptions } from './options.js'

/** Returns the number of threads: 'auto', the default, is one fewer than there are cores, at least one. */
export function threadCount(threads: WorkersOptions['threads'] = 'auto'): number {
  return threads === 'auto' ? Math.max(1, availableParallelism() - 1) : threads
}

/** The least cores from which on there are so many threads for duplicates: below, they would not be the bound. */
const dedupThreadsFrom = [
  [24, 6],
  [12, 4],
  [4, 2],
  [2, 1],
] as const

/** Returns the threads for duplicates: 'auto', the default, goes by the cores. */
export function dedupThreadCount(threads: WorkersOptions['dedupThreads'] = 'auto'): number {
  if (threads !== 'auto') return threads
  const cores = availableParallelism()
  return dedupThreadsFrom.find(([least]) => cores >= least)?.[1] ?? 0
}

/** The least cores from which on reading in the main thread would be the bound: the other threads have as much to do by then. */
const readThreadFrom = 12

/** Returns whether shards are read in a thread of their own: 'auto', the default, goes by the cores. */
export function readsInThread(readThread: WorkersOptions['readThread'] = 'auto'): boolean {
  return readThread === 'auto' ? availableParallelism() >= readThreadFrom : readThread
}
