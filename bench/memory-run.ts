/**
 * One run in a process of its own, for bench/memory.ts: `node dist/bench/memory-run.js RECIPE DIRECTORY WRITE_WAIT_MS
 * [through]`. As `kun-stream run` does it, but that every write of a part may take longer. Prints one line of JSON.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { boundHeapGrowth } from '../lib/cli/heap-growth.js'
import type { Phase } from '../lib/kun/stage-ranks.js'
import { loadRecipe } from '../lib/recipe/index.js'
import { settingsOf } from '../lib/recipe/run-settings.js'
import { startKunRun } from '../lib/run/run.js'
import { type FileLayer, nodeFiles } from '../lib/storage/files.js'

export interface RunFigures {
  readonly readBytes: number
  /** Candidates: what the index of duplicates holds. */
  readonly kept: number
  readonly seconds: number
  /** The most memory that the process ever had. */
  readonly peakBytes: number
  /** What the indexes say that they take, of duplicates and of replies. */
  readonly indexBytes: number
  /** Of the time, how much the sink was at work: near 1 it holds up all the rest. */
  readonly sinkShare: number
  /** What the sink took for each write of a part, all that it does counted; NaN without a sink. */
  readonly sinkMsPerWrite: number
}

const [recipePath, directory, writeWaitMs, through] = process.argv.slice(2)
if (recipePath === undefined || directory === undefined || writeWaitMs === undefined) {
  throw new Error('usage: memory-run.js RECIPE DIRECTORY WRITE_WAIT_MS [through]')
}
boundHeapGrowth()
const startMs = performance.now()
let writes = 0
const prepared = await settingsOf(await loadRecipe(recipePath, []), directory)
const session = await startKunRun(prepared.settings, {
  files: slowed(nodeFiles, Number(writeWaitMs)),
  through: through as Phase | undefined,
})
await session.done
const { readBytes, metrics, indexBytes } = session.progress()
await prepared.close()
const tookMs = performance.now() - startMs
const node = (name: string) => metrics.nodes.find((each) => each.name === name)
const figures: RunFigures = {
  readBytes,
  kept: node('dedup')?.out ?? 0,
  seconds: tookMs / 1000,
  peakBytes: process.resourceUsage().maxRSS * 1024,
  indexBytes: indexBytes.duplicates + indexBytes.replies,
  sinkShare: (node('write')?.workingMs ?? 0) / tookMs,
  sinkMsPerWrite: (node('write')?.workingMs ?? 0) / writes,
}
process.stdout.write(`${JSON.stringify(figures)}\n`)

/** A disk whose writes of parts are counted, and take so much longer, one after the other. */
function slowed(files: FileLayer, waitMs: number): FileLayer {
  let disk: Promise<unknown> = Promise.resolve()
  return {
    ...files,
    async open(path, mode) {
      const file = await files.open(path, mode)
      if (!/[/\\](data|rejects)[/\\]/.test(path)) return file
      return {
        path,
        write: async (bytes) => {
          writes++
          if (waitMs > 0) disk = disk.then(() => sleep(waitMs))
          await disk
          await file.write(bytes)
        },
        read: (offset, lengthBytes) => file.read(offset, lengthBytes),
        truncate: (lengthBytes) => file.truncate(lengthBytes),
        fsync: () => file.fsync(),
        close: () => file.close(),
      }
    },
  }
}
