/** stats.json of a run directory: the counters of its last cut, the same bytes in every run. */
import { join } from 'node:path'
import { type FileLayer, writeFileDurably } from '../storage/files.js'
import { statsName } from '../storage/run-layout.js'

/** Content of the file. It has no checksum: the manifest has the same counters. */
interface Stats {
  readonly cuts: number
  readonly splits: Readonly<Record<string, unknown>>
}

/** Formats the file. */
export function statsText({ cuts, splits }: Stats): string {
  return `${JSON.stringify({ cuts, splits }, null, 2)}\n`
}

/** Writes the file when a run ends. */
export async function writeStats(files: FileLayer, directory: string, stats: Stats): Promise<void> {
  await writeFileDurably(files, join(directory, statsName), Buffer.from(statsText(stats)))
}
