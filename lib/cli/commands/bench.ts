/** `kun-stream bench [NAME…]`: runs the benches of the repository. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { UsageError } from '../../errors.js'
import { say } from '../../language/say.js'
import { addCommand } from '../command-summaries.js'

/** Loaded at run time, because lib must not import from bench. */
const main = new URL('../../../bench/main.js', import.meta.url)

interface BenchFlags {
  readonly smoke?: boolean
  readonly json?: boolean
  readonly labelled?: string[]
}

interface BenchModule {
  runBenches(names: readonly string[], flags: Required<BenchFlags>): Promise<number>
}

export function registerBench(program: Command): void {
  addCommand(program, 'bench')
    .argument('[names...]')
    .option('--smoke', 'small sizes, to check that the benches run')
    .option('--json', 'print the results as JSON')
    .option(
      '--labelled <path>',
      "file or folder of labelled examples, for the bench 'filters'; repeatable",
      collect,
      [],
    )
    .action(async (names: string[], { smoke = false, json = false, labelled = [] }: BenchFlags) => {
      if (!existsSync(fileURLToPath(main))) {
        throw new UsageError(say`the benches are in the repository, not in the package: clone it and npm run build`)
      }
      const { runBenches } = (await import(main.href)) as BenchModule
      process.exitCode = await runBenches(names, { smoke, json, labelled })
    })
}

function collect(value: string, values: readonly string[]): string[] {
  return [...values, value]
}
