/** What the pages read from the rows and rejects of a run: examples, grades of rejects, yields by source. */
import { type Counters, total } from '../run/accounting.js'
import { pinnedShardsOf } from '../run/run-record.js'
import type { RunRecord } from '../sinks/index.js'
import { type PartFile, type PartScan, type StoredRow, spread } from './part-scan.js'
import { pairOf, rejectOf } from './stored-records.js'
import type { PairView, RejectExample, SourceYield } from './view.js'

/** Examples of a reason. */
const examplesMax = 3
/** Rejects that are read for examples, the latest parts first. */
const exampleRowsMax = 20_000
/** Rows that are read for the figures of sources. */
const sourceRowsMax = 400_000
const partsMax = 64
const pairsMax = 12

interface RejectScan {
  /** `stage/reason` → examples. */
  readonly examples: ReadonlyMap<string, readonly RejectExample[]>
  /** Column → rejects with a grade from 0 to 1, in tenths. */
  readonly grades: ReadonlyMap<string, readonly number[]>
}

export async function rejectScan(scan: PartScan, files: readonly PartFile[]): Promise<RejectScan> {
  const parts = files.filter(({ split }) => split === null).toReversed()
  const examples = new Map<string, RejectExample[]>()
  const grades = new Map<string, number[]>()
  for await (const rows of scan.rows(spread(parts, partsMax), exampleRowsMax)) {
    for (const row of rows) {
      for (const column of ['score', 'screen']) addGrade(grades, column, row[column])
      const key = `${row.stage}/${row.reason}`
      const own = examples.get(key) ?? []
      if (own.length === 0) examples.set(key, own)
      if (own.length < examplesMax) own.push(rejectOf(row))
    }
  }
  return { examples, grades }
}

function addGrade(grades: Map<string, number[]>, column: string, value: unknown): void {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1)) return
  const bins = grades.get(column) ?? new Array<number>(10).fill(0)
  grades.set(column, bins)
  const bin = Math.min(9, Math.floor(value * 10))
  bins[bin] = (bins[bin] ?? 0) + 1
}

/** Returns the latest committed rows, the splits in turn. */
export async function latestPairs(scan: PartScan, files: readonly PartFile[]): Promise<PairView[]> {
  const lastOf = new Map<string, PartFile>()
  for (const file of files) if (file.split !== null) lastOf.set(file.split, file)
  const splits: PairView[][] = []
  for (const [split, file] of [...lastOf].slice(0, pairsMax)) {
    const rows = await scan.lastRows(file, Math.ceil(pairsMax / lastOf.size))
    splits.push(rows.map((row) => pairOf(row, split)))
  }
  const turns = Math.max(0, ...splits.map((pairs) => pairs.length))
  return Array.from({ length: turns }, (_, turn) => splits.flatMap((pairs) => pairs[turn] ?? []))
    .flat()
    .slice(0, pairsMax)
}

type MutableYield = { -readonly [Key in keyof SourceYield]: SourceYield[Key] }

/**
 * Returns the yield of each source. A split with one source has the counters of the split; for others the columns that
 * name the source are read, of a part of the files if there are too many.
 */
export async function sourceYields(
  scan: PartScan,
  files: readonly PartFile[],
  record: RunRecord | null,
  counters: Counters,
): Promise<{ readonly sources: readonly SourceYield[]; readonly areEstimated: boolean }> {
  const shards = record === null ? [] : pinnedShardsOf(record)
  const yields = new Map<string, MutableYield>()
  const sourceOfShard = new Map<string, string>()
  for (const { split, source = split, path, sizeBytes, removed } of shards) {
    if (removed) continue
    const key = sourceKey(split, source)
    sourceOfShard.set(sourceKey(split, path), key)
    const own = yields.get(key) ?? { split, name: source, shards: 0, bytes: 0, documents: null, rows: 0, rejects: 0 }
    yields.set(key, { ...own, shards: own.shards + 1, bytes: own.bytes + (sizeBytes ?? 0) })
  }
  const mixed = new Set<string>()
  for (const [split, own] of Object.entries(counters)) {
    const keys = [...yields].filter(([, each]) => each.split === split).map(([key]) => key)
    if (keys.length > 1) mixed.add(split)
    if (keys.length > 1) continue
    const key = keys[0] ?? sourceKey(split, split)
    const known = yields.get(key) ?? { split, name: split, shards: 0, bytes: 0, documents: null, rows: 0, rejects: 0 }
    yields.set(key, { ...known, documents: own.documents, rows: own.rows, rejects: rejectsOf(own) })
  }
  const areEstimated = await addMixed(scan, files, { counters, mixed, yields, sourceOfShard })
  const sources = [...yields.values()].sort((a, b) => b.rows - a.rows || (a.name < b.name ? -1 : 1))
  return { sources, areEstimated }
}

function sourceKey(split: string, name: string): string {
  return JSON.stringify([split, name])
}

function rejectsOf(own: Counters[string]): number {
  return total(own.documentRejects) + total(own.chunkRejects) + total(own.attemptRejects)
}

interface Mixed {
  readonly counters: Counters
  readonly mixed: ReadonlySet<string>
  readonly yields: Map<string, MutableYield>
  readonly sourceOfShard: ReadonlyMap<string, string>
}

/** Adds rows and rejects of splits with several sources; returns whether they were extrapolated. */
async function addMixed(
  scan: PartScan,
  files: readonly PartFile[],
  { counters, mixed, yields, sourceOfShard }: Mixed,
): Promise<boolean> {
  let areEstimated = false
  for (const kind of ['rows', 'rejects'] as const) {
    const parts = files.filter(({ split }) => (kind === 'rows' ? split !== null && mixed.has(split) : split === null))
    if (mixed.size === 0 || parts.length === 0) continue
    const all = parts.reduce((sum, { rows }) => sum + rows, 0)
    const chosen = all <= sourceRowsMax ? parts : spread(parts, partsMax)
    areEstimated ||= chosen.length < parts.length
    const counts = new Map<string, number>()
    for (const part of chosen) {
      const columns = kind === 'rows' ? ['source'] : ['split', 'shard']
      for await (const rows of scan.rows([part], sourceRowsMax, columns)) {
        for (const row of rows) {
          const key =
            kind === 'rows' ? sourceKey(part.split ?? '', String(row.source)) : keyOfReject(row, sourceOfShard)
          if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1)
        }
      }
    }
    for (const split of mixed) {
      const own = [...yields].filter(([, each]) => each.split === split)
      const counted = own.reduce((sum, [key]) => sum + (counts.get(key) ?? 0), 0)
      const exact =
        counters[split] === undefined ? 0 : kind === 'rows' ? counters[split].rows : rejectsOf(counters[split])
      const scale = counted === 0 ? 0 : exact / counted
      for (const [key, each] of own) yields.set(key, { ...each, [kind]: Math.round((counts.get(key) ?? 0) * scale) })
    }
  }
  return areEstimated
}

function keyOfReject(row: StoredRow, sourceOfShard: ReadonlyMap<string, string>): string | undefined {
  return sourceOfShard.get(sourceKey(String(row.split), String(row.shard)))
}
