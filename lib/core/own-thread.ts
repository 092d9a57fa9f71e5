/** The calling thread: its name, as `top -H` and `perf` show it, and its port to the thread that started it. */
import { writeFileSync } from 'node:fs'
import { type MessagePort, parentPort } from 'node:worker_threads'
import { ContractError } from '../errors.js'

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

/** Returns the port of a worker thread. @throws {ContractError} the calling thread is the main one */
export function ownPort(): MessagePort {
  if (parentPort === null) throw new ContractError('this file is the entry point of a worker thread')
  return parentPort
}
