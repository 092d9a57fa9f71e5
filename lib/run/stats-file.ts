/** stats.json of a run directory: the counters of its last cut, the same bytes in every run. */
import { join } from 'node:path'
import { distinctOf, gramFigures } from '../kun/row-figures.js'
import { type FileLayer, writeFileDurably } from '../storage/files.js'
import { statsName } from '../storage/run-layout.js'

/** Content of the file. It has no checksum: the manifest has the same counters. */
interface Stats {
  readonly cuts: number
  readonly splits: Readonly<Record<string, unknown>>
}

/** Formats the file. Lists of numbers take one line; the sketches of distinct n-grams are replaced by their estimates. */
export function statsText({ cuts, splits }: Stats): string {
  const text = JSON.stringify({ cuts, splits }, (_, value: unknown) => withEstimate(value), 2)
  return `${text.replace(/\[\n\s+([\d,\s]+?)\s+\]/g, (_, list: string) => `[${list.replace(/\s+/g, ' ')}]`)}\n`
}

function withEstimate(value: unknown): unknown {
  const sketched = gramFigures.safeParse(value)
  if (!sketched.success) return value
  const { all, sketch } = sketched.data
  return { all, distinct: Math.min(all, distinctOf(sketch)) }
}

/** Writes the file when a run ends. */
export async function writeStats(files: FileLayer, directory: string, stats: Stats): Promise<void> {
  await writeFileDurably(files, join(directory, statsName), Buffer.from(statsText(stats)))
}
