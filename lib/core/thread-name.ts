/** Names of threads, as `top -H` and `perf` show them. */
import { writeFileSync } from 'node:fs'

/** Names the calling thread, by at most 15 characters. Returns false where that is not possible: it is for people only. */
export function nameThread(name: string): boolean {
  if (process.platform !== 'linux') return false
  try {
    writeFileSync('/proc/thread-self/comm', name)
    return true
  } catch {
    return false // a container may hide /proc
  }
}
