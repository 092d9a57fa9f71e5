/** Processor time of the threads of this process, by their names. Linux; empty elsewhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { errorCode } from '../lib/caught-error.js'

export interface ThreadSeconds {
  readonly main: number
  /** The thread that reads; 0 without one. */
  readonly read: number
  /** The thread that decides duplicates; 0 without one. */
  readonly dedup: number
  /** The thread that encodes its logs; 0 without one. */
  readonly dedupLog: number
  /** The busiest of the threads with tables of the index, of which there may be several; 0 without any. */
  readonly indexBusiest: number
  /** The busiest of the threads that prepare blocks, of which there may be any number. */
  readonly prepareBusiest: number
  readonly prepare: number
  /** Garbage collection, file operations and compilation: threads of V8 and libuv. */
  readonly other: number
  readonly all: number
}

export interface ThreadWatch {
  /** Keeps the times of the threads that are running: some end before the others. */
  note(): void
  /** Returns what was spent since the start of the watch, also by threads that ended after they were noted. */
  spent(): ThreadSeconds
}

export function threadWatch(): ThreadWatch {
  const before = threadTimes()
  const noted = new Map<number, { readonly name: string; readonly seconds: number }>()
  const note = (): void => {
    for (const [id, times] of threadTimes()) noted.set(id, times)
  }
  const spent = (): ThreadSeconds => {
    note()
    const spent = [...noted].map(([id, { name, seconds }]) => {
      return { id, name, seconds: seconds - (before.get(id)?.seconds ?? 0) }
    })
    const sum = (of: (thread: (typeof spent)[number]) => boolean) =>
      spent.filter(of).reduce((total, { seconds }) => total + seconds, 0)
    const busiest = (alike: string) =>
      Math.max(0, ...spent.filter(({ name }) => name === alike).map(({ seconds }) => seconds))
    const isMain = ({ id }: { readonly id: number }) => id === process.pid
    const isNamed = ({ name }: { readonly name: string }) =>
      ['read', 'dedup', 'dedup-log', 'dedup-index', 'prepare'].includes(name)
    return {
      main: sum(isMain),
      read: sum(({ name }) => name === 'read'),
      dedup: sum(({ name }) => name === 'dedup'),
      dedupLog: sum(({ name }) => name === 'dedup-log'),
      indexBusiest: busiest('dedup-index'),
      prepareBusiest: busiest('prepare'),
      prepare: sum(({ name }) => name === 'prepare'),
      other: sum((thread) => !isMain(thread) && !isNamed(thread)),
      all: sum(() => true),
    }
  }
  return { note, spent }
}

/** By thread id; the first field of schedstat is nanoseconds on a processor. The main thread has the process's id. */
function threadTimes(): Map<number, { readonly name: string; readonly seconds: number }> {
  const folder = '/proc/self/task'
  if (!existsSync(folder)) return new Map()
  return new Map(
    readdirSync(folder).flatMap((thread) => {
      try {
        const read = (file: string) => readFileSync(`${folder}/${thread}/${file}`, 'utf8')
        const seconds = Number(read('schedstat').split(' ')[0]) / 1e9
        return [[Number(thread), { name: read('comm').trim(), seconds }] as const]
      } catch (error) {
        // It ended after the folder was read.
        if (['ENOENT', 'ESRCH'].includes(errorCode(error) ?? '')) return []
        throw error
      }
    }),
  )
}
