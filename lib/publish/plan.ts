/**
 * Groups cuts into the files of the Hub, and names these. Depends on the manifest alone, so that a full group never
 * changes: later cuts start new groups.
 */

import { createHash } from 'node:crypto'
import { version } from '../core/version.js'
import type { CutFile } from '../parquet/part-writer.js'
import type { ManifestEntry } from '../sinks/types.js'

/** Consecutive cuts of a split that become one file. */
export interface Group {
  readonly split: string
  readonly firstCut: number
  readonly files: readonly CutFile[]
  /** True if it is full: it will never change. */
  readonly sealed: boolean
  /** Hash of what determines its bytes: its parts and the version that joins them. */
  readonly key: string
}

/** Returns the groups of each split in the order of cuts; splits are sorted by name. */
export function groupsOf(entries: readonly ManifestEntry[], fileBytes: number): Group[] {
  const open = new Map<string, { firstCut: number; files: CutFile[]; bytes: number }>()
  const groups: Group[] = []
  const close = (split: string, sealed: boolean) => {
    const { firstCut, files } = open.get(split) as { firstCut: number; files: CutFile[] }
    open.delete(split)
    groups.push({ split, firstCut, files, sealed, key: keyOf(files) })
  }
  for (const { cut, files } of entries) {
    for (const file of files) {
      const { split, rows, bytes } = file
      if (split === null || rows === 0) continue
      if ((open.get(split)?.bytes ?? 0) + bytes > fileBytes && open.has(split)) close(split, true)
      const group = open.get(split) ?? { firstCut: cut, files: [], bytes: 0 }
      group.files.push(file)
      group.bytes += bytes
      open.set(split, group)
    }
  }
  for (const split of [...open.keys()]) close(split, false)
  return groups.sort((a, b) => compare(a.split, b.split) || a.firstCut - b.firstCut)
}

function keyOf(files: readonly CutFile[]): string {
  const hash = createHash('sha256').update(`${version}\n`)
  for (const { sha256 } of files) hash.update(`${sha256}\n`)
  return hash.digest('hex')
}

/** `data/{split}-00000-of-00042.parquet`. */
export function finalName(split: string, number: number, of: number): string {
  const five = (value: number) => String(value).padStart(5, '0')
  return `data/${split}-${five(number)}-of-${five(of)}.parquet`
}

/** `data/{split}-{first cut}.parquet`: the name of a file while more may be added. */
export function runningName(split: string, firstCut: number): string {
  return `data/${split}-${String(firstCut).padStart(6, '0')}.parquet`
}

/** Returns the split of a file with a name of either form; null for any other name. */
export function splitOf(path: string): string | null {
  return /^data\/([\p{L}\p{N}_.]+)-(?:\d{5}-of-\d{5}|\d{6})\.parquet$/u.exec(path)?.[1] ?? null
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
