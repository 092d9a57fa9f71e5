/** `kun-stream compare A.yaml B.yaml`: the same records through two recipes, side by side. */
import type { Command } from 'commander'
import { say } from '../../language/say.js'
import { addCommand } from '../command-summaries.js'
import { positiveNumber, wholeNumber } from '../option-numbers.js'
import { setOption } from '../recipe-options.js'
import { sayOnStderr, writeOut } from '../terminal/output.js'

interface CompareFlags {
  readonly number: number
  readonly show: number
  readonly set: string[]
  readonly gpus?: number
  readonly gpuHourPrice?: number
  readonly json?: boolean
}

export function registerCompare(program: Command): void {
  addCommand(program, 'compare')
    .argument('<a>', say`a recipe, whose sources are sampled`)
    .argument('<b>', say`another recipe, which gets the same records`)
    .option('-n, --number <records>', say`records to take, spread over the shards`, wholeNumber(1), 50)
    .option('--show <chunks>', say`chunks to show`, wholeNumber(0), 10)
    .addOption(setOption())
    .option('--gpus <n>', say`GPUs of the servers; by default one for each endpoint`, wholeNumber(1))
    .option('--gpu-hour-price <price>', say`price of a GPU hour, for the cost`, positiveNumber)
    .option('--json', say`print one JSON object`)
    .action(async (a: string, b: string, flags: CompareFlags) => {
      const { compareFiles } = await import('../plan/compare-files.js')
      const { comparisonText } = await import('../plan/compare-text.js')
      const comparison = await compareFiles([a, b], flags, sayOnStderr)
      writeOut(`${flags.json ? JSON.stringify(comparison) : comparisonText(comparison, flags.show)}\n`)
    })
}
