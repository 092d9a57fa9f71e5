/**
 * Input files on a device or a file server that fails: `node:fs/promises` is replaced for the files of one directory, so
 * that the Nth operation on them fails with an errno. Everything else is read as always.
 */
import fs, { type FileHandle } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import type { Test } from 'tap'

export type InputOperation = 'open' | 'read' | 'stat' | 'close'

export interface FailingInputs {
  /** Operations on the files until now. */
  readonly counts: Record<InputOperation, number>
  /** The operation that fails, once: its number from now on, 1 for the next. */
  failAt(operation: InputOperation, number: number, errno: 'EIO' | 'ESTALE'): void
  /** Whether it failed. */
  failed(): boolean
}

/** @param directory absolute; its files are those of the test */
export function failingInputs(t: Test, directory: string): FailingInputs {
  const counts: Record<InputOperation, number> = { open: 0, read: 0, stat: 0, close: 0 }
  let next: { readonly operation: InputOperation; readonly count: number; readonly errno: 'EIO' | 'ESTALE' } | null =
    null

  function enter(operation: InputOperation): void {
    counts[operation]++
    if (next === null || next.operation !== operation || counts[operation] !== next.count) return
    const errno = -constants.errno[next.errno]
    next = null
    // As Node does: it has no name for ESTALE.
    const code = getSystemErrorName(errno)
    throw Object.assign(new Error(`${code}: made to fail, ${operation}`), { errno, code, syscall: operation })
  }

  const { open } = fs
  fs.open = async (path, ...rest) => {
    const isInput = String(path).startsWith(`${directory}/`)
    if (isInput) enter('open')
    const handle = await open(path, ...rest)
    return isInput ? entering(handle, enter) : handle
  }
  syncBuiltinESMExports()
  t.teardown(() => {
    fs.open = open
    syncBuiltinESMExports()
  })
  return {
    counts,
    failAt(operation, number, errno) {
      next = { operation, count: counts[operation] + number, errno }
    },
    failed: () => next === null,
  }
}

function entering(handle: FileHandle, enter: (operation: InputOperation) => void): FileHandle {
  return new Proxy(handle, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return async (...given: unknown[]) => {
        const result: unknown = await value.apply(target, given)
        // Afterwards, so that a close that fails has closed the file.
        if (name === 'read' || name === 'stat' || name === 'close') enter(name)
        return result
      }
    },
  })
}
