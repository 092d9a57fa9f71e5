/** Finds what a run made of a record: its rows and rejects, by the id of one of them or by the place of the record. */
import { join } from 'node:path'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import { openPart } from '../parquet/part-reader.js'
import { readUncommitted } from '../run/latest-file.js'
import { type ManifestEntry, readManifest } from '../sinks/index.js'

/** Place of a record, and its rows and rejects if it is committed. */
export interface RecordOutcome {
  readonly split: string
  readonly shard: string
  readonly offset: number
  /** The chunk that was asked for; null: all of the record. */
  readonly chunk: number | null
  /** Null if it is not committed. */
  readonly cut: number | null
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  readonly rejects: readonly Readonly<Record<string, unknown>>[]
}

interface Place {
  readonly shard: string
  readonly offset: number
  readonly split?: string | undefined
  readonly chunk: number | null
}

/**
 * @param given an id of 32 hexadecimal digits, or SHARD:OFFSET
 * @throws {UsageError} neither a committed nor a finished record has it
 */
export async function findOutcome(directory: string, given: string): Promise<RecordOutcome> {
  const cuts = await readManifest(directory)
  const named = placeOf(given)
  for (const entry of [...cuts].reverse()) {
    const place = await placeInCut(directory, entry, named ?? given)
    if (place !== null) return outcomeOf(directory, entry, place)
  }
  const latest = await readUncommitted(directory)
  const record = [...(latest?.latestPairs ?? []), ...(latest?.latestRejects ?? [])].find((each) =>
    named === null ? each.id === given : each.shard === named.shard && each.offset === named.offset,
  )
  if (record !== undefined) {
    const { split, shard, offset, chunk } = record
    return { split, shard, offset, chunk: named === null ? chunk : null, cut: null, rows: [], rejects: [] }
  }
  if (named !== null) return { ...named, split: named.split ?? '', cut: null, rows: [], rejects: [] }
  throw new UsageError(
    say`${directory} has no row or reject with the id ${given}: give an id of kun-stream inspect or tail, or SHARD:OFFSET`,
  )
}

function placeOf(given: string): Place | null {
  const found = /^(?<shard>.+)[:@](?<offset>\d+)$/s.exec(given)?.groups
  return found === undefined ? null : { shard: found.shard as string, offset: Number(found.offset), chunk: null }
}

/** Returns the place of a record if the cut has it. */
async function placeInCut(directory: string, entry: ManifestEntry, wanted: string | Place): Promise<Place | null> {
  for (const { path, split } of entry.files) {
    const columns = ['id', 'split', 'shard', 'offset', 'chunk']
    const found = await findRow(join(directory, path), columns, (row) =>
      typeof wanted === 'string' ? row.id === wanted : isAt(row, wanted),
    )
    if (found === null) continue
    const chunk = Number(found.chunk)
    const own = { shard: String(found.shard), offset: Number(found.offset), split: split ?? String(found.split) }
    return { ...own, chunk: typeof wanted === 'string' && chunk >= 0 ? chunk : null }
  }
  return null
}

/** A document is within one block, and a block within one cut. */
async function outcomeOf(directory: string, entry: ManifestEntry, place: Place): Promise<RecordOutcome> {
  const rows: Readonly<Record<string, unknown>>[] = []
  const rejects: Readonly<Record<string, unknown>>[] = []
  for (const { path, split } of entry.files) {
    if (split !== null && split !== place.split) continue
    const into = split === null ? rejects : rows
    await findRow(join(directory, path), null, (row) => {
      if (isAt(row, place) && (split !== null || row.split === place.split)) into.push(row)
      return false
    })
  }
  return { ...place, split: place.split ?? '', cut: entry.cut, rows, rejects }
}

function isAt(row: Readonly<Record<string, unknown>>, { shard, offset }: Place): boolean {
  return row.shard === shard && Number(row.offset) === offset
}

/** @param columns null: all */
async function findRow(
  path: string,
  columns: readonly string[] | null,
  matches: (row: Readonly<Record<string, unknown>>) => boolean,
): Promise<Readonly<Record<string, unknown>> | null> {
  const part = await openPart(path)
  try {
    let start = 0
    for (const count of part.rowGroups) {
      const end = start + count
      const rows = columns === null ? await part.read(start, end) : await part.readColumns(columns, start, end)
      const found = rows.find(matches)
      if (found !== undefined) return found
      start = end
    }
    return null
  } finally {
    await part.close()
  }
}
