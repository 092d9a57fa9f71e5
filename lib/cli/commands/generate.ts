/** `kun-stream generate DIR`: generates the units of a prepared run. Several processes may work on one directory. */
import type { Command } from 'commander'
import { addCommand } from '../command-summaries.js'
import type { GenerateFlags } from '../generate-units.js'
import { metricsOption } from '../metrics-option.js'
import { partOption } from '../part-option.js'
import { collect, setOption } from '../recipe-options.js'

export function registerGenerate(program: Command): void {
  addCommand(program, 'generate')
    .argument('<where>', 'directory or s3://bucket/prefix that prepare wrote')
    .option('--unit <id>', 'generate this unit only (repeatable)', collect, [])
    .option('--part <k/n>', 'generate every n-th unit, from the k-th: 3/8', partOption)
    .addOption(setOption())
    .option('--trust', 'accept the servers named in a run.json that another account wrote')
    .addOption(metricsOption())
    .option('--json', 'print one JSON object at the end in place of the summary')
    .action(async (where: string, flags: GenerateFlags) => {
      const { generateUnits } = await import('../generate-units.js')
      await generateUnits(where, flags)
    })
}
