/**
 * `npm run bench -- [NAME…] [--smoke] [--json] [--compare FILE] [--labelled PATH]`: runs benches and prints their tables to stdout.
 */

import { availableParallelism, cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { errorCode, errorMessage } from '../lib/caught-error.js'
import { grouped } from '../lib/language/grouped.js'
import { benches } from './benches.js'
import { comparison, readResults } from './compare.js'
import type { BenchResult, BenchRow } from './types.js'

export interface BenchFlags {
  readonly smoke: boolean
  readonly json: boolean
  readonly labelled?: readonly string[]
  /** An earlier result of --json. */
  readonly compare?: string | undefined
}

/** Names of the benches. */
export const benchNames: readonly string[] = Object.keys(benches)

const usage = `usage: npm run bench -- NAME… [--smoke] [--json] [--compare FILE] [--labelled PATH]
benches: ${benchNames.join(', ')}
`

/** Runs benches by name. @returns the exit code */
export async function runBenches(
  names: readonly string[],
  { smoke, json, labelled = [], compare }: BenchFlags,
): Promise<number> {
  const unknown = names.find((name) => !Object.hasOwn(benches, name))
  if (unknown !== undefined) return wrongUse(`unknown bench '${unknown}'`)
  if (names.length === 0) {
    process.stderr.write(usage)
    return 0
  }
  const earlier = compare === undefined ? null : readResults(compare)
  const results: Record<string, BenchResult> = {}
  for (const name of names) {
    const { bench } = await (benches[name] as NonNullable<(typeof benches)[string]>)()
    process.stderr.write(`${bench.name}: ${bench.description}\n`)
    const result = await bench.run({
      size: smoke ? 'smoke' : 'full',
      say: (line) => process.stderr.write(`  ${line}\n`),
      labelled,
    })
    results[name] = result
    if (!json) print(result)
  }
  const changes = earlier === null ? null : comparison(results, earlier)
  if (json)
    process.stdout.write(`${JSON.stringify({ machine: machine(), results, ...(changes && { changes }) }, null, 2)}\n`)
  else if (changes !== null) process.stdout.write(`\nCompared with ${compare}\n${formatted(changes).join('\n')}\n`)
  return 0
}

function wrongUse(why: string): number {
  process.stderr.write(`${why}\n${usage}`)
  return 2
}

function machine(): BenchRow {
  return { node: process.version, cores: availableParallelism(), cpu: cpus()[0]?.model ?? 'unknown' }
}

function print({ tables, aims }: BenchResult): void {
  const { node, cores, cpu } = machine()
  process.stdout.write(`node ${node}, ${cores} cores, ${cpu}\n`)
  for (const { title, rows } of tables) process.stdout.write(`\n${title}\n${formatted(rows).join('\n')}\n`)
  if (aims.length === 0) return
  const rows = aims.map(({ what, figure, aim, met }) => ({
    '': met ? 'met' : 'MISSED',
    what,
    figure: round(figure),
    aim,
  }))
  process.stdout.write(`\nAims\n${formatted(rows).join('\n')}\n`)
}

/** Columns as wide as their widest cell; figures to the right. */
function formatted(rows: readonly BenchRow[]): string[] {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const cells = rows.map((row) => columns.map((column) => text(row[column] ?? '')))
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...cells.map((row) => (row[index] ?? '').length)),
  )
  const numeric = columns.map((column) => rows.every((row) => typeof (row[column] ?? 0) === 'number'))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, index) => (numeric[index] ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd()
  return [line(columns), ...cells.map(line)]
}

function text(cell: BenchRow[string]): string {
  return typeof cell === 'number' ? grouped(round(cell)) : String(cell)
}

function round(figure: number): number {
  return Math.abs(figure) >= 100 ? Math.round(figure) : Number(figure.toPrecision(3))
}

/** Runs what the arguments name. @returns the exit code */
async function runArguments(args: readonly string[]): Promise<number> {
  let parsed: ReturnType<typeof parsedArguments>
  try {
    parsed = parsedArguments(args)
  } catch (error) {
    if (!errorCode(error)?.startsWith('ERR_PARSE_ARGS')) throw error
    return wrongUse(errorMessage(error))
  }
  const { positionals, values } = parsed
  return runBenches(values.help ? [] : positionals, values)
}

function parsedArguments(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      smoke: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      compare: { type: 'string' },
      labelled: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
}

// Last, because it waits: everything above is there by now. `kun-stream bench` imports this file instead.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await runArguments(process.argv.slice(2))
}
