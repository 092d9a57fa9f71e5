/** `status --watch`: reads the status of a run every two seconds until the run ends. */
import { setTimeout } from 'node:timers/promises'
import { say } from '../language/say.js'
import type { StoredProgress } from '../report/progress-file.js'
import { LiveBlock } from './terminal/live-block.js'
import { writeOut } from './terminal/output.js'
import { progressLine, progressLines } from './terminal/progress-text.js'

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
}

/**
 * On a terminal, draws the progress in place; elsewhere prints a line every ten seconds.
 *
 * @param asJson formats each status as a line instead; null without --json
 * @returns the status after the run has ended; the first one if no run is in progress
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
      if (status.holder === null) return status
      if (asJson !== null) writeOut(`${asJson(status)}\n`)
      else if (live) block.draw(blockOf(status, block))
      else if (reads % readsPerLine === 0) writeOut(`${lineOf(status)}\n`)
      await setTimeout(everyMs)
    }
  } finally {
    block.clear()
  }
}

function blockOf(status: Watched, block: LiveBlock): string[] {
  const { cells, lines } = block.size()
  const { progress, directory, name } = status
  const title = (name ?? directory).slice(0, cells)
  if (progress?.end !== 'running') return [say`${title}: the run is starting`]
  if (lines < 4) return progressLines(progress.progress, { cells, lines })
  return [title, ...progressLines(progress.progress, { cells, lines: lines - 1 })]
}

function lineOf({ progress, name, directory }: Watched): string {
  if (progress?.end !== 'running') return say`${name ?? directory}: the run is starting`
  return progressLine(progress.progress)
}
