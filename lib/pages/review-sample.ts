/** The sample of rows that `review` shows: as many of each tenth of the rows by score, chosen by seed. */
import { createHash } from 'node:crypto'
import { readManifest } from '../sinks/index.js'
import { type PartFile, PartScan, spread } from './part-scan.js'
import { pairOf } from './stored-records.js'
import type { ReviewPair } from './view.js'

/** Rows that are considered; of a larger run, those of parts that are spread evenly. */
const consideredMax = 1_000_000
const partsMax = 256
const strata = 10

export interface ReviewSample {
  /** Committed rows of the run. */
  readonly rows: number
  readonly pairs: readonly ReviewPair[]
  /** What could not be read. */
  readonly faults: readonly string[]
}

interface Scored {
  readonly id: string
  readonly score: number | null
}

/**
 * Sorts rows by score, divides them into ten equal parts (rows without a score are a part of their own), and takes from
 * the parts in turn. The seed and the id decide which rows of a part, and the order of the result: the order of `rows`
 * does not.
 *
 * @returns min(count, rows.length) rows
 */
export function stratifiedSample<Row extends Scored>(rows: readonly Row[], count: number, seed: number): Row[] {
  const rank = new Map(rows.map((row) => [row, rankOf(row.id, seed)]))
  const byRank = (a: Row, b: Row): number => compare(rank.get(a) ?? '', rank.get(b) ?? '')
  const scored = rows.filter(({ score }) => score !== null)
  scored.sort((a, b) => (a.score as number) - (b.score as number) || byRank(a, b))
  const parts = Array.from({ length: strata }, (_, at) =>
    scored.slice(Math.floor((at * scored.length) / strata), Math.floor(((at + 1) * scored.length) / strata)),
  )
  parts.push(rows.filter(({ score }) => score === null))
  for (const part of parts) part.sort(byRank)
  const chosen: Row[] = []
  for (let turn = 0; chosen.length < Math.min(count, rows.length); turn++) {
    for (const part of parts) {
      const row = part[turn]
      if (row !== undefined && chosen.length < count) chosen.push(row)
    }
  }
  return chosen.sort(byRank)
}

function rankOf(id: string, seed: number): string {
  return createHash('sha256').update(`${seed}\0${id}`).digest('hex')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

interface Place extends Scored {
  readonly part: PartFile
  readonly row: number
}

export async function readReviewSample(directory: string, count: number, seed: number): Promise<ReviewSample> {
  const entries = await readManifest(directory)
  const all = entries.flatMap(({ files }) => files).filter(({ split }) => split !== null)
  const rows = all.reduce((sum, part) => sum + part.rows, 0)
  const scan = new PartScan(directory)
  const places: Place[] = []
  for (const part of rows <= consideredMax ? all : spread(all, partsMax)) {
    const left = consideredMax - places.length
    let row = 0
    for await (const read of scan.rows([part], left, ['id', 'score'])) {
      for (const { id, score } of read) {
        places.push({ id: String(id), score: typeof score === 'number' ? score : null, part, row: row++ })
      }
    }
    if (places.length >= consideredMax) break
  }
  const pairs = new Map<string, ReviewPair>()
  const chosen = stratifiedSample(places, count, seed)
  for (const [part, own] of grouped(chosen)) {
    const found = await scan.rowsAt(
      part,
      own.map(({ row }) => row),
    )
    for (const [at, row] of found.entries()) {
      if (row === null) continue
      const pair = pairOf(row, part.split ?? '', Number.POSITIVE_INFINITY)
      pairs.set(pair.id, { ...pair, score: own[at]?.score ?? null })
    }
  }
  return { rows, pairs: chosen.flatMap(({ id }) => pairs.get(id) ?? []), faults: scan.faults }
}

function grouped(places: readonly Place[]): Map<PartFile, Place[]> {
  const byPart = new Map<PartFile, Place[]>()
  for (const place of places) {
    const own = byPart.get(place.part)
    if (own === undefined) byPart.set(place.part, [place])
    else own.push(place)
  }
  return byPart
}
