/** Compares the figures of benches with those of an earlier call with --json. */
import { readFileSync } from 'node:fs'
import type { BenchResult, BenchRow } from './types.js'

type Results = Readonly<Record<string, BenchResult>>

/**
 * Reads the results of an earlier call.
 *
 * @throws {Error} the file cannot be read, or is not a result of --json
 */
export function readResults(path: string): Results {
  const { results } = JSON.parse(readFileSync(path, 'utf8')) as { readonly results?: Results }
  if (results === undefined || typeof results !== 'object') throw new Error(`${path} is not a result of bench --json`)
  return results
}

/** Returns a row for each figure that both have, by bench, place of the table, place of the row and column. */
export function comparison(now: Results, before: Results): BenchRow[] {
  return Object.entries(now).flatMap(([bench, { tables }]) =>
    tables.flatMap(({ rows }, table) =>
      rows.flatMap((row, place) =>
        Object.entries(row).flatMap(([column, figure]) => {
          const earlier = before[bench]?.tables[table]?.rows[place]?.[column]
          if (typeof figure !== 'number' || typeof earlier !== 'number') return []
          const name = Object.values(row).find((cell) => typeof cell === 'string') ?? ''
          const changePercent = earlier === 0 ? 0 : (figure / earlier - 1) * 100
          return [{ bench, row: name, column, before: earlier, now: figure, 'change, %': changePercent }]
        }),
      ),
    ),
  )
}
