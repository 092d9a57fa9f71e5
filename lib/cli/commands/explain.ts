/** `kun-stream explain`: how a record came to be a row or a reject, from the source and the replies of the run. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { UsageError } from '../../errors.js'
import { say } from '../../language/say.js'
import { settingsOf } from '../../recipe/run-settings.js'
import { knownCapabilities } from '../../run/run-record.js'
import { type RecordTrace, traceRecord } from '../../run/trace/trace.js'
import { recordAt } from '../../sources/index.js'
import { nodeFiles } from '../../storage/files.js'
import { openReplies } from '../../storage/replies/replies.js'
import { repliesFolder } from '../../storage/run-layout.js'
import { addCommand } from '../command-summaries.js'
import { findOutcome, type RecordOutcome } from '../find-outcome.js'
import { mustBeRunDirectory } from '../run-directory-argument.js'
import { pc } from '../terminal/colors.js'
import { rejectText } from '../terminal/inspect-text.js'
import { Output, sayOnStderr } from '../terminal/output.js'
import { terminalText } from '../terminal/terminal-text.js'
import { traceText } from '../terminal/trace-text.js'
import { recipeOfRun } from './rebuild.js'

interface ExplainFlags {
  readonly full?: boolean
  readonly json?: boolean
}

export function registerExplain(program: Command): void {
  addCommand(program, 'explain')
    .argument('<dir>', 'run directory')
    .argument('<id>', 'id of a row or reject, or SHARD:OFFSET of its record')
    .option('--full', 'do not truncate long texts')
    .option('--json', 'print one JSON object')
    .action(explain)
}

async function explain(directory: string, id: string, { full = false, json = false }: ExplainFlags): Promise<void> {
  await mustBeRunDirectory(directory)
  const outcome = await findOutcome(directory, id)
  const trace = await traceOf(directory, outcome)
  const columns = Math.min(process.stdout.columns ?? 80, 120)
  const text = json
    ? JSON.stringify({ outcome, trace }, (_, value) => (typeof value === 'bigint' ? Number(value) : value))
    : `${traceText(trace, { columns, isPreview: false, full })}\n\n${outcomeText(outcome, columns)}`
  await new Output(process.stdout).write(Buffer.from(terminalText(`${text}\n`)))
}

async function traceOf(directory: string, outcome: RecordOutcome): Promise<RecordTrace> {
  const temporary = await mkdtemp(join(tmpdir(), 'kun-stream-explain-'))
  try {
    const recipe = await recipeOfRun(directory, temporary, [], sayOnStderr)
    const prepared = await settingsOf(recipe, directory)
    try {
      const { settings } = prepared
      const shard = settings.shards.find(
        ({ path, split }) => path === outcome.shard && (outcome.split === '' || split === outcome.split),
      )
      if (shard === undefined)
        throw new UsageError(say`${outcome.shard} is not among the shards of the recipe any more`)
      const block = await recordAt(shard, outcome.offset, settings.read)
      if (block === null)
        throw new UsageError(say`${outcome.shard} has no record at ${outcome.offset}: was the file changed?`)
      // A store of its own that reads those of the run: the directory of the run is not touched.
      const from = settings.replies.from.map((earlier) => join(earlier, repliesFolder))
      const replies = await openReplies({ files: nodeFiles, directory: join(temporary, repliesFolder), from })
      try {
        const capabilities = await knownCapabilities([directory], nodeFiles)
        const duplicates = new Set(outcome.rejects.flatMap((row) => (row.stage === 'dedup' ? [Number(row.chunk)] : [])))
        const wants = (_: string, chunk: number): boolean =>
          !duplicates.has(chunk) && (outcome.chunk === null || outcome.chunk === chunk)
        return await traceRecord({ settings, block, capabilities, replies, wants })
      } finally {
        await replies.close()
      }
    } finally {
      await prepared.close()
    }
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

function outcomeText({ cut, rows, rejects, chunk }: RecordOutcome, columns: number): string {
  if (cut === null) return pc.yellow(say`Not committed yet: the dataset has no row or reject of it.`)
  const ofChunk = (row: Readonly<Record<string, unknown>>) =>
    chunk === null || Number(row.chunk) === chunk || Number(row.chunk) < 0
  return [
    pc.bold(say`In the dataset, cut ${cut}:`),
    ...rows.filter(ofChunk).map((row) => pc.green(say`  row ${String(row.id)}`)),
    ...rejects
      .filter(ofChunk)
      .map((row) => `${pc.yellow(say`  reject ${String(row.id)}`)}\n${rejectText(row, columns)}`),
  ].join('\n')
}
