/** `kun-stream preview`: a record's way through every stage with the prompts as they would be sent. Sends nothing. */
import type { Command } from 'commander'
import { UsageError } from '../../errors.js'
import { say } from '../../language/say.js'
import { loadRecipe } from '../../recipe/index.js'
import { settingsOf } from '../../recipe/run-settings.js'
import { knownCapabilities } from '../../run/run-record.js'
import { traceRecord } from '../../run/trace/trace.js'
import { recordAt, recordNumber } from '../../sources/index.js'
import { nodeFiles } from '../../storage/files.js'
import { addCommand } from '../command-summaries.js'
import { wholeNumber } from '../option-numbers.js'
import { outOption, type RecipeFlags, setOption } from '../recipe-options.js'
import { Output, sayOnStderr } from '../terminal/output.js'
import { terminalText } from '../terminal/terminal-text.js'
import { traceText } from '../terminal/trace-text.js'

interface PreviewFlags extends RecipeFlags {
  readonly record: number
  readonly at?: string
  readonly full?: boolean
  readonly json?: boolean
}

export function registerPreview(program: Command): void {
  addCommand(program, 'preview')
    .argument('<recipe>', 'a YAML file')
    .addOption(outOption())
    .addOption(setOption())
    .option('--record <number>', 'number of the record in input order', wholeNumber(1), 1)
    .option('--at <shard:offset>', 'the record at this place, as inspect and tail show it')
    .option('--full', 'do not truncate long texts')
    .option('--json', 'print one JSON object')
    .action(preview)
}

async function preview(
  path: string,
  { out, set, record, at, full = false, json = false }: PreviewFlags,
): Promise<void> {
  const recipe = await loadRecipe(path, set)
  const prepared = await settingsOf(recipe, out ?? recipe.output.dir, sayOnStderr)
  try {
    const { settings } = prepared
    const {
      shards,
      read,
      output: { dir },
    } = settings
    const place = at === undefined ? null : /^(.+)[:@](\d+)$/s.exec(at)
    const shard = shards.find((each) => each.path === place?.[1])
    if (at !== undefined && (place === null || shard === undefined)) {
      throw new UsageError(say`--at ${at}: no shard has this name; give SHARD:OFFSET as inspect shows them`)
    }
    const block = shard ? await recordAt(shard, Number(place?.[2]), read) : await recordNumber(shards, record - 1, read)
    if (block === null) {
      throw new UsageError(
        at === undefined
          ? say`--record ${record}: the input has fewer records`
          : say`--at ${at}: no record begins there`,
      )
    }
    const capabilities = await knownCapabilities([dir], nodeFiles)
    const trace = await traceRecord({ settings, block, capabilities, replies: null, wants: () => true })
    const columns = Math.min(process.stdout.columns ?? 80, 120)
    const text = json ? JSON.stringify(trace) : traceText(trace, { columns, isPreview: true, full })
    await new Output(process.stdout).write(Buffer.from(terminalText(`${text}\n`)))
    if (!json) sayOnStderr(say`Nothing was sent: later prompts have placeholders where a reply will be.`)
  } finally {
    await prepared.close()
  }
}
