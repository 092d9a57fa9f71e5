/**
 * Reads the rows of a run for training: in the order of the dataset, grouped by the chunk that they were made from.
 * Columns are found by name, so that runs with other stages and with columns of a recipe are read too.
 */

import { join } from 'node:path'
import { UsageError } from '../errors.js'
import { listText } from '../language/list-text.js'
import { say } from '../language/say.js'
import { featuresOf } from '../parquet/features.js'
import { LocalPart, openPart, rowsOf } from '../parquet/part-reader.js'
import type { CutFile } from '../parquet/part-writer.js'
import { mustBeCommitted, readManifest } from '../sinks/index.js'
import type { Example } from './example.js'

/** A row of a run. */
export interface RunRow extends Example {
  /** Ordinal in the selected splits, from 0. */
  readonly position: number
  readonly id: string
  /** Text of the chunk; '' if the dataset does not have it. */
  readonly raw: string
  /** Null if the row has none. */
  readonly score: number | null
}

/** Parts of a run and where to find them. */
export interface RunParts {
  readonly directory: string
  readonly files: readonly CutFile[]
  readonly rows: number
}

/**
 * Lists the committed parts of a run, in the order of the dataset.
 *
 * @param splits all if empty
 * @throws {UsageError} there are no rows, or a split does not exist
 */
export async function runParts(directory: string, splits: readonly string[]): Promise<RunParts> {
  const all = (await readManifest(directory)).flatMap(({ files }) => files).filter(({ split }) => split !== null)
  if (all.length === 0)
    throw new UsageError(say`${directory} has no committed rows yet: let the run commit a cut, then sample it`)
  const names = new Set(all.map(({ split }) => split as string))
  const missing = splits.find((split) => !names.has(split))
  if (missing !== undefined) {
    throw new UsageError(
      say`--split is ${missing}: ${directory} has no such split; it has ${listText([...names].sort())}`,
    )
  }
  const files = all.filter(({ split }) => splits.length === 0 || splits.includes(split as string))
  return { directory, files, rows: files.reduce((sum, { rows }) => sum + rows, 0) }
}

/** Options for `runRows`. */
interface RunRowOptions {
  /** Column of the score. */
  readonly score: string
  /** Compares each part with its commit before it is read, which reads it twice. */
  readonly check: boolean
}

/**
 * Yields the rows in groups: all variants of one chunk. Memory: one row group.
 *
 * @throws {CorruptFileError} a part is not the one that was committed
 */
export async function* runRows({ directory, files }: RunParts, options: RunRowOptions): AsyncGenerator<RunRow[]> {
  let position = 0
  let group: RunRow[] = []
  let groupKey = ''
  for (const file of files) {
    if (options.check) await mustBeCommitted(directory, file)
    const part = await openPart(join(directory, file.path))
    try {
      for await (const row of rowsOf(part)) {
        const key = chunkKey(row)
        if (group.length > 0 && (key === null || key !== groupKey)) {
          yield group
          group = []
        }
        groupKey = key ?? ''
        group.push(runRow(row, position++, options.score))
      }
    } finally {
      await part.close()
    }
  }
  if (group.length > 0) yield group
}

/** Identifies the chunk of a row; null if the columns do not. */
function chunkKey({ source, shard, offset, chunk }: Readonly<Record<string, unknown>>): string | null {
  if (shard === undefined || offset === undefined || chunk === undefined) return null
  return JSON.stringify([source, shard, String(offset), chunk])
}

function runRow(row: Readonly<Record<string, unknown>>, position: number, scoreColumn: string): RunRow {
  const messages = (row.messages ?? []) as readonly { readonly role: string; readonly content: string }[]
  const said = (role: string) => messages.find((message) => message.role === role)?.content
  const text = (name: string, other?: string) => String(row[name] ?? other ?? '')
  const score = row[scoreColumn]
  return {
    position,
    id: text('id'),
    instruction: text('instruction', said('user')),
    output: text('output', said('assistant')),
    system: '',
    raw: text('raw'),
    score: typeof score === 'number' || typeof score === 'bigint' ? Number(score) : null,
  }
}

/**
 * Checks that the rows have what is needed.
 *
 * @param score column of the score; null if it is not needed
 * @throws {UsageError} the columns of the pair, or that of the score, are missing
 * @throws {CorruptFileError} the first part is not the one that was committed
 */
export async function checkRunColumns({ directory, files }: RunParts, score: string | null): Promise<void> {
  const [file] = files
  if (file === undefined) return
  await mustBeCommitted(directory, file)
  const part = await LocalPart.open(join(directory, file.path))
  try {
    const features = featuresOf(part.metadata)
    const has = (name: string): boolean => features.some((feature) => feature.name === name)
    if (!has('messages') && !(has('instruction') && has('output'))) {
      throw new UsageError(
        say`${directory} has no pairs: the columns are ${features.map(({ name }) => name).join(', ')}`,
      )
    }
    const numbers = features.filter(({ dtype }) => /^(?:float|int)/.test(dtype ?? '')).map(({ name }) => name)
    if (score === null || numbers.includes(score)) return
    throw new UsageError(
      say`${directory} has no column ${score} of numbers, which --by score needs: give --by diversity or
        --by random, or name one of ${listText(numbers)} with --score`,
    )
  } finally {
    await part.close()
  }
}
