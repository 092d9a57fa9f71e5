/**
 * `kun-stream seed`: turns curated instruction data into training data for the two models of the method. As they stand,
 * the examples train the chat model; inverted, from output to instruction, they train the label model.
 */

import { type Command, Option } from 'commander'
import { UsageError } from '../../errors.js'
import { listText } from '../../language/list-text.js'
import { say } from '../../language/say.js'
import { type ExampleForm, exampleForm, exampleForms, holdsSystem } from '../../training/forms.js'
import { type LabelPrompt, labelExample, labelPrompts } from '../../training/label-example.js'
import { isRefused, readExample } from '../../training/read-example.js'
import { addCommand } from '../command-summaries.js'
import { dedupSource } from '../dedup-inputs.js'
import { addHubSource } from '../hub-options.js'
import { refuseInputAsOutput, rejectsOutput } from '../output-files.js'
import { type SeedCounts, seedGraph } from '../seed-graph.js'
import { countText } from '../terminal/bytes-text.js'
import { ReaderGone, sayOnStderr, writeOut } from '../terminal/output.js'
import { addTrainingOptions, type TrainingFlags, TrainingOutput } from '../training-output.js'

interface SeedFlags extends TrainingFlags {
  readonly as: ExampleForm
  readonly invert?: boolean
  readonly prompt: LabelPrompt
  readonly firstTurn?: boolean
  readonly rejects?: string
  readonly hub?: string
  readonly files: readonly string[]
  readonly revision: string
  readonly hubUrl?: string
  readonly token?: string
}

export function registerSeed(program: Command): void {
  const command = addCommand(program, 'seed')
    .argument('[files...]', 'files or globs in any format that a recipe reads; - or nothing reads standard input')
    .option('--invert', 'from output to instruction, with the prompt of the label stage')
    .addOption(
      new Option('--prompt <name>', 'with --invert: prompt of the label stage')
        .choices(labelPrompts)
        .default('label-kun'),
    )
    .addOption(new Option('--as <form>', 'form of the output').choices(exampleForms).default('messages'))
    .option('--first-turn', 'read the first exchange of a conversation, in place of refusing it')
  addTrainingOptions(command).option('--rejects <file>', 'write what was refused, and why, as JSON Lines')
  addHubSource(command).action(async (files: string[], flags: SeedFlags) => {
    try {
      const counts = await seed(files, flags, command.getOptionValueSource('prompt') !== 'default')
      sayOnStderr(summary(counts, flags))
      if (flags.json) writeOut(`${JSON.stringify({ ...counts, refused: Object.fromEntries(counts.refused) })}\n`)
    } catch (error) {
      if (!(error instanceof ReaderGone)) throw error
    }
  })
}

async function seed(files: readonly string[], flags: SeedFlags, promptGiven: boolean): Promise<SeedCounts> {
  const { as, invert = false, prompt, firstTurn = false } = flags
  if (promptGiven && !invert) throw new UsageError(say`--prompt requires --invert: without it no prompt is written`)
  const form = exampleForm(as, { systems: !invert })
  // The name '' maps whole records, whatever their fields.
  const { source } = await dedupSource(files, { ...flags, text: '' })
  await refuseInputAsOutput(flags.out, files)
  const rejects = await rejectsOutput(flags.rejects, [...files, flags.out])
  const output = await TrainingOutput.open(form, flags)
  const counts: SeedCounts = { records: 0, examples: 0, refused: new Map(), firstRefused: [] }
  const read = (record: unknown) => {
    const example = readExample(record, { firstTurn })
    if (isRefused(example)) return example
    if (invert) return labelExample(example, prompt, as)
    if (example.system === '' || holdsSystem(as)) return example
    return { refusal: 'system-prompt', detail: `--as ${as}` } as const
  }
  const check = (): void => {
    // Standard input may be empty: that of a filter before it.
    if (counts.records === 0 && files.length > 0 && !files.includes('-')) {
      throw new UsageError(say`${listText(files)}: no record; the files are empty`)
    }
    if (counts.records > 0 && counts.examples === 0) throw new UsageError(nothingRead(counts))
  }
  await seedGraph({ source, read, rowOf: form.rowOf, output, rejects, counts, check }).run().done
  return counts
}

function nothingRead({ records, firstRefused }: SeedCounts): string {
  return say`none of ${countText(records, 'record')} is an example; the first: ${firstRefused[0]}. docs/datasets.md lists the forms that are read`
}

function summary({ records, examples, refused, firstRefused }: SeedCounts, { rejects }: SeedFlags): string {
  const reasons = [...refused].sort(([a], [b]) => (a < b ? -1 : 1)).map(([reason, count]) => `${count} ${reason}`)
  const count = [...refused.values()].reduce((sum, each) => sum + each, 0)
  const more = count - firstRefused.length
  const hint =
    more > 0 ? [rejects === undefined ? say`and ${more} more (--rejects FILE says which)` : say`and ${more} more`] : []
  const written = say`${countText(records, 'record')}: ${countText(examples, 'example')} written`
  return [
    ...firstRefused,
    ...hint,
    reasons.length === 0 ? written : say`${written}, ${count} refused: ${listText(reasons)}`,
  ].join('\n')
}
