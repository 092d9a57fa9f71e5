/**
 * `kun-stream dedup --on instruction DIR`: writes the rows of a run with each instruction once. Of rows whose instructions
 * are equal or alike, the one with the best score stays, then the earliest. The first pass over the parts keeps
 * instruction and score of each row, the second one writes the rows that stay, in the order of the run.
 */
import { join } from 'node:path'
import { InstructionIndex } from '../dedup/instruction-index.js'
import { CorruptFileError, UsageError } from '../errors.js'
import { say } from '../language/say.js'
import type { Cell, Column } from '../parquet/columns.js'
import { type Feature, featuresOf } from '../parquet/features.js'
import { LocalPart, openPart, rowsOf } from '../parquet/part-reader.js'
import { checkRunColumns, type RunParts, runParts, runRows } from '../training/run-rows.js'
import { mustBeRunDirectory } from './run-directory-argument.js'
import { type TrainingFlags, TrainingOutput } from './training-output.js'

export interface DedupInstructionsFlags extends TrainingFlags {
  readonly split: readonly string[]
  readonly score: string
  /** Whether only equal instructions are duplicates. */
  readonly exact: boolean
}

interface DedupInstructionsCounts {
  readonly rows: number
  kept: number
  exact: number
  near: number
}

/** Rows whose instructions are held in memory with their index, about 700 bytes each; a larger run is refused. */
const rowsMax = 2_000_000

/**
 * Writes the rows that stay to `out`.
 *
 * @throws {UsageError} the directory is not a run, or has no instructions
 * @throws {CorruptFileError} a part is not the one that was committed, or changed between the passes
 */
export async function dedupInstructions(
  directory: string,
  flags: DedupInstructionsFlags,
): Promise<DedupInstructionsCounts> {
  await mustBeRunDirectory(directory)
  const parts = await runParts(directory, flags.split)
  await checkRunColumns(parts, null)
  if (parts.rows > rowsMax) {
    throw new UsageError(
      say`${directory} has ${parts.rows} rows, at most ${rowsMax} are compared: give one --split at a time`,
    )
  }
  const columns = await columnsOf(parts)
  const output = await TrainingOutput.open({ name: 'messages', columns }, flags)
  try {
    const { counts, stays } = await select(parts, flags)
    let position = 0
    for await (const row of allRows(parts)) {
      if (stays[position++] !== 1) continue
      await output.add(Object.fromEntries(columns.map(({ name }) => [name, (row[name] ?? null) as Cell])))
    }
    await output.end()
    return counts
  } finally {
    await output.discard()
  }
}

/** Decides which rows stay: 1 at their positions. */
async function select(
  parts: RunParts,
  { score, exact }: DedupInstructionsFlags,
): Promise<{ counts: DedupInstructionsCounts; stays: Uint8Array }> {
  const instructions: string[] = []
  const scores = new Float64Array(parts.rows).fill(-Infinity)
  for await (const group of runRows(parts, { score, check: true })) {
    for (const row of group) {
      instructions.push(row.instruction)
      if (row.score !== null) scores[row.position] = row.score
    }
  }
  if (instructions.length !== parts.rows) {
    throw new CorruptFileError(
      say`the parts have ${instructions.length} rows, ${parts.rows} were committed: run verify`,
    )
  }
  const order = Uint32Array.from(instructions.keys()).sort((a, b) => {
    const [left, right] = [scores[a] as number, scores[b] as number]
    return left === right ? a - b : right > left ? 1 : -1
  })
  const counts = { rows: parts.rows, kept: 0, exact: 0, near: 0 }
  const stays = new Uint8Array(parts.rows)
  const index = await InstructionIndex.open(!exact)
  for (const position of order) {
    const like = index.add(instructions[position] as string)
    if (like === null) {
      stays[position] = 1
      counts.kept++
    } else if (like.similarity === null) counts.exact++
    else counts.near++
  }
  return { counts, stays }
}

async function* allRows({ directory, files }: RunParts): AsyncGenerator<Record<string, unknown>> {
  for (const { path } of files) {
    const part = await openPart(join(directory, path))
    try {
      yield* rowsOf(part)
    } finally {
      await part.close()
    }
  }
}

/** Returns the columns of the parts, which are the same in all. */
async function columnsOf({ directory, files: [first] }: RunParts): Promise<Column[]> {
  if (first === undefined) return []
  const part = await LocalPart.open(join(directory, first.path))
  try {
    return featuresOf(part.metadata).map(columnOf)
  } finally {
    await part.close()
  }
}

function columnOf({ name, dtype, list }: Feature): Column {
  if (list !== undefined) return { name, type: 'messages' }
  const type =
    dtype === 'int64' || dtype === 'int32' || dtype === 'float64' ? dtype : dtype === 'bool' ? 'boolean' : 'string'
  return { name, type, nullable: true }
}
