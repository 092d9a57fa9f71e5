/** `status --watch`: reads the status of a run every two seconds until the run, or its last unit, ends. */
import { setTimeout } from 'node:timers/promises'
import { say } from '../language/say.js'
import type { StoredProgress } from '../report/progress-file.js'
import type { UnitProgress } from '../report/unit-progress.js'
import { LiveBlock } from './terminal/live-block.js'
import { writeOut } from './terminal/output.js'
import { progressLine, progressLines } from './terminal/progress-text.js'
import { unitProgressLines } from './terminal/unit-progress-text.js'
import { truncateText } from './terminal/wrap-text.js'

const everyMs = 2_000
/** Reads between two lines where standard output is not a terminal. */
const readsPerLine = 5

/** The part of a status that is watched. */
interface Watched {
  readonly directory: string
  readonly name: string | null
  /** Null once no run is in progress. */
  readonly holder: object | null
  readonly progress: StoredProgress | null
  /** Of a run in units, which any number of processes generate, without a lock. */
  readonly units: UnitProgress | null
}

/**
 * On a terminal, draws the progress in place; elsewhere prints a line every ten seconds.
 *
 * @param asJson formats each status as a line instead; null without --json
 * @returns the status after the run has ended; the first one if no run is in progress and no unit is left
 */
export async function watchStatus<Status extends Watched>(
  read: () => Promise<Status>,
  asJson: ((status: Status) => string) | null,
): Promise<Status> {
  const live = asJson === null && process.stdout.isTTY === true && process.env.TERM !== 'dumb'
  const block = new LiveBlock(process.stdout)
  try {
    for (let reads = 0; ; reads++) {
      const status = await read()
      if (status.holder === null && !hasUnitsLeft(status)) return status
      if (asJson !== null) writeOut(`${asJson(status)}\n`)
      else if (live) block.draw(blockOf(status, block))
      else if (reads % readsPerLine === 0) writeOut(`${lineOf(status)}\n`)
      await setTimeout(everyMs)
    }
  } finally {
    block.clear()
  }
}

function hasUnitsLeft({ units }: Watched): boolean {
  return units !== null && (units.done < units.planned || !units.planComplete)
}

function blockOf(status: Watched, block: LiveBlock): string[] {
  const { cells, lines } = block.size()
  const { progress, directory, name, units } = status
  const title = (name ?? directory).slice(0, cells)
  if (units !== null) return [title, ...unitProgressLines(units).map((line) => truncateText(line, cells - 1))]
  if (progress?.end !== 'running') return [say`${title}: the run is starting`]
  if (lines < 4) return progressLines(progress.progress, { cells, lines })
  return [title, ...progressLines(progress.progress, { cells, lines: lines - 1 })]
}

function lineOf({ progress, name, directory, units }: Watched): string {
  if (units !== null)
    return unitProgressLines(units)
      .map((line) => line.trim())
      .join(' · ')
  if (progress?.end !== 'running') return say`${name ?? directory}: the run is starting`
  return progressLine(progress.progress)
}
