/** A run directory with a few cuts, written by the real writers: what publish, mirror and the like are tried on. */

import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Column, Row } from '../../lib/parquet/columns.js'
import { parquetEncoder } from '../../lib/parquet/encoders/index.js'
import { openCutWriter, readManifest } from '../../lib/sinks/index.js'
import { nodeFiles } from '../../lib/storage/files.js'

export const pairColumns: readonly Column[] = [
  { name: 'instruction', type: 'string' },
  { name: 'output', type: 'string' },
  { name: 'id', type: 'string' },
  { name: 'offset', type: 'int64' },
  { name: 'score', type: 'float64', nullable: true },
  { name: 'messages', type: 'messages' },
]

export interface RunDirectoryShape {
  readonly cuts: number
  readonly splits?: readonly string[]
  readonly rowsPerCut?: number
  /** Characters of a row's output; 40 by default. */
  readonly outputChars?: number
  readonly rowGroupBytesMax?: number
  readonly columns?: readonly Column[]
  readonly seed?: number
}

/** Adds cuts to a run directory; starts it when it is empty. */
export async function addCuts(directory: string, shape: RunDirectoryShape): Promise<void> {
  const { cuts, splits = ['skypile', 'wudao'], rowsPerCut = 5, columns = pairColumns } = shape
  const { rowGroupBytesMax = 16 * 1024 * 1024 } = shape
  const writer = await openCutWriter({
    files: nodeFiles,
    directory,
    splits,
    columns,
    encoder: await parquetEncoder(),
    from: (await readManifest(directory)).at(-1) ?? null,
    rowGroupBytesMax,
  })
  for (let count = 0; count < cuts; count++) {
    const { cut } = writer
    for (const split of splits) {
      for (let row = 0; row < rowsPerCut; row++) await writer.row(split, rowOf(split, cut * rowsPerCut + row, shape))
    }
    const stages = { documents: { in: 10, out: 8, dropped: { 'too-short': 2 }, failed: 0 } }
    const counters = Object.fromEntries(splits.map((split) => [split, { rows: (cut + 1) * rowsPerCut, stages }]))
    writeFileSync(join(directory, 'stats.json'), JSON.stringify({ cuts: cut + 1, splits: counters }))
    await writer.commit({ blocks: cut + 1, cursor: null, dedupLogBytes: 0, counters })
  }
}

export function rowOf(split: string, number: number, { outputChars = 40, seed = 1 }: Partial<RunDirectoryShape>): Row {
  const text = chinese(`${seed}:${split}:${number}`, outputChars)
  const id = createHash('sha256').update(`${seed}:${split}:${number}`).digest('hex').slice(0, 32)
  const instruction = `请介绍 ${split} 的第 ${number} 段?`
  const messages = [
    { role: 'user', content: instruction },
    { role: 'assistant', content: text },
  ]
  return {
    instruction,
    output: text,
    id,
    offset: number * 1000,
    score: number % 3 === 0 ? null : number / 100,
    messages,
  }
}

/** Characters that follow from the seed and hardly compress. */
function chinese(seed: string, characters: number): string {
  let text = ''
  for (let round = 0; text.length < characters; round++) {
    const digest = createHash('sha512').update(`${seed}:${round}`).digest()
    for (let at = 0; at < digest.length; at += 2)
      text += String.fromCodePoint(0x4e00 + (digest.readUInt16LE(at) % 20_000))
  }
  return text.slice(0, characters)
}
