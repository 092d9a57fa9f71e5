/** Searches the committed rows or rejects of a run, the latest first, in steps of a limited number of records. */
import { isRecord } from '../core/objects.js'
import { readManifest } from '../sinks/index.js'
import { type PartFile, PartScan, type StoredRow } from './part-scan.js'
import { pairOf, rejectOf } from './stored-records.js'
import type { PairView, RejectExample, SearchQuery, SearchResult } from './view.js'

/** Records that one request reads, and that it returns. */
const readMax = 20_000
const foundMax = 24

export async function searchRun(directory: string, query: SearchQuery): Promise<SearchResult> {
  const entries = await readManifest(directory)
  const parts = entries.flatMap(({ files }) => files).filter((file) => isSearched(file, query))
  const all = parts.reduce((sum, { rows }) => sum + rows, 0)
  const scan = new PartScan(directory)
  const pairs: PairView[] = []
  const rejects: RejectExample[] = []
  const needle = query.text.trim().toLowerCase()
  let read = 0
  const result = (): SearchResult => ({ pairs, rejects, read, all, next: read < all ? read : null })
  for (const part of parts.toReversed()) {
    if (read + part.rows <= query.from) {
      read += part.rows
      continue
    }
    const before = read
    read = Math.max(read, query.from)
    for await (const rows of scan.backwards(part, read - before)) {
      for (const row of rows) {
        read++
        if (!matches(row, query, needle)) continue
        if (part.split === null) rejects.push(rejectOf(row))
        else pairs.push(pairOf(row, part.split))
        if (pairs.length + rejects.length >= foundMax) return result()
      }
      if (read - query.from >= readMax) return result()
    }
    // A part that cannot be read counts as read.
    read = before + part.rows
  }
  return result()
}

function isSearched({ split }: PartFile, { kind, split: wanted }: SearchQuery): boolean {
  if (kind === 'rejects') return split === null
  return split !== null && (wanted === '' || split === wanted)
}

function matches(row: StoredRow, { kind, split, reason }: SearchQuery, needle: string): boolean {
  if (kind === 'rejects' && split !== '' && row.split !== split) return false
  if (kind === 'rejects' && reason !== '' && row.reason !== reason) return false
  return needle === '' || Object.values(row).some((value) => contains(value, needle))
}

function contains(value: unknown, needle: string): boolean {
  if (typeof value === 'string') return value.toLowerCase().includes(needle)
  return Array.isArray(value) && value.some((item) => isRecord(item) && contains(item.content, needle))
}
