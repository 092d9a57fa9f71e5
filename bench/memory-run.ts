/**
 * One run in a process of its own, for bench/memory.ts: `node dist/bench/memory-run.js RECIPE DIRECTORY WRITE_WAIT_MS
 * [through]`. As `kun-stream run` does it, but that every write under data/ may take longer. Prints one line of JSON.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { boundHeapGrowth } from '../lib/cli/heap-growth.js'
import { settingsOf } from '../lib/cli/settings.js'
import { type FileLayer, nodeFiles } from '../lib/core/files.js'
import { startSession } from '../lib/kun/session.js'
import type { Phase } from '../lib/kun/stages.js'
import { loadRecipe } from '../lib/recipe/index.js'

export interface RunFigures {
  readonly readBytes: number
  /** Candidates: what the index of duplicates holds. */
  readonly kept: number
  readonly seconds: number
  /** The most memory that the process ever had. */
  readonly peakMegabytes: number
}

const [recipePath, directory, writeWaitMs, through] = process.argv.slice(2)
if (recipePath === undefined || directory === undefined || writeWaitMs === undefined) {
  throw new Error('usage: memory-run.js RECIPE DIRECTORY WRITE_WAIT_MS [through]')
}
boundHeapGrowth()
const startMs = performance.now()
const prepared = await settingsOf(await loadRecipe(recipePath, []), directory)
const session = await startSession(prepared.settings, {
  files: slowed(nodeFiles, Number(writeWaitMs)),
  through: through as Phase | undefined,
})
await session.done
const { readBytes, metrics } = session.progress()
await prepared.close()
const figures: RunFigures = {
  readBytes,
  kept: metrics.nodes.find(({ name }) => name === 'dedup')?.out ?? 0,
  seconds: (performance.now() - startMs) / 1000,
  peakMegabytes: process.resourceUsage().maxRSS / 1024,
}
process.stdout.write(`${JSON.stringify(figures)}\n`)

/** A disk that takes so long for every write of a part. */
function slowed(files: FileLayer, waitMs: number): FileLayer {
  if (waitMs === 0) return files
  return {
    ...files,
    async open(path, mode) {
      const file = await files.open(path, mode)
      if (!path.includes('/data/')) return file
      return {
        path,
        write: async (bytes) => {
          await sleep(waitMs)
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
