/**
 * Identity of the process that holds a lock, and whether it still runs. Only a process of the same boot and the same
 * PID namespace can be looked up by its pid: of any other one the state is unknown, and its lease decides.
 */

import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { errorCode } from '../../caught-error.js'

/** The process that a lock names; distinct from a later process with the same pid. */
export interface Holder {
  readonly pid: number
  /** Start of the process in clock ticks since boot; null without /proc. */
  readonly started: string | null
  /** Boot id of the kernel: two machines, and two boots of one, differ. Null where it is unknown. */
  readonly boot: string | null
  /** PID and time namespace, which give `pid` and `started` their meaning. Null where they are unknown. */
  readonly namespace: string | null
  /** For messages only: containers on several machines may share a host name. */
  readonly host: string
}

/** 'unknown': the process table of the holder is not visible from here. */
export type HolderState = 'running' | 'gone' | 'unknown'

/** The identity of this process. */
export function thisProcess(): Holder {
  const visible = seesItself()
  return {
    pid: process.pid,
    started: visible ? (processStart(process.pid)?.started ?? null) : null,
    boot: systemFile('/proc/sys/kernel/random/boot_id'),
    namespace: visible ? namespaces() : null,
    host: hostname(),
  }
}

/** Returns whether a holder still runs, as far as this process can determine. */
export function holderState(holder: Holder, self: Holder = thisProcess()): HolderState {
  const { pid, started, boot, namespace } = holder
  if (boot === null || namespace === null || started === null) return 'unknown'
  if (boot !== self.boot || namespace !== self.namespace) return 'unknown'
  try {
    process.kill(pid, 0)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ESRCH') return 'gone'
    // EPERM: the process exists and belongs to another user.
    if (code !== 'EPERM') return 'unknown'
  }
  const found = processStart(pid)
  // Hidden from this user (hidepid).
  if (found === null) return 'unknown'
  return found.started === started && !found.ended ? 'running' : 'gone'
}

/** False where /proc shows another PID namespace: the pids in it are of other processes. */
function seesItself(): boolean {
  return link('/proc/self') === String(process.pid)
}

function namespaces(): string | null {
  const pid = link('/proc/self/ns/pid')
  return pid === null ? null : `${pid} ${link('/proc/self/ns/time') ?? ''}`.trim()
}

/**
 * Field 22 of /proc/PID/stat; the name before it may hold spaces and brackets. A zombie has ended: in a container whose
 * first process reaps none, a killed process keeps its pid and its start, but does no work.
 */
function processStart(pid: number): { readonly started: string; readonly ended: boolean } | null {
  const stat = systemFile(`/proc/${pid}/stat`)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const started = fields?.[19]
  return started === undefined ? null : { started, ended: fields?.[0] === 'Z' || fields?.[0] === 'X' }
}

function systemFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    // Not Linux, or the process is gone: unknown.
    return null
  }
}

function link(path: string): string | null {
  try {
    return readlinkSync(path)
  } catch {
    // Not Linux, or a kernel without this namespace: unknown.
    return null
  }
}
