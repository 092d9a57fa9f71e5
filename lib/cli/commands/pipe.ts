/**
 * `kun-stream pipe`: runs some or all stages of a run between any source and standard output or a file, without a run
 * directory. The output contains rows only; messages, the summary and progress go to stderr.
 */
import { type Command, Option } from 'commander'
import { addCommand } from '../command-summaries.js'
import { addHubSource } from '../hub-options.js'
import { addLogOptions, type LogFlags, withLog } from '../log-file.js'
import { modelStageNames, type PipeFlags, stageNames } from '../pipe-flags.js'
import { setOption } from '../recipe-options.js'

export function registerPipe(program: Command): void {
  const command = addCommand(program, 'pipe').argument(
    '[files...]',
    'files or globs in any format that a recipe reads; - or nothing reads standard input',
  )
  addHubSource(command)
    .addOption(
      new Option('--from <format>', 'format of the input, if it is not detected').choices([
        'jsonl',
        'arrow',
        'parquet',
      ]),
    )
    .option(
      '--stages <names>',
      `of ${stageNames.join(', ')}, in this order; clean always runs`,
      'clean,filter,chunk,dedup',
    )
    .option('--recipe <file>', `models, prompts and thresholds; required for ${modelStageNames.join(', ')}`)
    .addOption(setOption())
    .addOption(
      new Option('--to <format>', 'format of the output').choices(['jsonl', 'arrow', 'parquet']).default('jsonl'),
    )
    .option('--out <file>', 'write to a file in place of standard output')
    .option('--text <field>', 'field of the text', 'text')
    .option('--id <field>', "field of the record's own id")
    .option('--title <field>', 'field of the title, which prompts get with the text')
    .option('--threads <n>', 'worker threads; auto is one fewer than there are cores')
    .option('--rejects <file>', 'write what was dropped, and why, as JSON Lines')
    .option('--json', 'print the summary as one JSON object, the last line of standard error')
  addLogOptions(command).action(async (files: string[], flags: PipeFlags & LogFlags) => {
    await withLog('pipe', flags, async (log) => {
      const { pipe } = await import('../pipe-run.js')
      await pipe(files, flags, log)
    })
  })
}
