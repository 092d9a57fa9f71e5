/** Names of threads, as `top -H` and `perf` show them. */
import { writeFileSync } from 'node:fs'

/** Names the calling thread, by at most 15 characters; on Linux only, elsewhere a no-op. */
export function nameThread(name: string): void {
  if (process.platform !== 'linux') return
  try {
    writeFileSync('/proc/thread-self/comm', name)
  } catch {
    // A name is for people only; a container may hide /proc.
  }
}
