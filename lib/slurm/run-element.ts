/** Runs the units of one element with the node's own server if there is one. */

import { asError } from '../caught-error.js'
import { mapConcurrent } from '../core/concurrent.js'
import { AbortedError, KunStreamError } from '../errors.js'
import type { UnitRun } from '../units/types.js'

/** Units that are generated concurrently: the second one keeps the servers busy while the first one ends. */
const unitsAtOnce = 2

/** What an element did. */
interface ElementEnd {
  readonly committed: number
  /** Units that had a result before, or got one from another process first. */
  readonly already: number
  readonly failed: number
  /** 0 all units have a result · 1 a unit failed · 3 stopped: the rest is left to the next start */
  readonly exitCode: 0 | 1 | 3
}

interface ElementOptions {
  readonly run: UnitRun
  readonly units: readonly string[]
  /** Stops after the replies of the requests in flight are stored. */
  readonly signal: AbortSignal
  /** Addresses by model, in place of those of the recipe. */
  readonly endpoints?: Readonly<Record<string, readonly string[]>>
  readonly onUnit?: (id: string, end: 'committed' | 'already' | Error) => void
  readonly onEvent?: (message: string) => void
}

/** Continues with the other units if one fails; an outage or a signal ends the element. */
export async function runElement(options: ElementOptions): Promise<ElementEnd> {
  const { run, units, signal, endpoints, onUnit, onEvent } = options
  const counts = { committed: 0, already: 0, failed: 0 }
  const open: string[] = []
  for (const id of units) {
    if (await run.isDone(id)) counts.already++
    else open.push(id)
  }
  if (open.length === 0) return { ...counts, exitCode: 0 }
  const worker = await run.openWorker({ signal, ...(endpoints && { endpoints }), ...(onEvent && { onEvent }) })
  try {
    let isStopped = false
    await mapConcurrent(open, unitsAtOnce, async (id) => {
      if (isStopped || signal.aborted) return
      try {
        const end = await worker.generate(id)
        counts[end]++
        onUnit?.(id, end)
      } catch (error) {
        const isEnd = signal.aborted || error instanceof AbortedError
        if (isEnd || (error instanceof KunStreamError && error.exitCode === 3)) isStopped = true
        if (isEnd) return
        counts.failed++
        onUnit?.(id, asError(error))
      }
    })
    const isOver = counts.committed + counts.already + counts.failed === units.length && !isStopped
    return { ...counts, exitCode: !isOver ? 3 : counts.failed > 0 ? 1 : 0 }
  } finally {
    await worker.close()
  }
}
